"""Meshes of fields: the mesh of the whole grid for a fraction of the evaluations, exactly where the field says."""

import math

import pytest
import torch

from invgraph.errors import InputError
from invgraph.fields import Box, Capsule, Field, Sphere, Torus, Union, extract_mesh
from invgraph.fields.mise import surface_cells

CUBE = ((-1, -1, -1), (1, 1, 1))


def asked(field):
    """The field as a callable that keeps the points it was asked at."""
    points = []

    def f(p):
        points.append(p)
        return field(p)

    return f, points


SHAPES = {
    "torus": Torus(0.6, 0.2, bounds=CUBE),
    "on the nodes": Box((0.5, 0.25, 0.375), bounds=CUBE),
    "out of the bounds": Sphere(0.9, (0.5, -0.3, 0.2), bounds=CUBE),
    "two pieces": Union(Sphere(0.3, (-0.5, 0, 0)), Box((0.2, 0.3, 0.1), (0.5, 0.3, 0)), bounds=CUBE),
    # thinner than the coarse cells between its balls: found by following the surface
    "dumbbell": Union(
        Sphere(0.3, (-0.6, 0, 0)),
        Sphere(0.3, (0.6, 0, 0)),
        Capsule((-0.6, 0.05, 0.05), (0.6, 0.05, 0.05), 0.03),
        bounds=CUBE,
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_mesh_of_the_whole_grid_for_a_fraction_of_the_evaluations(name):
    f, points = asked(SHAPES[name])
    found = extract_mesh(f, inside="below", resolution=16, batch=5000)
    whole = extract_mesh(SHAPES[name], resolution=64, subdivisions=0)
    assert torch.equal(found.mesh.verts, whole.mesh.verts)
    assert torch.equal(found.mesh.faces, whole.mesh.faces)
    assert found.mesh.is_closed
    assert found.nodes == whole.nodes == whole.evaluations == 65**3
    assert found.saved == found.nodes - found.evaluations
    assert found.evaluations < found.nodes / 4
    assert max(map(len, points)) <= 5000
    everywhere = torch.cat(points)
    assert len(everywhere) == found.evaluations
    assert len(everywhere.unique(dim=0)) == found.evaluations, "a node was asked twice"


def test_positions_on_a_box_that_is_no_cube():
    bounds = torch.tensor([[-1.0, 2, -30], [1.5, 3.5, -24]], dtype=torch.float64)
    center = torch.tensor([0.2, 2.7, -27.3], dtype=torch.float64)
    scale = torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)
    f = lambda p: 1 - ((p - center) / scale).norm(dim=-1)  # noqa: E731
    mesh = extract_mesh(f, bounds=bounds, resolution=8, subdivisions=3).mesh
    assert mesh.verts.dtype == torch.float64
    node = (mesh.verts - bounds[0]) / (bounds[1] - bounds[0]) * 64
    on_edges = (node - node.round()).abs() > 1e-9
    assert bool((on_edges.sum(1) <= 1).all()), "a vertex is not on an edge of the grid"
    low, high = (bounds[0] + n * (bounds[1] - bounds[0]) / 64 for n in (node.floor(), node.ceil()))
    a, b = f(low), f(high)
    line = low + (high - low) * torch.where(a == b, 0, a / (a - b))[:, None]
    apart = (mesh.verts - line).norm(dim=1)
    assert float(apart.median()) < 1e-13
    assert float(apart.max()) < 1e-3 * float((bounds[1] - bounds[0]).max()) / 64  # where vertices would coincide
    assert float(f(mesh.verts).abs().max()) < 2e-3  # second order: a half cell off would be 0.02
    volume = 4 / 3 * math.pi * float(scale.prod())
    assert float(mesh.volume()) == pytest.approx(volume, rel=3e-3)


def test_cut_exactly_at_the_bounds():
    bounds = torch.tensor([[0.0, 0, 0], [1, 2, 3]], dtype=torch.float64)
    f = lambda p: 0.7123 - p[:, 0] + 0.3 * p[:, 1] - 0.11 * p[:, 2]  # noqa: E731
    mesh = extract_mesh(f, bounds=bounds, resolution=5, subdivisions=1).mesh
    assert mesh.is_closed
    y, z = torch.meshgrid((torch.arange(800) + 0.5) / 400, (torch.arange(800) + 0.5) * 3 / 800, indexing="ij")
    height = (0.7123 + 0.3 * y - 0.11 * z).double().clamp(0, 1)
    assert float(mesh.volume()) == pytest.approx(float(height.mean() * 6), rel=1e-6)
    assert torch.equal(torch.stack(mesh.bounding_box()), bounds)
    on_plane = ~((mesh.verts == bounds[0]) | (mesh.verts == bounds[1])).any(1)
    assert float(f(mesh.verts[on_plane]).abs().max()) < 1e-14


def test_level_sides_and_dtype():
    sphere = Sphere(0.5, bounds=CUBE)
    larger = extract_mesh(sphere, level=0.25, subdivisions=1).mesh
    assert larger.verts.dtype == torch.float32
    assert float(larger.verts.norm(dim=1).mean()) == pytest.approx(0.75, abs=1e-3)
    assert float(larger.volume()) > 0
    hollow = extract_mesh(sphere, inside="above", subdivisions=1).mesh  # all but the ball
    assert hollow.is_closed
    assert float(hollow.volume()) == pytest.approx(8 - math.pi / 6, rel=1e-2)
    logits = extract_mesh(lambda p: torch.logit((p.norm(dim=-1) < 0.5).float()), subdivisions=1).mesh  # all infinite
    assert logits.is_closed
    assert float(logits.volume()) == pytest.approx(math.pi / 6, rel=2e-2)


class Coded(Field):
    """A ball whose radius is its code, with a layer that minds the mode."""

    def __init__(self):
        super().__init__("sdf", code_size=1)
        self.norm = torch.nn.BatchNorm1d(1)
        self.frozen = torch.nn.BatchNorm1d(1).eval()

    def forward(self, points, code=None):
        self.check(points, code)
        assert not self.norm.training
        return points.norm(dim=-1) - code


def test_codes_and_modes():
    field = Coded().train()
    field.frozen.eval()
    mesh = extract_mesh(field, code=torch.tensor([0.7]), subdivisions=1).mesh
    assert float(mesh.verts.norm(dim=1).mean()) == pytest.approx(0.7, abs=1e-3)
    assert field.norm.training
    assert not field.frozen.training
    with pytest.raises(ValueError, match="code: expected"):
        extract_mesh(field)
    with pytest.raises(ValueError, match="code: expected"):
        extract_mesh(field, code=torch.zeros(2))
    with pytest.raises(ValueError, match="code of one shape"):
        extract_mesh(field, code=torch.zeros(1, 1))


def test_progress_counts_up_to_what_was_needed():
    seen = []
    found = extract_mesh(SHAPES["torus"], resolution=8, batch=100, progress=lambda *step: seen.append(step))
    done = [step[0] for step in seen]
    assert done == sorted(set(done))
    assert seen[-1][:2] == (found.evaluations, found.evaluations)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 0}, "resolution: expected at least 1, got 0"),
        ({"resolution": -3}, "resolution: expected at least 1, got -3"),
        ({"resolution": 1.5}, "resolution: expected a whole number"),
        ({"subdivisions": -1}, "subdivisions: expected at least 0"),
        ({"bounds": ((0, 0, 0), (1, 0, 1))}, "bounds: expected two corners"),
        ({"inside": "left"}, "inside: expected 'above' or 'below'"),
        ({"level": math.nan}, "level: expected a finite value"),
        ({"resolution": 100_000}, r"resolution 100000 asks at 1e\+15 nodes and would take about .* GB"),
    ],
)
def test_wrong_arguments_before_the_field_is_asked(options, message):
    def never(points):
        raise AssertionError("asked")

    with pytest.raises((ValueError, TypeError), match=message):
        extract_mesh(never, **options)


def test_too_fine_is_said_once_the_size_of_the_surface_is_known():
    f, points = asked(SHAPES["torus"])
    with pytest.raises(InputError, match=r"resolution: resolution 8 with 16 subdivisions makes about .* cells .* GB"):
        extract_mesh(f, inside="below", resolution=8, subdivisions=16)
    assert sum(map(len, points)) == 9**3


def test_a_field_without_a_surface_or_with_nan():
    with pytest.raises(InputError, match=r"Sphere is outside at all 35,937 points .* from 0\.0732\d+ to 3\.364"):
        extract_mesh(Sphere(0.1, (1, 1, 1), bounds=((-1, -1, -1), (0.9, 0.9, 0.9))))
    with pytest.raises(InputError, match=r"is inside at all 125 points .* values range from 3 to 3"):
        extract_mesh(lambda p: torch.full_like(p[:, 0], 3), resolution=4)

    def holed(p):
        return torch.where((p == torch.tensor([0.5, -0.5, 0])).all(1), math.nan, 0.6 - p.norm(dim=1))

    with pytest.raises(InputError, match=r"NaN at \[0\.5, -0\.5, 0\.0\] \(1 of"):
        extract_mesh(holed)
    broken = torch.nn.Linear(3, 1)
    broken.weight.data[0, 1] = math.nan
    with pytest.raises(InputError, match="weight of Linear"):
        extract_mesh(broken)


def test_what_is_no_field():
    with pytest.raises(TypeError, match="field: expected a Field or a callable, got str"):
        extract_mesh("sphere")
    with pytest.raises(ValueError, match=r"one value a point, shape \(P,\); got \(\d+, 1\)"):
        extract_mesh(lambda p: p[:, :1])
    with pytest.raises(TypeError, match=r"floating-point tensor, got torch\.bool"):
        extract_mesh(lambda p: p[:, 0] > 0)


def test_each_level_reports_its_cells():
    heard = []
    ask = lambda n: 2.9 - abs(n // 81 - 4.0)  # noqa: E731  a slab of the grid of 8 cells
    surface_cells(ask, 2, 2, lambda cells, to_come: heard.append((cells, to_come)))
    assert [to_come for _, to_come in heard] == [2, 1, 0]
    assert heard[-1][0] > heard[0][0] > 0
