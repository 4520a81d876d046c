import pytest
import torch

from invgraph.geometry import Mesh, icosphere
from invgraph.metrics import occupancy_iou, volume_iou


def cube(low=0.0, high=1.0):
    corner = torch.tensor([[x, y, z] for x in (low, high) for y in (low, high) for z in (low, high)])
    quads = torch.tensor([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
    return Mesh(corner, torch.cat([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def test_cubes():
    assert float(cube().volume()) == pytest.approx(1)
    assert volume_iou(cube(), cube()) == 1
    assert volume_iou(cube(), cube(0.0, 0.5)) == pytest.approx(1 / 8, abs=0.005)
    assert volume_iou(cube(0.0, 0.5), cube(0.25, 0.75)) == pytest.approx(1 / 15, abs=0.005)
    assert volume_iou(cube(), cube(2.0, 3.0)) == 0


def test_spheres_at_any_scale_and_place():
    for scale, shift in ((1.0, 0.0), (300.0, 5000.0)):
        a, b = icosphere(5, radius=scale), icosphere(5, radius=0.9 * scale)
        moved = [m.with_verts(m.verts + shift) for m in (a, b)]
        assert volume_iou(*moved) == pytest.approx(0.729, abs=0.006)


def test_holes_and_inverted_faces_do_not_matter():
    ball = icosphere(4)
    holes = Mesh(ball.verts, ball.faces[torch.rand(ball.num_faces) > 0.03])
    assert not holes.is_closed
    assert volume_iou(holes, ball) > 0.98
    assert volume_iou(Mesh(ball.verts, ball.faces.flip(1)), ball) == 1


def test_seeded_and_degenerate():
    a, b = icosphere(2), icosphere(2, radius=0.8)
    assert volume_iou(a, b, points=1000, seed=1) == volume_iou(a, b, points=1000, seed=1)
    assert volume_iou(a, b, points=1000, seed=1) != volume_iou(a, b, points=1000, seed=2)
    plate = Mesh(torch.eye(3), torch.tensor([[0, 1, 2]]))
    assert volume_iou(plate, plate) == 0
    with pytest.raises(ValueError, match="truth: expected one mesh"):
        volume_iou(a, Mesh(a.verts[None], a.faces))


def test_sets_of_points():
    pred = torch.tensor([[True, True, False, False], [False] * 4, [True] * 4])
    truth = torch.tensor([[True, False, True, False], [False] * 4, [False] * 4])
    assert occupancy_iou(pred, truth).tolist() == [pytest.approx(1 / 3), 1, 0]
    with pytest.raises(TypeError, match=r"truth: expected bool, which points are inside, got torch\.float32"):
        occupancy_iou(pred, truth.float())
    with pytest.raises(ValueError, match="truth: expected shape"):
        occupancy_iou(pred, truth[0])
