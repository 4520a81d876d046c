import math

import pytest
import torch

from invgraph.geometry.templates import icosphere
from invgraph.ops.reference.winding_number import winding_number as reference
from invgraph.ops.winding_number import winding_number


def torus(n=48, m=24, major=1.0, minor=0.4):
    u, v = torch.meshgrid(torch.arange(n), torch.arange(m), indexing="ij")
    a, b = u * (2 * math.pi / n), v * (2 * math.pi / m)
    r = major + minor * b.cos()
    verts = torch.stack([r * a.cos(), r * a.sin(), minor * b.sin()], -1).reshape(-1, 3)
    corner = [((u + i) % n * m + (v + j) % m).reshape(-1) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    faces = torch.cat([torch.stack([corner[k] for k in t], 1) for t in ((0, 1, 2), (0, 2, 3))])
    return verts, faces


def around(n=4000, size=2.0, dtype=torch.float32):
    return (torch.rand(n, 3, dtype=dtype) - 0.5) * 2 * size


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_inside_zero_outside(dtype):
    ball = icosphere(4, dtype=dtype)
    points = around(dtype=dtype)
    r = points.norm(dim=1)
    w = winding_number(points, ball.verts, ball.faces)
    assert w.dtype == dtype
    assert w.shape == (4000,)
    assert (w[r < 0.99] - 1).abs().max() < 0.01
    assert w[r > 1.0].abs().max() < 0.01

    verts, faces = (x.to(dtype) if x.is_floating_point() else x for x in torus())
    inside = (points[:, :2].norm(dim=1) - 1) ** 2 + points[:, 2] ** 2
    w = winding_number(points, verts, faces)
    assert (w[inside < 0.39**2] - 1).abs().max() < 0.01
    assert w[inside > 0.4**2].abs().max() < 0.01


def meshes():
    ball = icosphere(4)
    verts, faces = torus()
    keep = torch.rand(len(faces), generator=torch.Generator().manual_seed(1)) < 0.5
    open_ball = ball.faces[(ball.verts[ball.faces].mean(1)[:, 2] > 0)]
    flipped = torch.where((torch.arange(len(faces)) % 3 == 0)[:, None], faces.flip(1), faces)
    return {
        "closed": (ball.verts, ball.faces),
        "open hemisphere": (ball.verts, open_ball),
        "soup": (verts, faces[keep]),
        "some faces flipped": (verts, flipped),
        "far from the origin": (verts * 1e-2 + 7, faces),
    }


@pytest.mark.parametrize("name", meshes())
def test_agrees_with_exact_sum(name):
    verts, faces = meshes()[name]
    low, high = verts.amin(0), verts.amax(0)
    points = low + (torch.rand(3000, 3) * 2 - 0.5) * (high - low)
    exact = reference(points, verts.double(), faces)
    default = winding_number(points, verts, faces)
    tight = winding_number(points, verts, faces, accuracy=4.0)
    full = winding_number(points, verts, faces, accuracy=math.inf)
    assert (default - exact).abs().max() < 1e-2
    assert (default - exact).abs().mean() < 2e-3
    assert (tight - exact).abs().max() < 1e-3
    assert (full - exact).abs().max() < (1e-4 if name == "far from the origin" else 1e-5)


def test_hemisphere_is_half_at_its_centre_and_orientation_is_sign():
    verts, faces = meshes()["open hemisphere"]
    centre = torch.zeros(1, 3)
    assert winding_number(centre, verts, faces).item() == pytest.approx(0.5, abs=0.03)  # the cut is jagged
    there, back = winding_number(centre, verts, faces), winding_number(centre, verts, faces.flip(1))
    assert torch.allclose(there, -back, atol=1e-3)


def test_a_point_does_not_depend_on_its_company_nor_on_threads():
    verts, faces = torus()
    points = around(5000)
    together = winding_number(points, verts, faces)
    order = torch.randperm(5000)
    assert torch.equal(winding_number(points[order], verts, faces), together[order])
    assert torch.equal(winding_number(points[:7], verts, faces), together[:7])
    threads = torch.get_num_threads()
    torch.set_num_threads(3 if threads != 3 else 2)
    try:
        assert torch.equal(winding_number(points, verts, faces), together)
    finally:
        torch.set_num_threads(threads)


def test_half_on_the_surface():
    verts, faces = torus()
    corners = verts[faces]
    for on in (verts, corners.mean(1), corners[:, :2].mean(1)):  # corners, centroids, middles of edges
        w = winding_number(on, verts, faces)
        assert (w - 0.5).abs().max() < 0.1  # the torus is bent where the point is not inside a face
    assert (winding_number(corners.mean(1), verts, faces) - 0.5).abs().max() < 0.01


def test_degenerate_input():
    verts, faces = torus()
    points = around(50)
    w = winding_number(points, verts, faces)
    slivers = torch.stack([faces[:, 0], faces[:, 0], faces[:, 1]], 1)
    assert (winding_number(points, verts, torch.cat([faces, slivers])) - w).abs().max() < 1e-2
    copies = faces[:1].expand(1000, 3)  # a median split cannot part them
    assert torch.allclose(winding_number(points, verts, copies), 1000 * reference(points, verts, faces[:1]), atol=0.5)
    assert torch.equal(winding_number(points, verts, faces[:0]), torch.zeros(50))
    assert winding_number(points[:0], verts, faces).shape == (0,)
    assert winding_number(torch.full((1, 3), math.nan), verts, faces).isnan().all()
    strided = points.repeat(1, 2)[:, :3]
    assert torch.equal(winding_number(strided, verts, faces), w)


def test_traces_under_compile_and_passes_opcheck():
    verts, faces = torus(12, 6)
    torch.library.opcheck(torch.ops.invgraph.winding_number.default, (around(20), verts, faces, 2.0))


def test_says_what_is_wrong():
    verts, faces = torus(12, 6)
    points = around(5)
    with pytest.raises(ValueError, match=r"points: expected shape \(\*, 3\), got \(5, 2\)"):
        winding_number(points[:, :2], verts, faces)
    with pytest.raises(TypeError, match="points, verts: expected both float32"):
        winding_number(points.double(), verts, faces)
    with pytest.raises(TypeError, match="faces: expected int64"):
        winding_number(points, verts, faces.int())
    with pytest.raises(ValueError, match=r"faces: expected indices in \[0, 72\), got a range of \[0, 72\]"):
        winding_number(points, verts, torch.cat([faces, torch.tensor([[0, 1, 72]])]))
    with pytest.raises(ValueError, match="verts: expected finite"):
        winding_number(points, verts * torch.nan, faces)
    with pytest.raises(ValueError, match="accuracy: expected a number not below 1"):
        winding_number(points, verts, faces, accuracy=0.5)


@pytest.mark.parametrize("accuracy", [2.0, math.inf])
def test_points_however_far_are_outside(accuracy):
    ball = icosphere(2)
    points = torch.tensor([[1e9, 0.0, 1.0], [1e20, 3e19, 1e19], [-3e38, 3e38, 3e38]])
    w = winding_number(points, ball.verts, ball.faces, accuracy=accuracy)
    torch.testing.assert_close(w, torch.zeros(3), atol=1e-6, rtol=0)
