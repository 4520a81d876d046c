"""Closing meshes that bound nothing."""

import pytest
import torch

from invgraph import InputError, Mesh
from invgraph.data import watertight_mesh
from invgraph.geometry import icosphere
from invgraph.metrics import volume_iou, watertightness


def doubled(ball):
    return Mesh(ball.verts, torch.cat([ball.faces, ball.faces.flip(1)]))


def disagreeing(ball):
    flip = torch.rand(ball.num_faces, generator=torch.Generator().manual_seed(0)) < 0.5
    return Mesh(ball.verts, torch.where(flip[:, None], ball.faces.flip(1), ball.faces))


def hollow(ball):
    return Mesh(torch.cat([ball.verts, 0.8 * ball.verts]), torch.cat([ball.faces, ball.faces.flip(1) + ball.num_verts]))


def pierced(ball):
    """Open by a hole that less than 4% of all directions see through, faces disagreeing."""
    return disagreeing(Mesh(ball.verts, ball.faces[ball.triangles().mean(1)[:, 2] < 0.98]))


@pytest.mark.parametrize("broken", [doubled, disagreeing, hollow, pierced])
def test_a_sphere_of_hopeless_faces_becomes_solid(broken):
    ball = icosphere(3)
    closed = watertight_mesh(broken(ball), resolution=40)
    found = watertightness(closed)
    assert found["closed"]
    assert found["outward"]
    assert found["components"] == 1
    assert found["genus"] == 0
    assert volume_iou(closed, ball, points=20000) > 0.92
    # 0.4 voxels outside, within the grid's own error
    radius = torch.linalg.vector_norm(closed.verts, dim=1)
    if broken is not pierced:
        assert float(radius.min()) > 0.98
        assert float(radius.max()) < 1 + 0.6 * 2 / 40


def test_a_sheet_becomes_a_slab_of_two_voxels():
    sheet = Mesh(torch.tensor([[0.0, 0, 0], [1, 0, 0.3], [0, 1, 0], [1, 1, 0.3]]), torch.tensor([[0, 1, 2], [2, 1, 3]]))
    slab = watertight_mesh(sheet, resolution=32)
    found = watertightness(slab)
    assert found["closed"]
    assert found["components"] == 1
    assert found["volume"] == pytest.approx(2 / 32 * 1.09**0.5, rel=0.25)


def test_a_cup_stays_open():
    """A cylinder without a lid, as wide as deep: its inside is outside."""
    turn = torch.linspace(0, 2 * torch.pi, 33)[:-1]
    ring = torch.stack([turn.cos(), turn.sin(), torch.zeros(32)], 1)
    verts = torch.cat([ring, ring + torch.tensor([0.0, 0.0, 2.0]), torch.zeros(1, 3)])
    i, j = torch.arange(32), (torch.arange(32) + 1) % 32
    faces = torch.cat([torch.stack(t, 1) for t in ((i, j, i + 32), (j, j + 32, i + 32), (j, i, i * 0 + 64))])
    found = watertightness(watertight_mesh(Mesh(verts, faces), resolution=48))
    assert found["closed"]
    assert found["genus"] == 0
    assert found["volume"] < 0.5 * 2 * torch.pi


def test_it_comes_back_in_the_meshs_frame():
    ball = icosphere(2)
    moved = Mesh(ball.verts * 20 + torch.tensor([500.0, -30.0, 7.0]), ball.faces)
    low, high = watertight_mesh(moved, resolution=24).bounding_box()
    torch.testing.assert_close(0.5 * (low + high), torch.tensor([500.0, -30.0, 7.0]), atol=0.2, rtol=0)
    torch.testing.assert_close(high - low, torch.full((3,), 40 + 0.8 * 40 / 24), atol=0.8, rtol=0)


@pytest.mark.parametrize(
    "given", [{"resolution": 8}, {"resolution": 4000}, {"views": 1}, {"seen": 0.0}, {"seen": float("nan")}]
)
def test_arguments_out_of_range_are_named(given):
    with pytest.raises(ValueError, match=next(iter(given))):
        watertight_mesh(icosphere(1), **given)


def test_nothing_to_close_is_refused():
    with pytest.raises(InputError, match="no faces"):
        watertight_mesh(Mesh(torch.zeros(3, 3), torch.tensor([[0, 1, 2]])))
