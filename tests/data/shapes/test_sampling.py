"""Occupancies and clouds of meshes that are closed, open, self-intersecting and inside out."""

import dataclasses

import pytest
import torch

from invgraph import InputError, Mesh
from invgraph.data import SampleOptions, sample_shape, unit_cube
from invgraph.geometry import icosphere

FEW = SampleOptions(points=4000, near=4000, cloud=4000, voxels=16)


def sphere(center=(0.0, 0.0, 0.0), radius=1.0, level=4):
    ball = icosphere(level)
    return Mesh(ball.verts * radius + torch.tensor(center), ball.faces)


def joined(*meshes):
    first = torch.tensor([0] + [m.num_verts for m in meshes[:-1]]).cumsum(0)
    return Mesh(torch.cat([m.verts for m in meshes]), torch.cat([m.faces + n for m, n in zip(meshes, first)]))


def wrong(points, truth):
    """Share of points off the surface whose occupancy is not as it should be; truth is a distance, negative inside."""
    sure = truth.abs() > 0.005
    return float(((points.occupancies != (truth < 0)) & sure).float().mean())


def test_a_sphere_in_the_convention_of_occupancy_networks():
    s = sample_shape(sphere((10.0, 20.0, -5.0), 3.0), FEW)
    torch.testing.assert_close(s.points.loc, torch.tensor([10.0, 20.0, -5.0]).double(), atol=1e-5, rtol=0)
    assert s.points.scale == pytest.approx(6.0, abs=1e-5)
    assert 0.53 < float(s.points.points.abs().max()) <= 0.55
    assert wrong(s.points, torch.linalg.vector_norm(s.points.points, dim=1) - 0.5) == 0
    assert float(s.points.occupancies.float().mean()) == pytest.approx(0.5236 / 1.331, abs=0.03)
    assert s.doubtful < 0.01
    # what is stored is what was asked: float16 keeps it
    assert torch.equal(s.points.points.half().float(), s.points.points)
    torch.testing.assert_close(s.cloud.points, 0.5 * s.cloud.normals, atol=0.03, rtol=0)
    torch.testing.assert_close(s.voxels.low, s.points.loc - 3, atol=1e-5, rtol=0)
    assert s.voxels.side == s.points.scale


def test_points_near_the_surface_record_their_sigma_and_stay_in_the_box():
    s = sample_shape(sphere(), dataclasses.replace(FEW, sigmas=(0.005, 0.2)))
    distance = torch.linalg.vector_norm(s.near.points, dim=1) - 0.5
    assert wrong(s.near, distance) == 0
    assert float(s.near.points.abs().max()) <= 0.55
    for sigma, low, high in ((0.005, 0.004, 0.006), (0.2, 0.05, 0.2)):
        chosen = s.near.sigmas == torch.tensor(sigma)
        assert int(chosen.sum()) == 2000
        assert low < float(distance[chosen].std()) < high


def test_open_self_intersecting_and_inside_out_meshes():
    ball = sphere()
    whole = sample_shape(ball, FEW)
    truth = torch.linalg.vector_norm(whole.points.points, dim=1) - 0.5
    turned = sample_shape(Mesh(ball.verts, ball.faces.flip(1)), FEW)
    assert torch.equal(turned.points.occupancies, whole.points.occupancies)
    assert bool(((turned.cloud.points * turned.cloud.normals).sum(1) > 0).all())  # outward, as it should have been
    center = ball.triangles().mean(1)
    opened = sample_shape(Mesh(ball.verts, ball.faces[center[:, 2] < 0.9]), FEW)
    assert wrong(opened.points, truth) < 0.03
    two = sample_shape(joined(sphere((-0.5, 0.0, 0.0)), sphere((0.5, 0.0, 0.0))), FEW)  # 3 long: radius 1/3
    x = two.points.points
    ends = [torch.linalg.vector_norm(x - torch.tensor([e, 0.0, 0.0]), dim=1) - 1 / 3 for e in (-1 / 6, 1 / 6)]
    assert wrong(two.points, torch.minimum(*ends)) == 0


def test_faces_that_disagree_are_doubtful_and_closing_mends_them():
    ball = sphere(level=3)
    flip = torch.rand(ball.num_faces, generator=torch.Generator().manual_seed(0)) < 0.4
    soup = Mesh(ball.verts, torch.where(flip[:, None], ball.faces.flip(1), ball.faces))
    assert sample_shape(soup, FEW).doubtful > 0.05
    mended = sample_shape(soup, dataclasses.replace(FEW, watertight=True, resolution=48))
    assert mended.doubtful < 0.05
    assert mended.points.scale == pytest.approx(2.0, abs=0.05)  # a little larger
    world = mended.points.points * mended.points.scale + mended.points.loc.float()
    radius = torch.linalg.vector_norm(world, dim=1)
    assert bool(mended.points.occupancies[radius < 0.97].all())
    assert not bool(mended.points.occupancies[radius > 1.03].any())


def test_the_same_seed_gives_the_same_samples():
    ball = sphere(level=2)
    a, b, c = (sample_shape(ball, FEW, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(a.near.points, b.near.points)
    assert torch.equal(a.cloud.points, b.cloud.points)
    assert not torch.equal(a.points.points, c.points.points)


def test_what_is_not_asked_for_is_left_out():
    s = sample_shape(sphere(level=2), SampleOptions(points=100, near=0, cloud=0, voxels=0))
    assert len(s.points) == 100
    assert s.near is s.cloud is s.voxels is None


def test_loc_and_scale_undo_the_unit_cube():
    mesh = sphere((1e3, 2.0, 3.0), 0.1)
    unit, loc, scale = unit_cube(mesh)
    low, high = unit.bounding_box()
    torch.testing.assert_close(high - low, torch.ones(3), atol=1e-3, rtol=0)
    torch.testing.assert_close((unit.verts * scale + loc).float(), mesh.verts)


TRIANGLE = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
FACE = torch.tensor([[0, 1, 2]])


@pytest.mark.parametrize(
    ("mesh", "words"),
    [
        (Mesh(TRIANGLE, FACE[:0]), "no faces"),
        (Mesh(TRIANGLE * torch.nan, FACE), "not finite"),
        (Mesh(TRIANGLE * 0 + 7, FACE), "in one point"),
        (Mesh(TRIANGLE * torch.tensor([1.0, 0, 0]), FACE), "no area"),
        (Mesh(TRIANGLE, torch.cat([FACE, FACE.flip(1)])), "encloses none of the points"),
    ],
)
def test_meshes_of_nothing_are_refused(mesh, words):
    with pytest.raises(InputError, match=words):
        sample_shape(mesh, SampleOptions(points=100, near=100, cloud=100, voxels=8))


@pytest.mark.parametrize(
    "change",
    [
        {"points": -1},
        {"sigmas": ()},
        {"sigmas": (0.0,)},
        {"sigmas": (float("nan"),)},
        {"padding": -0.1},
        {"voxels": 10_000},
        {"points": 0, "near": 0, "cloud": 0, "voxels": 0},
    ],
)
def test_options_out_of_range_are_named(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        dataclasses.replace(FEW, **change)
