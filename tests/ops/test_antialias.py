import math

import pytest
import torch
from scenes import project, two_spheres
from torch.autograd import gradcheck

from invgraph import ops
from invgraph.geometry import Mesh, icosphere
from invgraph.ops import reference

SCENES = {
    "one": icosphere(1),
    "overlapping": two_spheres(0.9),
    "intersecting": two_spheres(0.3),
    "open": Mesh(icosphere(1).verts, icosphere(1).faces[icosphere(1).verts[icosphere(1).faces].mean(1)[:, 1] > 0.1]),
}


def coverage(points, mesh, size, image=None, module=ops):
    face_id, _, depth = ops.rasterize(points, mesh.faces, size)
    if image is None:
        image = (face_id >= 0).to(points.dtype)[..., None]
    topology = mesh.topology
    return module.antialias(image, depth, points, mesh.faces, topology.edges, topology.edge_faces)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [(19, 24), (50, 61)])
def test_equals_the_twin_with_gradients(name, size):
    mesh = SCENES[name]
    points = project(mesh, min(size)).requires_grad_()
    image = torch.rand(1, *size, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(1, *size, 3, dtype=torch.float64)
    results = []
    for module in (ops, reference):
        out = coverage(points, mesh, size, image, module)
        results.append((out, *torch.autograd.grad((out * weight).sum(), (points, image))))
    for ours, twin in zip(*results):
        torch.testing.assert_close(ours, twin, atol=1e-9, rtol=1e-7)
    assert float((results[0][0] - image).detach().abs().max()) > 0.1  # edges inside the picture are blended too


def test_no_image_is_the_mask():
    """Alone, of a batch under vmap, and compiled, to the byte what an explicit mask gives."""
    mesh, size, topology = SCENES["overlapping"], (33, 40), SCENES["overlapping"].topology
    points = torch.stack([project(mesh, 33, shift=(0.1 * k, 0, 0)) for k in range(2)])  # (2, 1, V, 3)
    edges = topology.edges, topology.edge_faces

    def mask(points):
        depth = ops.rasterize(points, mesh.faces, size, barycentric=False).depth
        return ops.antialias(None, depth, points, mesh.faces, *edges)

    def gradient(points, f):
        points = points.detach().requires_grad_()
        (f(points) * torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]).sum().backward()
        return points.grad

    for one in points:
        assert torch.equal(mask(one), coverage(one, mesh, size))
        assert torch.equal(gradient(one, mask), gradient(one, lambda p: coverage(p, mesh, size)))
        assert torch.equal(gradient(one, torch.compile(mask, fullgraph=True, backend="aot_eager")), gradient(one, mask))
    assert torch.equal(torch.func.vmap(mask)(points), torch.stack([mask(one) for one in points]))
    apart = torch.stack([gradient(one, mask) for one in points])
    assert torch.equal(gradient(points, torch.func.vmap(mask)), apart)
    with pytest.raises(ValueError, match="depth: expected 1 images"):
        ops.antialias(None, torch.ones(2, *size, dtype=torch.float64), points[0], mesh.faces, *edges)
    with pytest.raises(ValueError, match=r"depth: expected shape \(B, H, W\)"):
        ops.antialias(None, torch.ones(*size, dtype=torch.float64), points[0], mesh.faces, *edges)


@pytest.mark.parametrize("name", ["overlapping", "intersecting"])
def test_gradcheck(name):
    mesh = SCENES[name]
    points = project(mesh, 20).requires_grad_()
    assert gradcheck(lambda p: coverage(p, mesh, (20, 20)), points, atol=1e-5, eps=1e-7)


@pytest.mark.parametrize("name", SCENES)
def test_gradient_of_the_area_is_that_of_the_true_outline(name):
    """d(sum of alpha) against central differences of steps of a pixel's fraction, which cross many pixel centres."""
    mesh = SCENES[name]
    size = (96, 96)
    points = project(mesh, 96).requires_grad_()
    (grad,) = torch.autograd.grad(coverage(points, mesh, size).sum(), points)
    generator = torch.Generator().manual_seed(3)
    for _ in range(6):  # smooth motions of the whole picture: scale, shear, bend
        A = torch.randn(2, 2, generator=generator, dtype=torch.float64)
        bend = torch.randn(2, generator=generator, dtype=torch.float64)
        uv = points[0, :, :2].detach() / 48 - 1
        direction = torch.zeros_like(points[0])
        direction[:, :2] = uv @ A + torch.sin(3 * uv) * bend
        with torch.no_grad():
            area = [float(coverage(points + h * direction, mesh, size).sum()) for h in (-2.0, 2.0)]
        difference = (area[1] - area[0]) / 4
        analytic = float((grad[0] * direction).sum())
        scale = float((grad[0].abs() * direction.abs()).sum())
        assert abs(analytic - difference) < 0.02 * scale


def test_area_of_a_disc_and_of_slanted_squares():
    """The sum of alpha is the area: a sphere's disc with faces far smaller than pixels, and polygons at any angle."""
    for level, size in ((3, 64), (6, 64)):
        sphere = icosphere(level)
        points = torch.cat([sphere.verts.double()[:, :2] * 24 + 31.7, sphere.verts.double()[:, 2:] + 5], -1)[None]
        uv = points[0, :, :2] - 31.7
        hull = uv[uv.norm(dim=-1) > 23.0]
        assert len(hull) > 10
        area = float(coverage(points, sphere, (size, size)).sum())
        expected = math.pi * 24**2
        assert area == pytest.approx(expected, rel=2e-2 if level == 3 else 2e-3)
    square = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64) * 20
    mesh = Mesh(torch.zeros(4, 3), torch.tensor([[0, 1, 2], [0, 2, 3]]))
    for angle in torch.linspace(0, 1.5, 12, dtype=torch.float64):
        c, s = math.cos(angle), math.sin(angle)
        uv = square @ torch.tensor([[c, s], [-s, c]], dtype=torch.float64) + 32.3
        points = torch.cat([uv, torch.ones(4, 1, dtype=torch.float64)], -1)[None]
        assert float(coverage(points, mesh, (64, 64)).sum()) == pytest.approx(1600, abs=2.0)


def test_values_stay_between_those_of_the_image():
    """Also on specks and spikes of about a pixel, where blends from all four sides meet."""
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(80, 3, 2, generator=generator, dtype=torch.float64) * 2.2
    uv = (corner + torch.rand(80, 1, 2, generator=generator, dtype=torch.float64) * 40).reshape(-1, 2)
    points = torch.cat([uv, torch.ones(240, 1, dtype=torch.float64)], -1)[None]
    mesh = Mesh(torch.zeros(240, 3), torch.arange(240).reshape(80, 3))
    alpha = coverage(points, mesh, (42, 42))
    assert float(alpha.min()) >= 0
    assert float(alpha.max()) <= 1


def test_packed_images_equal_the_shared_ones():
    mesh = SCENES["overlapping"]
    one, two = project(mesh, 30)[0], project(mesh, 30, shift=(0.2, 0.1, 0.0))[0]
    shared = coverage(torch.stack([one, two]), mesh, (30, 30))
    count, verts = mesh.num_faces, mesh.num_verts
    both = Mesh(torch.zeros(2 * verts, 3), torch.cat([mesh.faces, mesh.faces + verts]))
    ranges = torch.tensor([[0, count], [count, 2 * count]])
    points = torch.cat([one, two]).requires_grad_()
    face_id, _, depth = ops.rasterize(points, both.faces, (30, 30), ranges=ranges)
    image = (face_id >= 0).double()[..., None]
    topology = both.topology
    packed = ops.antialias(image, depth, points, both.faces, topology.edges, topology.edge_faces, ranges=ranges)
    assert torch.equal(packed, shared)
    packed.square().sum().backward()
    alone = two.clone().requires_grad_()
    coverage(alone[None], mesh, (30, 30)).square().sum().backward()
    torch.testing.assert_close(points.grad[verts:], alone.grad)


def test_same_bytes_for_any_number_of_threads():
    sphere = icosphere(4)
    points = torch.cat([project(sphere, 150), project(sphere, 150, shift=(0.3, 0, 0))]).float().requires_grad_()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            alpha = coverage(points, sphere, (150, 150))
            results.append((alpha, torch.autograd.grad(alpha.square().sum(), points)[0]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_no_gradient_where_the_object_leaves_the_image():
    """The image's border is not an outline."""
    sphere = icosphere(3)
    points = project(sphere, 40, scale=2.0).requires_grad_()
    alpha = coverage(points, sphere, (40, 40))
    assert bool((alpha == 1).all())
    alpha.sum().backward()
    assert float(points.grad.abs().max()) == 0


def test_images_that_draw_parts_of_one_mesh_see_each_part_alone():
    """An edge between faces of two images is an outline of both; with a face that no image draws, of the other."""
    mesh = icosphere(2)
    points, topology = project(mesh, 40)[0], mesh.topology
    half = len(mesh.faces) // 2
    for ranges in ([[0, half], [half, 2 * half]], [[20, half - 9], [half, 2 * half - 30]]):
        cuts = torch.tensor(ranges)
        face_id, _, depth = ops.rasterize(points, mesh.faces, (40, 40), ranges=cuts)
        image = (face_id >= 0).double()[..., None]
        together = ops.antialias(image, depth, points, mesh.faces, topology.edges, topology.edge_faces, ranges=cuts)
        for i, (first, end) in enumerate(ranges):
            alone = coverage(points[None], Mesh(mesh.verts, mesh.faces[first:end]), (40, 40))
            torch.testing.assert_close(together[i], alone[0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("far", [(1e16, 20.0, 2.0), (-30.0, 20.0, math.inf)])
def test_a_face_that_is_not_drawn_hides_no_outline(far):
    points = torch.tensor([[[10.2, 5.0, 2.0], [10.4, 30.0, 2.0], [30.0, 20.0, 2.0], far]])
    both = Mesh(torch.zeros(4, 3), torch.tensor([[0, 1, 2], [1, 0, 3]]))
    one = Mesh(torch.zeros(4, 3), both.faces[:1])
    torch.testing.assert_close(coverage(points, both, (40, 40)), coverage(points, one, (40, 40)), atol=0, rtol=0)
