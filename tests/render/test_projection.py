"""What rays in float64 say of the drawing: depth, face and barycentrics, for both projections, cut or not."""

import math

import pytest
import torch

import invgraph as ig
from invgraph.geometry import Mesh, icosphere
from invgraph.render.backends import native
from invgraph.render.projection import project

SIZE = (48, 70)
OFF_CENTRE = torch.tensor([[0.0, 0.4, 5.3], [0, 0, -3.1], [0, 0, 0]], dtype=torch.float64)  # and skew


def cameras(projection, count=2):
    eyes = torch.tensor([[0.3, -0.5, -3.0], [2.5, 1.0, 1.5], [-2.0, 2.0, 2.0]][:count], dtype=torch.float64)
    if projection == "perspective":
        rig = ig.Cameras.look_at(eyes, [0, 0, 0], [0, 1, 0], 45, SIZE)
    else:
        rig = ig.Cameras.orthographic(eyes, [0, 0, 0], [0, 1, 0], 2.4, SIZE)
    return ig.Cameras(rig.R, rig.t, rig.K + OFF_CENTRE, SIZE, rig.projection)


def rays(cameras):
    """Origin and direction (N, H, W, 3) in the world of each pixel centre's ray; one unit along it is one of depth."""
    rows, columns = (torch.arange(n, dtype=torch.float64) + 0.5 for n in cameras.image_size)
    v, u = torch.meshgrid(rows, columns, indexing="ij")
    pixel = torch.stack([u, v, torch.ones_like(u)], -1)
    xy1 = torch.einsum("nij,hwj->nhwi", torch.linalg.inv(cameras.K), pixel)
    flat, forward = xy1 * torch.tensor([1.0, 1, 0]), torch.tensor([0.0, 0, 1]).double().expand(xy1.shape)
    start, along = (torch.zeros_like(xy1), xy1) if cameras.is_perspective else (flat, forward)
    to_world = cameras.R.mT[:, None, None]
    origin = (to_world @ (start - cameras.t[:, None, None])[..., None])[..., 0]
    return origin, (to_world @ along[..., None])[..., 0]


def hit(mesh, origin, direction, face):
    """Depth and barycentrics of rays on the planes of given faces: o + z d = a + p (b - a) + q (c - a)."""
    a, b, c = mesh.triangles()[face].unbind(-2)
    system = torch.stack([-direction, b - a, c - a], -1)
    z, p, q = torch.linalg.solve(system, origin - a).unbind(-1)
    return z, torch.stack([1 - p - q, p, q], -1)


def see(mesh, rig, **options):
    projection = project(mesh.verts, mesh.topology, rig, **options)
    return projection.fragments(native.rasterize(projection.points, projection.drawing, rig.image_size, True))


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("cut", [False, True])
def test_depth_and_barycentrics_are_those_of_rays(projection, cut):
    """To 1e-12, over many overlapping triangles, also where planes cut them."""
    g = torch.Generator().manual_seed(4)
    corners = torch.randn(60, 1, 3, generator=g).double() * 0.7 + 0.5 * torch.randn(60, 3, 3, generator=g).double()
    mesh = Mesh(corners.reshape(-1, 3), torch.arange(180).view(60, 3))
    rig = cameras(projection)
    near, far = (2.4, 3.6) if cut else (0.05, math.inf)
    seen = see(mesh, rig, near=near, far=far)
    origin, direction = rays(rig)

    # every face at every pixel, one after the other
    depth, face, weights = torch.full((2, *SIZE), math.inf).double(), torch.full((2, *SIZE), -1), 0
    margin = torch.full((2, *SIZE), math.inf).double()  # how near a pixel is to another answer
    for f in range(60):
        z, w = hit(mesh, origin, direction, torch.full((2, *SIZE), f))
        slack = torch.cat([w, (z - near)[..., None], (far - z)[..., None].clamp(max=1e3)], -1).amin(-1)
        margin = torch.minimum(margin, torch.where(z > 0, slack.abs(), math.inf))
        nearer = (slack > 0) & (z < depth)
        depth, face = torch.where(nearer, z, depth), torch.where(nearer, f, face)
        weights = torch.where(nearer[..., None], w, weights)
    clear = margin > 1e-6
    assert float(clear.double().mean()) > 0.99
    assert float((face >= 0).double().mean()) > 0.3
    assert torch.equal(seen.face_id[clear].long(), face[clear])
    torch.testing.assert_close(seen.depth[clear], depth[clear], atol=1e-12, rtol=1e-12)
    known = clear & (face >= 0)
    torch.testing.assert_close(seen.barycentric[known], weights[known], atol=1e-9, rtol=0)
    assert bool((seen.barycentric[face < 0][clear[face < 0]] == 0).all())


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_gradients_of_depth_and_barycentrics(projection):
    rig = cameras(projection, 1).resize((9, 12))
    verts = torch.tensor([[-1.1, -0.7, 0.3], [1.3, -0.5, -0.5], [0.1, 1.3, -1.6]], dtype=torch.float64)
    mesh = Mesh(verts, torch.tensor([[0, 1, 2]]))
    at = see(mesh, rig, near=1.8).face_id >= 0
    assert int(at.sum()) > 20

    def values(verts, t, K):
        moved = ig.Cameras(rig.R, t, K, rig.image_size, rig.projection)
        seen = see(mesh.with_verts(verts), moved, near=1.8)
        return seen.depth[at], seen.barycentric[at]

    inputs = tuple(x.clone().requires_grad_() for x in (verts, rig.t, rig.K))
    assert torch.autograd.gradcheck(values, inputs, eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("mode", ["hard", "antialias", "soft"])
def test_orthographic_sphere(mode):
    """A disc of the true radius wherever the camera stands, unit depth at its middle, gradient of its area exact."""
    height = 2.5
    for distance in (3.0, 300.0):
        rig = ig.Cameras.orthographic([[distance, 0, 0]], [0, 0.2, 0], [0, 0, 1], height, (64, 96)).to(torch.float64)
        sphere = icosphere(5).to(dtype=torch.float64)
        scale = torch.ones((), dtype=torch.float64, requires_grad=True)
        out = ig.render(
            sphere.with_verts(sphere.verts * scale), rig, mode=mode, sigma=0.05, outputs=("alpha", "depth", "normal")
        )
        pixels = math.pi * (64 / height) ** 2
        assert float(out.alpha.detach().sum()) == pytest.approx(pixels, rel=0.01 if mode != "soft" else 0.03)
        middle = rig.project(torch.zeros(1, 3).double())[0, 0]
        u, v = int(middle[0]), int(middle[1])
        assert float(out.depth[0, v, u].detach()) == pytest.approx(float(middle[2]) - 1, abs=2e-3)
        torch.testing.assert_close(-out.normal[0, v, u], rig.directions[0], atol=0.05, rtol=0)
        if mode == "antialias":
            (grad,) = torch.autograd.grad(out.alpha.sum(), scale)
            assert float(grad) == pytest.approx(2 * pixels, rel=0.01)


def test_orthographic_is_the_limit_of_perspective():
    """From very far through a very long lens the picture is the same, occlusions and outlines included."""
    mesh = icosphere(3).to(dtype=torch.float64)
    far_eye = torch.tensor([1e6, 5e5, -2e6], dtype=torch.float64)
    distance = float(far_eye.norm())
    parallel = ig.Cameras.orthographic([far_eye.tolist()], [0, 0, 0], [0, 1, 0], 2.2, (50, 40)).to(torch.float64)
    K = parallel.K * torch.tensor([[distance, distance, 1], [distance, distance, 1], [1, 1, 1]]).double()
    lens = ig.Cameras(parallel.R, parallel.t, K, (50, 40))
    one, other = (
        ig.render(mesh, rig, outputs=("alpha", "depth", "normal"), near=distance - 2) for rig in (parallel, lens)
    )
    torch.testing.assert_close(one.alpha, other.alpha, atol=1e-4, rtol=0)
    torch.testing.assert_close(one.depth, other.depth, atol=1e-3, rtol=0)


def test_float32_stays_exact_when_vertices_project_far_outside():
    """A triangle whose corners lie 1e7 pixels away covers the right pixels; without guard planes it does not."""
    rig = ig.Cameras.look_at([[0.0, 0, 0]], [0, 0, 1], [0, 1, 0], 60, (64, 64))
    verts = torch.tensor([[-3e5, -2e5, 1e5], [3e5, 2e5, 1e5 + 1.3], [-3e5, 3e5, 1e5]], dtype=torch.float64)
    verts = (verts - torch.tensor([0.02, 0.01, 1e5 - 1])).float().double()
    mesh = Mesh(verts, torch.tensor([[0, 1, 2]]))
    exact = ig.render(mesh, rig.to(torch.float64), near=0.1, outputs=("alpha", "depth"))
    rough = ig.render(mesh.to(dtype=torch.float32), rig, near=0.1, outputs=("alpha", "depth"))
    assert 0.2 < float(exact.alpha.mean()) < 0.8
    torch.testing.assert_close(rough.alpha.double(), exact.alpha, atol=2e-3, rtol=0)
    verts = mesh.verts.float()
    uncut = project(verts, mesh.topology, rig, near=0.1, reach=1e20)  # no guard planes
    seen = native.rasterize(uncut.points, uncut.drawing, (64, 64), False)
    alpha = native.alpha("antialias", 1.0, uncut.points, uncut.drawing, (64, 64), seen)
    assert float((alpha - exact.alpha).abs().max()) > 0.1


def test_soft_silhouettes_do_not_see_the_guard():
    """Where vertices lie 1e6 pixels away: alpha and its gradient as in float64, which needs no guard."""
    rig = ig.Cameras.look_at([[0.0, 0, 0]], [0, 0, 1], [0, 1, 0], 60, (40, 40))
    verts = torch.tensor([[-3e4, -0.1, 1.0], [3e4, 0.15, 1.0], [3e4, 3e4, 1.0]], dtype=torch.float64)
    faces, results = torch.tensor([[0, 1, 2]]), []
    for dtype in (torch.float64, torch.float32):
        v = verts.detach().to(dtype, copy=True).requires_grad_()
        alpha = ig.render(Mesh(v, faces), rig.to(dtype), near=0.1, mode="soft", sigma=20.0).alpha
        alpha[..., :20].sum().backward()
        results.append((alpha.detach().double(), v.grad.double()))
    torch.testing.assert_close(results[1][0], results[0][0], atol=5e-3, rtol=0)
    torch.testing.assert_close(results[1][1], results[0][1], rtol=2e-2, atol=1e-4)


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("axis", [0, 2])
def test_faces_with_a_vertex_that_is_not_finite_are_left_out(projection, value, axis):
    sphere, rig = icosphere(2).to(dtype=torch.float64), cameras(projection)
    verts = sphere.verts.clone()
    verts[7, axis] = value
    keep = (sphere.faces != 7).all(1)
    names = ("alpha", "depth", "face_id")
    expected = ig.render(Mesh(sphere.verts, sphere.faces[keep]), rig, outputs=names, near=0.01)
    verts.requires_grad_()
    K = rig.K.clone().requires_grad_()
    out = ig.render(sphere.with_verts(verts), ig.Cameras(rig.R, rig.t, K, SIZE, projection), outputs=names, near=0.01)
    torch.testing.assert_close(out.alpha, expected.alpha)
    torch.testing.assert_close(out.depth, expected.depth)
    assert torch.equal(out.face_id >= 0, expected.face_id >= 0)
    assert not bool((out.face_id[..., None] == (~keep).nonzero()[:, 0]).any())
    (out.alpha.sum() + out.depth.sum()).backward()
    assert bool((verts.grad[7] == 0).all())
    assert bool(verts.grad.isfinite().all())
    assert bool(K.grad.isfinite().all())


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_nothing_to_draw(projection):
    sphere, rig = icosphere(1).to(dtype=torch.float64), cameras(projection)
    none = Mesh(torch.zeros(0, 3).double(), torch.zeros(0, 3, dtype=torch.int64))
    behind = sphere.with_verts(sphere.verts - 50 * rig.directions[0])
    for mesh, some in ((none, rig), (behind, rig[:1]), (sphere, rig[:0])):
        for mode in ("antialias", "soft", "hard"):
            out = ig.render(mesh, some, mode=mode, outputs=("alpha", "depth", "normal", "face_id"))
            assert out.alpha.shape == (len(some), *SIZE)
            assert float(out.alpha.sum()) == float(out.depth.sum()) == float(out.normal.sum()) == 0
            assert bool((out.face_id == -1).all())


def test_packed_meshes_of_several_images():
    """Two meshes in one list of points draw what each draws alone, cut or not."""
    rig = cameras("orthographic")
    meshes = [icosphere(2).to(dtype=torch.float64), icosphere(1).to(dtype=torch.float64)]
    verts = torch.cat([m.verts for m in meshes])
    both = Mesh(verts, torch.cat([meshes[0].faces, meshes[1].faces + meshes[0].num_verts]))
    ends = torch.tensor([[0, meshes[0].num_faces], [meshes[0].num_faces, both.num_faces]])
    for near in (0.0, 2.9):
        projection = project(verts, both.topology, rig, near=near, ranges=ends)
        raw = native.rasterize(projection.points, projection.drawing, SIZE, True)
        seen = projection.fragments(raw)
        for n, mesh in enumerate(meshes):
            alone = see(mesh, rig[n], near=near)
            assert torch.equal(seen.face_id[n], alone.face_id[0])
            torch.testing.assert_close(seen.barycentric[n], alone.barycentric[0])
            torch.testing.assert_close(seen.depth[n], alone.depth[0])
