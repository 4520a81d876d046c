import math

import pytest
import torch
from scenes import project, random_soup, two_spheres
from torch.autograd import gradcheck

from invgraph import ops
from invgraph.geometry import Mesh, icosphere
from invgraph.ops import reference

SCALE = math.sqrt(math.log(1e4 - 1)) / math.log(5000)  # of the profile, in units of sqrt(sigma)


def _open_sphere():
    sphere = icosphere(1)
    slant = torch.tensor([0.31, 0.9, 0.17])  # no two edges of the opening on one line in the picture
    return Mesh(sphere.verts, sphere.faces[(sphere.verts[sphere.faces].mean(1) * slant).sum(-1) > 0.1])


SCENES = {
    "one": icosphere(1),
    "overlapping": two_spheres(0.9),
    "intersecting": two_spheres(0.3),
    "open": _open_sphere(),
}


def outline(points, mesh, size, sigma, module=ops, **kwargs):
    topology = mesh.topology
    return module.soft_outline(points, mesh.faces, topology.edges, topology.edge_faces, size, sigma, **kwargs)


def square(half, centre, angle=0.0):
    """Two triangles."""
    c, s = math.cos(angle), math.sin(angle)
    corner = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64) * half
    uv = corner @ torch.tensor([[c, s], [-s, c]], dtype=torch.float64) + torch.tensor(centre, dtype=torch.float64)
    mesh = Mesh(torch.zeros(4, 3), torch.tensor([[0, 1, 2], [0, 2, 3]]))
    return torch.cat([uv, torch.ones(4, 1, dtype=torch.float64)], -1)[None], mesh


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("sigma", [0.5, 4.0, 30.0])
def test_equals_the_twin_with_gradients(name, sigma):
    mesh, size = SCENES[name], (29, 34)
    points = project(mesh, 29, shift=(0.3, 0.0, 0.0)).requires_grad_()  # partly beyond the border
    weight = torch.randn(1, *size, dtype=torch.float64)
    results = []
    for module in (ops, reference):
        alpha = outline(points, mesh, size, sigma, module)
        results.append((alpha, torch.autograd.grad((alpha * weight).sum(), points)[0]))
    for ours, twin in zip(*results):
        torch.testing.assert_close(ours, twin, atol=1e-9, rtol=1e-6)
    assert float(results[0][1].abs().max()) > 0.1


@pytest.mark.parametrize("faces", [6, 20])
def test_a_soup_of_triangles_equals_the_twin(faces):
    """Crossings of all kinds, slivers, holes; every face's every edge is an outline of its own."""
    points, faces = random_soup(faces, 32)
    mesh = Mesh(torch.zeros(len(points[0]), 3), faces)
    points.requires_grad_()
    weight = torch.randn(1, 32, 32, dtype=torch.float64)
    grads = []
    for module in (ops, reference):
        alpha = outline(points, mesh, (32, 32), 3.0, module)
        grads.append(torch.autograd.grad((alpha * weight).sum(), points)[0])
        if module is ops:
            ours = alpha.detach()
    torch.testing.assert_close(ours, alpha.detach(), atol=1e-9, rtol=1e-6)
    torch.testing.assert_close(*grads, atol=1e-8, rtol=1e-5)


@pytest.mark.parametrize("name", ["overlapping", "intersecting"])
def test_gradcheck(name):
    mesh = SCENES[name]
    points = project(mesh, 20).requires_grad_()
    assert gradcheck(lambda p: outline(p, mesh, (20, 20), 2.0), points, atol=1e-5, eps=1e-7)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 16.0, 400.0])
def test_half_on_the_outline(sigma):
    """A pixel centre exactly on the outline has alpha 1/2: on a side, a corner, or where many faces meet."""
    points, mesh = square(10.0, (20.5, 20.5))  # sides through pixel centres
    alpha = outline(points, mesh, (41, 41), sigma)[0]
    for row, column in ((10, 20), (30, 20), (20, 10), (20, 30), (10, 10), (30, 30), (15, 10)):
        assert float(alpha[row, column]) == pytest.approx(0.5, abs=1e-12)
    # a fan of 200 faces around a corner that lies on a pixel's centre
    turn = torch.linspace(0.3, 0.3 + 0.6 * 2 * math.pi, 201, dtype=torch.float64)
    rim = torch.stack([20.5 + 12 * turn.cos(), 20.5 + 12 * turn.sin()], -1)
    uv = torch.cat([torch.tensor([[20.5, 20.5]], dtype=torch.float64), rim])
    index = torch.arange(1, 201)
    fan = Mesh(torch.zeros(202, 3), torch.stack([torch.zeros_like(index), index, index + 1], -1))
    points = torch.cat([uv, torch.ones(202, 1, dtype=torch.float64)], -1)[None]
    assert float(outline(points, fan, (41, 41), sigma)[0, 20, 20]) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("sigma", [0.5, 4.0, 16.0])
def test_a_limb_in_front_of_the_body_adds_no_outline(sigma):
    """Alpha of two overlapping shapes is that of their union: the limb's edges within the body do not count."""
    body, mesh = square(12.0, (20.3, 20.1))
    limb, _ = square(5.0, (33.7, 21.2), 0.4)
    limb[..., 2] = 0.5
    both = Mesh(torch.zeros(8, 3), torch.cat([mesh.faces, mesh.faces + 4]))
    alpha = outline(torch.cat([body, limb], 1), both, (48, 48), sigma)[0]
    alone = outline(body, mesh, (48, 48), sigma)[0]
    torch.testing.assert_close(alpha[:, :16], alone[:, :16])  # where the body's other sides are nearer
    step = SCALE * math.sqrt(sigma)
    assert float(alpha[21, 31]) > 1 - 0.5 * math.exp(-3.0 / step)  # where the limb leaves the body: 3 px inside both
    # along the row through the limb alpha leaves 1/2 once, at the limb's end
    row = alpha[21] - 0.5
    assert int((row[:-1].sign() != row[1:].sign()).sum()) == 2


@pytest.mark.parametrize("distance", [-6.0, -1.0, 1e-9, 1.0, 6.0])
def test_profile_and_gradient_reach_several_pixels_on_both_sides(distance):
    sigma = 9.0
    scale = SCALE * math.sqrt(sigma)
    points, mesh = square(20.0, (30.0 + 0.5 - distance, 30.5))  # left side at 10.5 - distance
    points.requires_grad_()
    alpha = outline(points, mesh, (61, 61), sigma)[0, 30, 10]
    tail = 0.5 * math.exp(-abs(distance) / scale)
    assert float(alpha.detach()) == pytest.approx(1 - tail if distance > 0 else tail, abs=1e-12)
    (grad,) = torch.autograd.grad(alpha, points)
    assert float(grad[0, [0, 3], 0].sum()) == pytest.approx(-tail / scale)  # the left side moving right uncovers
    assert float(grad[0, [1, 2]].abs().sum()) == 0
    assert float(grad[..., 2].abs().sum()) == 0


def test_empty_full_and_undrawn():
    points, mesh = square(500.0, (8.0, 8.0))
    assert torch.equal(outline(points, mesh, (16, 16), 4.0), torch.ones(1, 16, 16, dtype=torch.float64))
    far, _ = square(5.0, (500.0, 8.0))
    behind = points.clone()
    behind[..., 2] = -1
    not_a_number = points.clone()
    not_a_number[0, 0, 0] = math.nan
    not_a_number[0, 2, 1] = math.inf
    flat, _ = square(0.0, (8.0, 8.0))
    for hidden in (far, behind, not_a_number, flat):
        hidden = hidden.requires_grad_()
        alpha = outline(hidden, mesh, (16, 16), 4.0)
        assert float(alpha.detach().abs().max()) == 0
        alpha.sum().backward()
        assert float(hidden.grad.abs().max()) == 0
    none = Mesh(torch.zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64))
    assert outline(torch.zeros(2, 0, 3), none, (3, 4), 1.0).shape == (2, 3, 4)
    assert outline(torch.zeros(0, 4, 3), mesh, (3, 4), 1.0).shape == (0, 3, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sigma", [1e-30, 1e30])
def test_extreme_sigma_and_coordinates_stay_finite(dtype, sigma):
    points, faces = random_soup(40, 20, dtype)
    points[0, ::7] *= 1e10
    points[0, 1::9, :2] = points[0, ::9, :2][: len(points[0, 1::9])]  # slivers and repeated corners
    mesh = Mesh(torch.zeros(len(points[0]), 3), faces)
    points.requires_grad_()
    alpha = outline(points, mesh, (20, 33), sigma)
    assert bool(((alpha >= 0) & (alpha <= 1)).all())
    (grad,) = torch.autograd.grad(alpha.sum(), points)
    assert bool(grad.isfinite().all())


def test_the_image_border_is_no_outline():
    """What lies beyond the border counts as it would in a larger image."""
    mesh = SCENES["overlapping"]
    points = project(mesh, 60)
    large = outline(points, mesh, (60, 60), 20.0)
    moved = points - torch.tensor([20.0, 15.0, 0.0], dtype=torch.float64)
    small = outline(moved, mesh, (30, 25), 20.0)
    torch.testing.assert_close(small, large[:, 15:45, 20:45], atol=1e-9, rtol=1e-9)


def test_cracks_between_faces_are_filled():
    """Faces torn apart by rounding have no outline between them, but for cracks that begin at the outline's pixels."""
    sphere = icosphere(2)
    points = project(sphere, 64)
    corners = points[0][sphere.faces].reshape(-1, 3)
    torn = corners + 1e-4 * torch.randn(corners.shape, dtype=torch.float64)
    soup = Mesh(torch.zeros(len(torn), 3), torch.arange(len(torn)).reshape(-1, 3))
    whole, alpha = (outline(p, m, (64, 64), 4.0) for p, m in ((points, sphere), (torn[None], soup)))
    torch.testing.assert_close(alpha[whole < 0.5], whole[whole < 0.5], atol=1e-3, rtol=0)
    shallower = math.exp(math.sqrt(2) / (SCALE * 2))  # a crack reaches no deeper than a cell's diagonal
    assert bool((1 - alpha <= (1 - whole).clamp_min(1e-4) * shallower)[whole > 0.5].all())


def test_outlines_that_coincide_but_for_rounding():
    """The same square twice, its sides divided differently: neither may hide the other's outline."""

    def divided(pieces, angle, depth):
        along = torch.linspace(-1, 1, pieces + 1, dtype=torch.float64)[:-1]
        one = torch.ones_like(along)
        sides = [(along, -one), (one, along), (-along, one), (-one, -along)]
        ring = 70 * torch.cat([torch.stack(side, -1) for side in sides])
        c, s = math.cos(angle), math.sin(angle)
        uv = torch.cat([ring, ring.new_zeros(1, 2)]) @ torch.tensor([[c, s], [-s, c]], dtype=torch.float64) + 128.1
        index = torch.arange(4 * pieces)
        faces = torch.stack([torch.full_like(index, 4 * pieces), index, index.roll(-1)], -1)
        return torch.cat([uv, torch.full_like(uv[:, :1], depth)], -1).float(), faces

    for step in range(12):
        (a, a_faces), (b, b_faces) = divided(3, 0.01 + 0.131 * step, 1.0), divided(5, 0.01 + 0.131 * step, 2.0)
        one = Mesh(torch.zeros(len(a), 3), a_faces)
        both = Mesh(torch.zeros(len(a) + len(b), 3), torch.cat([a_faces, b_faces + len(a)]))
        alone = outline(a[None], one, (256, 256), 4.0)
        torch.testing.assert_close(outline(torch.cat([a, b])[None], both, (256, 256), 4.0), alone, atol=1e-3, rtol=0)


def test_order_of_faces_and_translation():
    mesh = SCENES["overlapping"]
    points = project(mesh, 50)
    alpha = outline(points, mesh, (50, 50), 5.0)
    shuffled = Mesh(mesh.verts, mesh.faces[torch.randperm(mesh.num_faces)])
    torch.testing.assert_close(outline(points, shuffled, (50, 50), 5.0), alpha, atol=1e-12, rtol=0)
    moved = points + torch.tensor([3.0, -2.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(
        outline(moved, mesh, (50, 50), 5.0)[:, 5:40, 10:40], alpha[:, 7:42, 7:37], atol=1e-9, rtol=0
    )


def test_packed_images_equal_the_shared_ones():
    mesh = SCENES["overlapping"]
    one, two = project(mesh, 30)[0], project(mesh, 30, shift=(0.2, 0.1, 0.0))[0]
    shared = outline(torch.stack([one, two]), mesh, (30, 30), 4.0)
    count, verts = mesh.num_faces, mesh.num_verts
    both = Mesh(torch.zeros(2 * verts, 3), torch.cat([mesh.faces, mesh.faces + verts]))
    ranges = torch.tensor([[0, count], [count, 2 * count]])
    points = torch.cat([one, two]).requires_grad_()
    packed = outline(points, both, (30, 30), 4.0, ranges=ranges)
    assert torch.equal(packed, shared)
    packed.square().sum().backward()
    alone = two.clone().requires_grad_()
    outline(alone[None], mesh, (30, 30), 4.0).square().sum().backward()
    torch.testing.assert_close(points.grad[verts:], alone.grad)


def test_same_bytes_for_any_number_of_threads_and_a_given_depth():
    sphere = icosphere(4)
    points = torch.cat([project(sphere, 150), project(sphere, 150, shift=(0.3, 0, 0))]).float().requires_grad_()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            depth = ops.rasterize(points, sphere.faces, (150, 150)).depth if threads == 3 else None
            alpha = outline(points, sphere, (150, 150), 4.0, depth=depth)
            results.append((alpha, torch.autograd.grad(alpha.square().sum(), points)[0]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_float32_agrees_with_float64():
    sphere = icosphere(5)
    points = project(sphere, 200)
    double, single = (outline(points.to(t), sphere, (200, 200), 4.0).double() for t in (torch.float64, torch.float32))
    assert float((double - single).abs().max()) < 1e-4


def test_wrong_arguments_are_named():
    points, mesh = square(5.0, (8.0, 8.0))
    edges, edge_faces = mesh.topology.edges, mesh.topology.edge_faces
    with pytest.raises(ValueError, match="sigma"):
        ops.soft_outline(points, mesh.faces, edges, edge_faces, (16, 16), 0.0)
    with pytest.raises(ValueError, match="edge_faces"):
        ops.soft_outline(points, mesh.faces, edges, edge_faces[:2], (16, 16), 1.0)
    with pytest.raises(ValueError, match="edges: expected indices within"):
        ops.soft_outline(points, mesh.faces, edges + 9, edge_faces, (16, 16), 1.0)
    with pytest.raises(ValueError, match="depth"):
        ops.soft_outline(points, mesh.faces, edges, edge_faces, (16, 16), 1.0, depth=torch.ones(1, 4, 4))
    leaf = points.clone().requires_grad_()
    alpha = ops.soft_outline(leaf, mesh.faces, edges, edge_faces, (16, 16), 1.0)
    (grad,) = torch.autograd.grad(alpha.sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="once"):
        grad.sum().backward()
