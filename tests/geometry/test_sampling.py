import pytest
import torch

from invgraph.geometry.mesh import Mesh
from invgraph.geometry.sampling import sample_surface
from invgraph.geometry.templates import icosphere


def _two_triangles() -> Mesh:
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 0, 0], [5, 3, 0], [5, 0, 2]])
    return Mesh(verts, torch.tensor([[0, 1, 2], [3, 4, 5]]))


def test_points_are_uniform_by_area_and_inside_their_faces() -> None:
    mesh = _two_triangles()  # areas 1/2 and 3
    points, normals, face = sample_surface(mesh, 40_000, generator=0)
    assert abs(float((face == 1).float().mean()) - 6 / 7) < 0.01
    first, second = points[face == 0], points[face == 1]
    torch.testing.assert_close(first.mean(0), torch.tensor([1 / 3, 1 / 3, 0]), atol=0.01, rtol=0)
    torch.testing.assert_close(second.mean(0), torch.tensor([5, 1, 2 / 3]), atol=0.02, rtol=0)
    assert bool((first >= 0).all())
    assert bool((first.sum(1) <= 1 + 1e-6).all())
    assert torch.equal(normals[face == 0].unique(dim=0), torch.tensor([[0.0, 0, 1]]))
    assert torch.equal(normals[face == 1].unique(dim=0), torch.tensor([[1.0, 0, 0]]))


def test_a_seed_gives_the_same_points() -> None:
    mesh = icosphere(2)
    generator = torch.Generator().manual_seed(3)
    assert torch.equal(sample_surface(mesh, 50, 3)[0], sample_surface(mesh, 50, generator)[0])
    assert not torch.equal(sample_surface(mesh, 50, 3)[0], sample_surface(mesh, 50, generator)[0])


def test_gradients_reach_the_vertices() -> None:
    mesh = icosphere(1, dtype=torch.float64)
    verts = mesh.verts.clone().requires_grad_()

    def sample(v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return sample_surface(mesh.with_verts(v), 7, 0)[:2]

    assert torch.autograd.gradcheck(sample, verts)


def test_zero_area_faces_are_never_drawn() -> None:
    mesh = _two_triangles()
    faces = torch.cat([torch.tensor([[0, 0, 1]]), mesh.faces, torch.tensor([[2, 2, 2]])])
    face = sample_surface(Mesh(mesh.verts, faces), 5000, 0)[2]
    assert face.min() == 1
    assert face.max() == 2


@pytest.mark.parametrize(
    ("mesh", "n", "match"),
    [
        (Mesh(torch.zeros(3, 3), torch.tensor([[0, 1, 2]])), 5, "area above 0"),
        (Mesh(torch.zeros(3, 3), torch.zeros((0, 3), dtype=torch.int64)), 5, "area above 0"),
        (icosphere(0), 0, "n: expected at least 1"),
        (icosphere(0).with_verts(torch.rand(2, 12, 3)), 5, "batch"),
    ],
)
def test_bad_arguments_are_named(mesh: Mesh, n: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        sample_surface(mesh, n)
