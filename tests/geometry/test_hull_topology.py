import numpy as np
import pytest
import torch
from scipy.ndimage import label

from invgraph.geometry.hull_grid import close_in_box, extract, smooth
from invgraph.geometry.hull_topology import _neighbours, _simple, cut_bridges


def grid(n=40):
    axis = torch.arange(n, dtype=torch.float32) - n / 2 + 0.5
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"))


def segment(x, a, b, radius):
    """Positive inside of a capsule."""
    a, b = (torch.tensor(p)[:, None, None, None] for p in (a, b))
    t = (((x - a) * (b - a)).sum(0) / ((b - a) ** 2).sum().clamp(min=1e-9)).clamp(0, 1)
    return radius - (x - a - t * (b - a)).norm(dim=0)


def torus(x, major, minor):
    return minor - torch.hypot(x[:2].norm(dim=0) - major, x[2])


def euler(values):
    mesh = extract(values, torch.zeros(3), 1.0)
    assert mesh.is_closed
    return mesh.euler_characteristic, int(mesh.topology.components().max()) + 1


BALL = [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0], 9.0]
HANDLE = [
    ([6.0, 0.5, 3.0], [14.3, 0.5, 3.0]),
    ([14.3, 0.5, 3.0], [14.3, 0.5, -3.0]),
    ([14.3, 0.5, -3.0], [6.0, 0.5, -3.0]),
]


@pytest.mark.parametrize(("radius", "after"), [(0.85, 2), (2.0, 0)], ids=["thin", "thick"])
def test_only_a_thin_handle_is_cut(radius, after):
    x = grid()
    values = torch.stack([segment(x, *BALL), *(segment(x, *ends, radius) for ends in HANDLE)]).amax(0)
    assert euler(values) == (0, 1)
    cut = cut_bridges(values, 1.0)
    assert euler(cut)[0] - 2 * (euler(cut)[1] - 1) == after  # a piece of the handle may fall off
    assert (cut != values).sum() < 100


@pytest.mark.parametrize(
    "shape",
    [
        lambda x: torch.maximum(segment(x, [0, 0, -9.0], [0, 0, -9.0], 6.0), segment(x, [0, 0, 9.0], [0, 0, 9.0], 6.0)),
        lambda x: torus(x, 11.0, 4.0),
        lambda x: torch.maximum(
            segment(x, [0, 0, -9.0], [0, 0, -9.0], 6.0), segment(x, [0, 0, -9.0], [0.3, 0.4, 15.0], 0.9)
        ),
        lambda x: torch.minimum(0.7 - (x[2] + 0.2 * x[0] + 0.3).abs() / 1.02, 14 - x[:2].norm(dim=0)),
    ],
    ids=["two balls", "thick torus", "ball with a thin rod", "thin plate"],
)
def test_what_is_no_handle_stays(shape):
    values = shape(grid())
    assert torch.equal(cut_bridges(values, 1.0), values)


def test_a_thin_rod_between_two_balls_stays():
    x = grid()
    ends = [0, 0.2, -10.0], [0, 0.4, 10.0]
    values = torch.stack([segment(x, p, p, 6.0) for p in ends] + [segment(x, *ends, 0.9)]).amax(0)
    assert euler(values) == (2, 1)
    assert torch.equal(cut_bridges(values, 1.0), values)


def test_simple_points_against_components():
    near = torch.rand(300, 26) < torch.linspace(0.1, 0.9, 300)[:, None]
    got = _simple(near)
    steps = (_neighbours() + 1).numpy()
    size = np.abs(steps - 1).sum(1)
    for row, answer in zip(near.numpy(), got.tolist()):
        cube = np.zeros((3, 3, 3), bool)
        cube[tuple(steps[row & (size <= 2)].T)] = True
        parts, _ = label(cube)
        inside = len(set(parts[tuple(steps[size == 1].T)]) - {0})
        cube[:] = False
        cube[tuple(steps[~row].T)] = True
        outside = label(cube, np.ones((3, 3, 3)))[1]
        assert answer == (inside == 1 and outside == 1)


def test_smooth_is_a_gaussian_average():
    values = torch.zeros(21, 23, 25)
    values[10, 11, 12] = 1
    got = smooth(values, 1.2)
    assert float(got.sum()) == pytest.approx(1, abs=1e-5)
    x = grid(21)[0][:, 0, 0]
    assert float((got.sum((1, 2)) * x**2).sum()) == pytest.approx(1.2**2, rel=0.05)
    plane = torch.arange(12.0)[:, None, None].expand(12, 9, 9)
    assert torch.allclose(smooth(plane, 0.7)[3:-3], plane[3:-3], atol=1e-5)


def test_close_in_box_cuts_and_leaves_no_flat_faces():
    low, high = torch.tensor([1.5, 2.0, 3.0]), torch.tensor([6.5, 7.0, 8.0])
    mesh = extract(close_in_box(torch.ones(12, 12, 12), torch.zeros(3), 1.0, low, high), torch.zeros(3), 1.0)
    assert mesh.is_closed
    assert float(mesh.face_areas().min()) > 1e-4
    assert torch.allclose(mesh.verts.amin(0), low)
    assert torch.allclose(mesh.verts.amax(0), high)
