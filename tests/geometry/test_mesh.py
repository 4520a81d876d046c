import math

import pytest
import torch

from invgraph.geometry.mesh import Mesh
from invgraph.geometry.templates import icosphere

# a right-angled corner of legs 1, 2 and 3 at (10, 0, 0)
VERTS = torch.tensor([[10.0, 0, 0], [11, 0, 0], [10, 2, 0], [10, 0, 3]], dtype=torch.float64)
FACES = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def test_measures_by_hand() -> None:
    mesh = Mesh(VERTS, FACES)
    assert mesh.is_closed
    torch.testing.assert_close(mesh.volume(), torch.tensor(1.0, dtype=torch.float64))
    torch.testing.assert_close(mesh.face_areas(), torch.tensor([1, 1.5, 3, 3.5], dtype=torch.float64))
    torch.testing.assert_close(mesh.face_normals()[3], torch.tensor([6.0, 3, 2], dtype=torch.float64) / 7)
    torch.testing.assert_close(mesh.face_normals(normalize=False)[0], torch.tensor([0.0, 0, -2], dtype=torch.float64))
    # area-weighted: the corner's normal adds -(1, 2, 3)-scaled axes of the three right faces
    expected = -torch.tensor([6.0, 3, 2], dtype=torch.float64) / 7
    torch.testing.assert_close(mesh.vertex_normals()[0], expected)
    center, radius = mesh.bounding_sphere()
    torch.testing.assert_close(center, torch.tensor([10.5, 1, 1.5], dtype=torch.float64))
    torch.testing.assert_close(radius, torch.tensor(math.sqrt(0.25 + 1 + 2.25), dtype=torch.float64))


def test_volume_of_float32_far_from_the_origin() -> None:
    mesh = icosphere(3)
    far = mesh.with_verts(mesh.verts + 100)
    torch.testing.assert_close(far.volume(), mesh.volume(), rtol=1e-4, atol=0)


def test_batch_shares_connectivity() -> None:
    mesh = icosphere(1)
    scale = torch.tensor([1.0, 2, 3])
    batch = mesh.with_verts(scale[:, None, None] * mesh.verts)
    assert batch.topology is mesh.topology
    torch.testing.assert_close(batch.volume(), scale**3 * mesh.volume())
    torch.testing.assert_close(batch.area(), scale**2 * mesh.area())
    torch.testing.assert_close(batch.vertex_normals(), mesh.vertex_normals().expand(3, -1, -1))
    torch.testing.assert_close(batch.edge_lengths(), scale[:, None] * mesh.edge_lengths())
    torch.testing.assert_close(batch.bounding_sphere()[1], scale)


def test_degenerate_faces_give_finite_gradients() -> None:
    verts = torch.zeros(3, 3, requires_grad=True)
    mesh = Mesh(verts, torch.tensor([[0, 1, 2]]))
    (mesh.face_normals().sum() + mesh.vertex_normals().sum() + mesh.area()).backward()
    assert verts.grad is not None
    assert bool(torch.isfinite(verts.grad).all())


def test_tiny_meshes_have_unit_normals() -> None:
    mesh = icosphere(2)
    tiny = mesh.with_verts(mesh.verts * 1e-8)
    torch.testing.assert_close(tiny.face_normals(), mesh.face_normals())


def test_gradients_of_measures() -> None:
    mesh = Mesh(VERTS, FACES)
    verts = VERTS.clone().requires_grad_()

    def measures(v: torch.Tensor) -> tuple[torch.Tensor, ...]:
        m = mesh.with_verts(v)
        return m.volume(), m.area(), m.vertex_normals(), m.face_normals()

    assert torch.autograd.gradcheck(measures, verts)


def test_to_keeps_connectivity_on_the_same_device() -> None:
    mesh = icosphere(0)
    double = mesh.to(dtype=torch.float64)
    assert double.verts.dtype == torch.float64
    assert double.topology is mesh.topology


@pytest.mark.parametrize(
    ("verts", "faces", "error", "match"),
    [
        (torch.zeros(3, 2), FACES[:1], ValueError, r"verts: .*\(3, 2\)"),
        (torch.zeros(3, 3, dtype=torch.int64), FACES[:1], TypeError, "verts: .*int64"),
        (torch.zeros(2, 3), FACES[:1], ValueError, "faces: .*2"),
        ([[0.0, 0, 0]], FACES[:1], TypeError, "verts: .*list"),
    ],
)
def test_bad_arguments_are_named(verts: torch.Tensor, faces: torch.Tensor, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Mesh(verts, faces)


def test_with_verts_checks_the_number() -> None:
    with pytest.raises(ValueError, match=r"expected 12 vertices, got shape \(11, 3\)"):
        icosphere(0).with_verts(torch.zeros(11, 3))
