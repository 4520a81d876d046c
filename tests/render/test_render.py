import math

import pytest
import torch

import invgraph as ig
from invgraph.geometry import Mesh, icosphere

# non-square, off-centre principal point
CAMERAS = ig.Cameras.look_at([[0.3, -0.5, -3.0], [2.5, 1.0, 1.5]], [0, 0, 0], [0, 1, 0], 40, (60, 80))
CAMERAS = ig.Cameras(
    CAMERAS.R.double(),
    CAMERAS.t.double(),
    CAMERAS.K.double() + torch.tensor([[0.0, 0, 6.3], [0, 0, -4.1], [0, 0, 0]]),
    (60, 80),
)
SPHERE = icosphere(4).to(dtype=torch.float64)


def ray_traced_sphere(cameras, offset=(0.5, 0.5)):
    """Depth and normal of the unit sphere through each pixel's point, in closed form."""
    height, width = cameras.image_size
    v, u = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) + offset[1],
        torch.arange(width, dtype=torch.float64) + offset[0],
        indexing="ij",
    )
    rays = torch.stack([u, v, torch.ones_like(u)], -1)  # (H, W, 3)
    d = torch.einsum("nij,hwj->nhwi", cameras.R.mT @ torch.linalg.inv(cameras.K), rays)
    o = cameras.centers[:, None, None]
    a, b, c = (d * d).sum(-1), (d * o).sum(-1), (o * o).sum(-1) - 1
    disc = b * b - a * c
    z = (-b - disc.clamp_min(0).sqrt()) / a
    return disc > 0, z, o + z[..., None] * d


@pytest.mark.parametrize("mode", ["hard", "antialias", "soft"])
def test_sphere_against_rays(mode):
    """In the right place, at the right depth, with outward world normals, whatever the camera."""
    out = ig.render(SPHERE, CAMERAS, mode=mode, sigma=0.05, outputs=("alpha", "depth", "normal", "face_id"))
    hit, depth, normal = ray_traced_sphere(CAMERAS)
    both = hit & (out.face_id >= 0)
    assert float(both.double().sum() / hit.double().sum()) > 0.99
    torch.testing.assert_close(out.depth[both], depth[both], atol=0.03, rtol=0)
    assert float((out.normal[both] * normal[both]).sum(-1).mean()) > 0.999
    assert bool((out.depth[out.face_id < 0] == 0).all())
    fine = torch.stack(
        [
            ray_traced_sphere(CAMERAS, (x, y))[0].double()
            for x in (0.1, 0.3, 0.5, 0.7, 0.9)
            for y in (0.1, 0.3, 0.5, 0.7, 0.9)
        ]
    ).mean(0)
    limit = {"hard": 0.03, "antialias": 0.006, "soft": 0.06}[mode]
    assert float((out.alpha - fine).abs().sum() / fine.sum()) < limit


def test_translating_the_scene_translates_the_image():
    ortho_like = ig.Cameras.look_at([[0, 0, -400.0]], [0, 0, 0], [0, 1, 0], 0.5, (64, 64))
    pixel = 400 / float(ortho_like.K[0, 0, 0])  # one pixel at the object's distance, in world units
    moved = SPHERE.with_verts(
        SPHERE.verts + ortho_like.R[0].mT.double() @ torch.tensor([5.0, -3.0, 0], dtype=torch.float64) * pixel
    )
    a, b = (ig.render(m.to(dtype=torch.float32), ortho_like, mode="antialias").alpha[0] for m in (SPHERE, moved))
    torch.testing.assert_close(b[: 64 - 3, 5:], a[3:, : 64 - 5], atol=2e-2, rtol=0)


def floor(height, extent):
    verts = torch.tensor([[-1.0, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]], dtype=torch.float64) * extent
    return Mesh(verts + torch.tensor([0, height, 0]), torch.tensor([[0, 2, 1], [0, 3, 2]]))


@pytest.mark.parametrize("extent", [10.0, 1e4])
def test_faces_across_the_camera_plane_neither_vanish_nor_explode(extent):
    """A floor under and behind the camera fills the picture up to its far end, with the right depths."""
    camera = ig.Cameras.look_at([[0.0, 0, 0]], [0, 0, 1], [0, 1, 0], 60, (61, 81))
    camera = camera.to(torch.float64)
    down = float((camera.R[0] @ torch.tensor([0.0, 1, 0], dtype=torch.float64))[1])  # world +y in the image: -1 is up
    mesh = floor(1.0 * down, extent)
    out = ig.render(mesh, camera, mode="antialias", outputs=("alpha", "depth", "face_id"), near=0.01)
    focal = float(camera.K[0, 1, 1])
    v = torch.arange(61, dtype=torch.float64) + 0.5 - 30.5
    expected = torch.where(v > 0, focal / v.clamp_min(1e-9), torch.inf)  # z of the floor one unit below
    seen = expected < extent * 0.98
    column = out.depth[0, :, 40]
    torch.testing.assert_close(column[seen], expected[seen], rtol=1e-6, atol=0)
    assert bool((out.alpha[0][v < -0.6] == 0).all())  # above the horizon
    assert bool((out.alpha[0][seen] == 1).all())


def test_camera_inside_a_closed_mesh_sees_it_everywhere():
    inside = ig.Cameras.look_at([[0.2, 0.1, -0.3]], [0, 0, 1], [0, 1, 0], 100, (40, 40)).to(torch.float64)
    out = ig.render(SPHERE, inside, outputs=("alpha", "depth"), mode="hard")
    assert bool((out.alpha == 1).all())
    assert float(out.depth.max()) < 1.4


def test_gradient_through_clipping():
    """Finite differences of depth and of a soft silhouette where an edge is cut by the near plane."""
    camera = ig.Cameras.look_at([[0.0, 0, 0]], [0, 0, 1], [0, 1, 0], 60, (12, 12)).to(torch.float64)
    verts = torch.tensor([[-1.0, -0.4, 4], [1.2, -0.3, 3], [0.1, 0.5, -0.6]], dtype=torch.float64, requires_grad=True)
    faces = torch.tensor([[0, 1, 2]])
    seen = ig.render(Mesh(verts, faces), camera, near=0.2, mode="hard").alpha > 0
    assert int(seen.sum()) > 20

    def pictures(v):
        depth = ig.render(Mesh(v, faces), camera, near=0.2, mode="hard", outputs=("depth",)).depth[seen]
        soft = ig.render(Mesh(v, faces), camera, near=0.2, mode="soft", sigma=3.0).alpha
        return depth, soft

    # soft silhouettes leave out faces below a small probability: a step of 1e-4, so a coarse tolerance
    assert torch.autograd.gradcheck(lambda v: pictures(v)[0], verts, atol=1e-5)
    (grad,) = torch.autograd.grad(pictures(verts)[1].sum(), verts)
    direction = torch.randn_like(verts)
    with torch.no_grad():
        change = [float(pictures(verts + h * direction)[1].sum()) for h in (-1e-3, 1e-3)]
    assert float((grad * direction).sum()) == pytest.approx((change[1] - change[0]) / 2e-3, rel=1e-2)


def test_gradient_reaches_the_cameras():
    K = CAMERAS.K.clone().requires_grad_()
    t = CAMERAS.t.clone().requires_grad_()
    cameras = ig.Cameras(CAMERAS.R, t, K, CAMERAS.image_size)
    ig.render(SPHERE, cameras).alpha.sum().backward()
    # the disc's area grows as fx * fy and shrinks with the distance
    area = ig.render(SPHERE, CAMERAS).alpha.sum((1, 2))
    fx = CAMERAS.K[:, 0, 0]
    torch.testing.assert_close(K.grad[:, 0, 0], area / fx, rtol=0.05, atol=0)
    assert bool((t.grad[:, 2] < 0).all())


def test_a_mesh_posed_for_each_camera():
    posed = SPHERE.with_verts(torch.stack([SPHERE.verts, SPHERE.verts * 0.5]))
    area = ig.render(posed, CAMERAS).alpha.sum((1, 2))
    alone = ig.render(SPHERE.with_verts(SPHERE.verts * 0.5), CAMERAS[1:]).alpha.sum()
    assert math.isclose(float(area[1]), float(alone))
    with pytest.raises(ValueError, match=r"mesh: expected verts \(V, 3\) or \(2, V, 3\)"):
        ig.render(SPHERE.with_verts(SPHERE.verts.expand(3, -1, -1)), CAMERAS)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="mode"):
        ig.render(SPHERE, CAMERAS, mode="smooth")
    with pytest.raises(ValueError, match="outputs"):
        ig.render(SPHERE, CAMERAS, outputs="alpha")
    with pytest.raises(AttributeError, match="depth was not rendered"):
        _ = ig.render(SPHERE, CAMERAS).depth
    with pytest.raises(ValueError, match="near"):
        ig.render(SPHERE, CAMERAS, near=-1.0)


def test_render_is_function_and_room():
    import invgraph.render.clip  # binds the module in the package

    assert invgraph.render.clip.clip is not None
    assert callable(ig.render)
    assert ig.render(SPHERE, CAMERAS[0]).alpha.shape == (1, 60, 80)
