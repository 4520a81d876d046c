import math

import pytest
import torch

from invgraph import InputError
from invgraph.fields import Torus
from invgraph.geometry import Mesh, icosphere
from invgraph.ops import winding_number
from invgraph.shapes import FieldShape, LatticeField, TemplateShape
from invgraph.shapes.signed_distance import lattice_points, signed_distances

CENTER = torch.tensor([30.0, -10.0, 20.0])
BOX = torch.tensor([[-1.0] * 3, [1.0] * 3])


def ball(kind: str = "sdf", resolution: int = 20) -> FieldShape:
    mesh = icosphere(3, radius=4.0, center=CENTER)
    return FieldShape.from_mesh(mesh, kind, resolution, (CENTER - 5, CENTER + 5))


def of_distance(distance: torch.Tensor, kind: str = "sdf") -> FieldShape:
    return FieldShape(LatticeField.from_distances(kind, distance, BOX), len(distance) - 1)


@pytest.mark.parametrize("kind", ["sdf", "occupancy"])
def test_a_mesh_becomes_a_field_in_the_frame_it_came_in(kind):
    shape = ball(kind)
    mesh = shape.export()
    assert (mesh.is_closed, mesh.euler_characteristic) == (True, 2)
    assert float(mesh.volume()) == pytest.approx(4 / 3 * math.pi * 64, rel=0.02)
    assert float((mesh.verts - CENTER).norm(dim=1).sub(4).abs().max()) < 0.05
    assert shape.field.inside(shape.field(torch.zeros(1, 3))).item()
    finer = shape.resampled(30)
    assert finer.resolution == 30
    assert float(finer.export().volume()) == pytest.approx(float(mesh.volume()), rel=0.01)
    template = shape.as_template()
    torch.testing.assert_close(template.export().verts, mesh.verts, atol=1e-4, rtol=0)
    assert torch.equal(template.scale, shape.scale)


def test_signed_distances_of_a_ball():
    points = lattice_points(16, BOX)
    distance = signed_distances(icosphere(4, radius=0.6), points)
    wrong = (distance - (points.norm(dim=-1) - 0.6)).abs()
    assert float(wrong.max()) < 2 / 16
    assert float(wrong[distance.abs() < 4 * 2 / 16].max()) < 2e-3


def test_regularizers_know_curvature_and_steepness():
    radius = lattice_points(40, BOX).norm(dim=-1)
    terms = of_distance(radius - 0.6).regularizers()
    assert terms["bending"].item() == pytest.approx((2 / 0.6) ** 2, rel=0.1)
    assert terms["eikonal"].item() < 1e-4
    assert of_distance(2 * (radius - 0.6)).regularizers()["eikonal"].item() == pytest.approx(1.0, rel=0.01)
    occupancy = of_distance(radius - 0.6, "occupancy").regularizers()
    assert set(occupancy) == {"bending"}
    torch.testing.assert_close(occupancy["bending"], terms["bending"], rtol=1e-3, atol=0)


def test_a_step_moves_the_neighbours_too_and_its_gradient_is_that_of_the_surface():
    shape = ball()
    (step,) = shape.parameters()
    assert not bool(step.any())
    shape().volume().backward()
    gradient = step.grad.clone()
    at = tuple(gradient.abs().flatten().argmax() // torch.tensor([21 * 21, 21, 1]) % 21)
    values = []
    for size in (1e-2, -1e-2):
        with torch.no_grad():
            step[at] += size
            values.append(float(shape().volume().double()))
            assert int((shape.field.node_values - shape.field.parametrizations.node_values[0].start != 0).sum()) == 125
            step[at] -= size
    assert float(gradient[at]) == pytest.approx((values[0] - values[1]) / 2e-2, rel=0.02)


def test_the_field_is_trilinear_and_goes_on_outside():
    field = LatticeField.from_distances("occupancy", lattice_points(8, BOX)[..., 0].contiguous(), BOX)
    points = torch.tensor([[0.3, 0.1, -0.7], [-1.0, 0.0, 0.0], [4.0, 0.0, 0.0]])
    torch.testing.assert_close(field(points), points[:, 0].clamp(max=1) * -8)  # logits change by two a cell
    with pytest.raises(ValueError, match="points"):
        field(torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"values: .* got \(8, 8\)"):
        LatticeField("sdf", torch.zeros(8, 8), BOX)


def test_resampling_leaves_specks_and_cavities_out():
    x = lattice_points(32, BOX)
    distance = x.norm(dim=-1) - 0.7
    distance = torch.maximum(distance, 0.2 - x.norm(dim=-1))  # a cavity
    distance = torch.minimum(distance, (x - 0.8).norm(dim=-1) - 0.1)  # a speck
    shape = of_distance(distance)
    assert int(shape().topology.components().max()) + 1 == 3
    for cleaned in (shape.export(), shape.resampled(32)()):
        assert int(cleaned.topology.components().max()) + 1 == 1
        inside = winding_number(torch.tensor([[0.0] * 3, [0.8] * 3]), cleaned.verts.detach(), cleaned.faces) > 0.5
        assert inside.tolist() == [True, False]


def test_any_field_is_a_shape():
    shape = FieldShape(Torus(0.5, 0.2), 24, CENTER, 2.0)
    mesh = shape.export()
    assert (mesh.is_closed, mesh.euler_characteristic) == (True, 0)
    assert float(mesh.volume()) == pytest.approx(8 * 2 * math.pi**2 * 0.5 * 0.04, rel=0.03)
    assert shape.regularizers()["eikonal"].item() < 0.15  # but for the middle of the tube
    assert shape.resampled(32).field is shape.field


@pytest.mark.parametrize(
    ("kind", "offset", "said"),
    [
        ("sdf", 0.5, r"signed distances run from 0\.5 to 2\.2\d+, so that nothing of its box is inside"),
        ("sdf", -2.0, r"signed distances run from -2 to -0\.2\d+, so that all of its box is inside"),
        ("occupancy", 0.5, r"logits run from -2\d\.\d+ to -5, so that nothing"),
    ],
)
def test_a_lost_surface_is_an_error_that_says_the_range(kind, offset, said):
    shape = of_distance(lattice_points(10, BOX).norm(dim=-1) + offset, kind)
    with pytest.raises(InputError, match=f"the field has no surface: its {said}"):
        shape()
    with pytest.raises(InputError, match="no surface"):
        shape.resampled(12)


def test_state_restores_a_resampled_field():
    shape = ball("occupancy").resampled(14)
    with torch.no_grad():
        next(shape.parameters()).add_(0.01)
    again = FieldShape.from_state(shape.state_dict())
    again.load_state_dict(shape.state_dict())
    assert torch.equal(again.export().verts, shape.export().verts)
    assert again.field.kind == "occupancy"
    assert not FieldShape.is_state(TemplateShape(Mesh(shape().verts.detach(), shape().faces)).state_dict())


def test_a_field_with_a_code_or_a_grid_too_large_is_refused():
    torus = Torus()
    torus.code_size = 4
    with pytest.raises(ValueError, match="field: expected a field of one shape, got one with a code of 4"):
        FieldShape(torus, 16)
    with pytest.raises(ValueError, match=r"resolution: 100000 makes .* GB"):
        FieldShape(Torus(), 100_000)
