import pytest
import torch

from invgraph.geometry import Mesh, icosphere
from invgraph.metrics import chamfer_l1, f_score, normal_consistency, surface_distances, tenth_of_edge


def plate(z=0.0, size=1.0):
    verts = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]) * size
    return Mesh(verts + torch.tensor([0, 0, z]), torch.tensor([[0, 1, 2], [0, 2, 3]]))


def test_parallel_plates():
    d = surface_distances(plate(), plate(0.2), points=20_000)
    assert d.chamfer_l1 == pytest.approx(0.2, rel=1e-3)
    assert d.normal_consistency == pytest.approx(1, abs=1e-6)
    assert d.f_score(0.19) == 0
    assert d.f_score(0.21) == 1


def test_chamfer_is_the_mean_of_both_directions():
    # every point of the small plate lies on the large one; the way back is long
    small, large = plate(size=0.5), plate()
    d = surface_distances(small, large, points=50_000)
    outside = torch.rand(200_000, 2)
    back = (outside - 0.5).clamp(min=0).norm(dim=1)
    assert d.accuracy.mean() < 0.004
    assert float(d.completeness.mean()) == pytest.approx(float(back.mean()), rel=0.02)
    assert d.chamfer_l1 == pytest.approx(0.5 * float(d.accuracy.mean() + d.completeness.mean()))
    assert d.precision(0.05) == 1
    assert d.recall(0.05) == pytest.approx(float((back < 0.05).float().mean()), abs=0.01)
    assert d.f_score(0.05) == pytest.approx(2 * d.recall(0.05) / (1 + d.recall(0.05)))


def test_concentric_spheres_and_orientation():
    inner, outer = icosphere(5, dtype=torch.float64), icosphere(5, radius=1.1)
    assert chamfer_l1(inner, outer, points=30_000) == pytest.approx(0.1, rel=0.01)
    assert normal_consistency(inner, outer, points=30_000) > 0.999
    assert normal_consistency(Mesh(inner.verts, inner.faces.flip(1)), outer, points=30_000) > 0.999
    assert f_score(inner, outer, 0.11, points=30_000) == 1
    assert f_score(inner, outer, 0.09, points=30_000) == 0


def test_ten_times_the_distance_where_the_longest_edge_is_one():
    cube = Mesh(plate().verts * torch.tensor([1.0, 0.5, 1.0]), plate().faces)
    assert tenth_of_edge(cube) == pytest.approx(0.1)
    shifted = cube.with_verts(cube.verts + torch.tensor([0, 0, 0.02]))
    assert chamfer_l1(shifted, cube, points=30_000) / tenth_of_edge(cube) == pytest.approx(0.2, rel=0.05)
    with pytest.raises(ValueError, match="truth: expected a mesh with an extent"):
        tenth_of_edge(Mesh(torch.zeros(3, 3), torch.tensor([[0, 1, 2]])))


def test_perpendicular_normals():
    upright = Mesh(plate().verts[:, [2, 0, 1]], plate().faces)
    assert normal_consistency(plate(), upright, points=1000) == pytest.approx(0, abs=1e-6)


def test_seeded_and_equal_meshes_have_the_floor_of_their_samples():
    a = icosphere(3)
    d = surface_distances(a, a, points=5000, seed=3)
    assert torch.equal(d.accuracy, surface_distances(a, a, points=5000, seed=3).accuracy)
    assert not torch.equal(d.accuracy, surface_distances(a, a, points=5000, seed=4).accuracy)
    assert d.chamfer_l1 == pytest.approx(0.5 * (float(a.area()) / 5000) ** 0.5, rel=0.1)


def test_says_which_mesh_is_wrong():
    flat = Mesh(torch.zeros(3, 3), torch.tensor([[0, 1, 2]]))
    with pytest.raises(ValueError, match="truth: mesh: expected a finite surface area"):
        surface_distances(plate(), flat)
    with pytest.raises(ValueError, match="pred: mesh: expected one mesh"):
        surface_distances(Mesh(plate().verts[None], plate().faces), plate())
