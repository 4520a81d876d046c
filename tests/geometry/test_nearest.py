import torch

from invgraph.geometry.mesh import Mesh
from invgraph.geometry.nearest import NearestPoint, closest_barycentric
from invgraph.geometry.templates import icosphere


def test_closest_point_of_a_triangle_by_search() -> None:
    torch.manual_seed(0)
    triangle = torch.rand(3, 3, dtype=torch.float64)
    points = 3 * torch.rand(200, 3, dtype=torch.float64) - 1
    weights = closest_barycentric(points, triangle.expand(200, 3, 3))
    assert bool((weights >= 0).all())
    torch.testing.assert_close(weights.sum(1), torch.ones(200, dtype=torch.float64))
    i, j = torch.meshgrid(torch.arange(201), torch.arange(201), indexing="ij")
    grid = torch.stack([i[i + j <= 200], j[i + j <= 200]], dim=1).double() / 200
    grid = torch.cat([1 - grid.sum(1, keepdim=True), grid], dim=1) @ triangle
    searched = torch.cdist(points, grid).amin(1)
    found = (weights @ triangle - points).norm(dim=1)
    assert bool((found <= searched + 1e-12).all())
    torch.testing.assert_close(found, searched, atol=1e-2, rtol=0)


def test_triangles_without_area() -> None:
    points = torch.tensor([[0.25, 1.0, 0.0], [5.0, 0.0, 0.0]])
    needle = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0.5, 0, 0]])
    dot = torch.ones(3, 3)
    nearest = (closest_barycentric(points, needle.expand(2, 3, 3))[..., None] * needle).sum(1)
    torch.testing.assert_close(nearest, torch.tensor([[0.25, 0, 0], [1.0, 0, 0]]))
    torch.testing.assert_close(closest_barycentric(points, dot.expand(2, 3, 3)).sum(1), torch.ones(2))


def test_coarse_mesh_is_searched_exactly() -> None:
    torch.manual_seed(0)
    mesh = icosphere(0, dtype=torch.float64)
    points = 3 * torch.rand(300, 3, dtype=torch.float64) - 1.5
    nearest, face, weights, _ = NearestPoint(mesh, 0.05)(points)
    triangles = mesh.triangles()
    torch.testing.assert_close((weights[:, :, None] * triangles[face]).sum(1), nearest)
    every = closest_barycentric(points[:, None].expand(-1, 20, -1), triangles.expand(300, 20, 3, 3))
    exact = ((every[..., None] * triangles).sum(2) - points[:, None]).norm(dim=2).amin(1)
    torch.testing.assert_close((nearest - points).norm(dim=1), exact)


def test_normals_keep_to_their_side_of_a_thin_wall() -> None:
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0.0, 0, 0.01], [1, 0, 0.01], [0, 1, 0.01]])
    wall = Mesh(verts, torch.tensor([[0, 2, 1], [3, 4, 5]]))  # looks down below, up above
    search = NearestPoint(wall, 0.5)
    point, up = torch.tensor([[0.2, 0.2, 0.001]]), torch.tensor([[0.0, 0, 1]])
    assert search(point)[1].tolist() == [0]
    nearest, face, _, facing = search(point, up)
    assert face.tolist() == [1]
    assert facing.tolist() == [True]
    torch.testing.assert_close(nearest, torch.tensor([[0.2, 0.2, 0.01]]))
