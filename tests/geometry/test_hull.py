import math

import pytest
import torch

from invgraph.cameras import Cameras
from invgraph.data import load_views
from invgraph.errors import InputError
from invgraph.geometry.hull import _prepare, carve_bounds, visual_hull
from invgraph.geometry.hull_distance import outline_distance


def cameras_around(n=24, distance=4.0, size=(96, 120), fov=35.0, center=(0.0, 0.0, 0.0), scale=1.0):
    i = torch.arange(n) + 0.5
    z, turn = 1 - 2 * i / n, i * math.pi * (1 + 5**0.5)
    r = (1 - z * z).sqrt()
    at = torch.tensor(center)
    eye = at + distance * scale * torch.stack([r * turn.cos(), r * turn.sin(), z], 1)
    c = Cameras.look_at(eye, at, (0.1, 0.2, 1.0), fov, size)
    K = c.K.clone()
    K[:, :2, 2] += torch.tensor([5.5, -3.25])
    return Cameras(c.R, c.t, K, size)


def silhouettes(cameras, balls, samples=4):
    """Exact coverage of the image of balls (x, y, z, radius), by samples x samples rays a pixel."""
    H, W = cameras.image_size
    v, u = ((torch.arange(n * samples) + 0.5) / samples for n in (H, W))
    pixel = torch.stack([*torch.meshgrid(u, v, indexing="xy"), torch.ones(H * samples, W * samples)], -1).view(-1, 3)
    rays = pixel @ (cameras.R.mT @ torch.linalg.inv(cameras.K)).mT
    rays = rays / rays.norm(dim=-1, keepdim=True)
    hit = torch.zeros(rays.shape[:2], dtype=torch.bool)
    for *position, radius in balls:
        to = torch.tensor(position) - cameras.centers
        hit |= torch.linalg.cross(rays, to[:, None].expand_as(rays)).norm(dim=-1) < radius
    return hit.view(-1, H, samples, W, samples).float().mean((2, 4))


def volume(balls):
    return sum(4 / 3 * math.pi * r**3 for *_, r in balls)


BALL = [(0.1, -0.2, 0.15, 0.8)]
TWO = [(0.0, 0.0, 0.6, 0.4), (0.0, 0.3, -0.5, 0.3)]


@pytest.mark.parametrize(
    "inside",
    [
        lambda x, y: 20 - torch.hypot(x - 31.3, y - 32.2),
        lambda x, y: 6 - torch.hypot(x - 31.3, y - 32.2),
        lambda x, y: (x - 31.7) * math.cos(0.3) + (y - 32.1) * math.sin(0.3),
        lambda x, y: 31.7 - x,
    ],
    ids=["disk", "small disk", "slanted line", "vertical line"],
)
def test_outline_distance_is_exact_to_a_tenth_of_a_pixel(inside):
    fine = (torch.arange(64 * 8) + 0.5) / 8
    y, x = torch.meshgrid(fine, fine, indexing="ij")
    mask = (inside(x, y) > 0).float().view(64, 8, 64, 8).mean((1, 3))
    centre = torch.arange(64) + 0.5
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    true = inside(x, y)
    got = outline_distance(mask[None])[0]
    error = (got - true)[4:-4, 4:-4]
    near = true.abs()[4:-4, 4:-4] < 2
    assert error[near].square().mean().sqrt() < 0.05
    assert error.abs().max() < 0.4
    hard = outline_distance((mask > 0.5).float()[None])[0]  # all that a binary mask tells is half a pixel
    assert (hard - true)[4:-4, 4:-4].abs().max() < 0.8


def test_outline_distance_without_an_outline():
    distance = outline_distance(torch.stack([torch.zeros(5, 5), torch.ones(5, 5)]))
    assert (distance[0] < -1e6).all()
    assert (distance[1] > 1e6).all()


@pytest.mark.parametrize("balls", [BALL, TWO], ids=["one ball", "two balls"])
def test_hull_of_balls(balls):
    cameras = cameras_around()
    masks = silhouettes(cameras, balls)
    hull = visual_hull(cameras, masks, resolution=64)
    assert hull.is_closed
    assert hull.euler_characteristic == 2 * len(balls)
    assert 0.98 < float(hull.volume()) / volume(balls) < 1.06  # a polyhedron around each ball
    away = torch.stack([(hull.verts - torch.tensor(b[:3])).norm(dim=1) - b[3] for b in balls]).amin(0)
    assert away.min() > -0.015  # a fifth of a pixel: nothing of the object is carved
    # every vertex lies on the outline in one view and inside of it in the others
    exact = visual_hull(cameras, masks, resolution=64, smoothing=0)
    assert _prepare(cameras, masks, None, 1, None, 64)[0](exact.verts).abs().max() < 0.004
    assert float(hull.volume()) == pytest.approx(float(exact.volume()), rel=0.02)

    low, high = carve_bounds(cameras, masks)
    assert (low <= hull.verts.amin(0)).all()
    assert (high >= hull.verts.amax(0)).all()
    assert ((high - low) < 1.2 * (hull.verts.amax(0) - hull.verts.amin(0))).all()


def test_moves_and_scales_with_the_world():
    balls = [(301.0, -102.0, 58.0, 32.0)]
    cameras = cameras_around(center=(300.0, -100.0, 50.0), scale=40.0)
    hull = visual_hull(cameras, silhouettes(cameras, balls), resolution=48)
    assert hull.is_closed
    assert 0.98 < float(hull.volume()) / volume(balls) < 1.06


def test_object_that_leaves_the_image_is_whole():
    cameras = cameras_around(30)
    shifted = cameras.K.clone()
    shifted[::5, 0, 2] -= 45  # every fifth camera cuts the ball
    cropping = Cameras(cameras.R, cameras.t, shifted, cameras.image_size)
    masks = silhouettes(cropping, BALL)
    assert masks[0, :, 0].max() == 1
    whole = visual_hull(cameras, silhouettes(cameras, BALL), resolution=48)
    hull = visual_hull(cropping, masks, resolution=48)
    assert hull.is_closed
    assert hull.euler_characteristic == 2
    assert 0.995 < float(hull.volume() / whole.volume()) < 1.03


def test_no_phantoms_where_few_views_look(shared_data):
    """Real photographs that cut the object off: what only half of the views could deny is not filled."""
    train, _ = load_views(shared_data / "dino", images=False).split(4)
    hull = visual_hull(train.cameras, train.masks, resolution=64)
    assert int(hull.topology.components().max()) == 0
    low, high = hull.bounding_box()
    # the tight box that the data's authors give, and some 8% of its diagonal
    assert (low > torch.tensor([-0.061897, -0.018874, -0.057845]) - 0.012).all()
    assert (high < torch.tensor([0.010897, 0.068227, 0.015495]) + 0.012).all()


def test_unknown_pixels_do_not_carve():
    cameras = cameras_around()
    masks = silhouettes(cameras, BALL)
    true = visual_hull(cameras, masks, resolution=48)
    known = torch.ones_like(masks, dtype=torch.bool)
    known[::4, :, 40:60] = False
    spoilt = masks.where(known, 0.0)
    assert visual_hull(cameras, spoilt, resolution=48).volume() < 0.8 * true.volume()
    hull = visual_hull(cameras, spoilt, known=known, resolution=48)
    assert 0.999 < float(hull.volume() / true.volume()) < 1.05


def test_votes_forgive_a_mask_that_misses_a_part():
    cameras = cameras_around(40)
    masks = silhouettes(cameras, BALL)
    true = visual_hull(cameras, masks, resolution=48)
    masks[3, :, 60:] = 0
    assert visual_hull(cameras, masks, resolution=48).volume() < 0.9 * true.volume()
    assert 0.99 < float(visual_hull(cameras, masks, resolution=48, min_votes=2).volume() / true.volume()) < 1.1


def test_crumbs_are_dropped():
    cameras = cameras_around()
    balls = [*BALL, (0.0, 0.0, 1.2, 0.06)]
    hull = visual_hull(cameras, silhouettes(cameras, balls), resolution=64)
    assert hull.euler_characteristic == 2
    all_of_it = visual_hull(cameras, silhouettes(cameras, balls), resolution=64, min_volume=0.0)
    assert all_of_it.euler_characteristic == 4


def test_given_bounds_cut_and_close():
    cameras = cameras_around()
    low, high = torch.tensor([-2.0, -2.0, 0.15]), torch.tensor([2.0, 2.0, 2.0])
    hull = visual_hull(cameras, silhouettes(cameras, BALL), bounds=(low, high), resolution=80)
    assert hull.is_closed
    assert float(hull.volume()) == pytest.approx(volume(BALL) / 2, rel=0.04)
    assert float(hull.verts[:, 2].min()) == pytest.approx(0.15, abs=1e-3)


def test_large_images_give_the_same_hull():
    small, large = cameras_around(size=(96, 120)), cameras_around(size=(500, 626))
    large = Cameras(small.R, small.t, small.resize((500, 626)).K, (500, 626))
    masks = silhouettes(large, BALL, samples=1)
    hull = visual_hull(large, masks, resolution=32)  # shrunk 7 times; neither side divides
    assert 0.98 < float(hull.volume()) / volume(BALL) < 1.06


def test_says_what_is_wrong():
    cameras = cameras_around(8)
    masks = silhouettes(cameras, BALL, samples=1)
    with pytest.raises(InputError, match="nothing is marked in the masks of views 2, 5"):
        visual_hull(cameras, masks.index_fill(0, torch.tensor([2, 5]), 0.0))
    apart = silhouettes(cameras, [(0.0, 0.9, 0.0, 0.1)], samples=1)
    apart[::2] = silhouettes(cameras[::2], [(0.0, -0.9, 0.0, 0.1)], samples=1)
    with pytest.raises(InputError, match="the masks and cameras have no common region"):
        visual_hull(cameras, apart)
    one_sided = Cameras.look_at([[4.0, 0, 0], [4.0, 0.05, 0]], (0.0, 0, 0), (0, 0, 1.0), 30.0, (64, 64))
    with pytest.raises(InputError, match="do not bound the object"):
        visual_hull(one_sided, torch.ones(2, 64, 64), min_views=0)
    parallel = Cameras(cameras.R, cameras.t, cameras.K, cameras.image_size, "orthographic")
    with pytest.raises(ValueError, match="cameras: a visual hull takes perspective ones, got orthographic"):
        visual_hull(parallel, masks)
    with pytest.raises(ValueError, match=r"masks: expected shape \(8, 96, 120\)"):
        visual_hull(cameras, masks[:3])
    with pytest.raises(ValueError, match=r"masks: expected values in \[0, 1\]"):
        visual_hull(cameras, masks * 255)
    with pytest.raises(TypeError, match="masks: expected floating point"):
        visual_hull(cameras, masks > 0.5)
    with pytest.raises(ValueError, match="resolution"):
        visual_hull(cameras, masks, resolution=4)
    with pytest.raises(ValueError, match="bounds: expected two corners"):
        visual_hull(cameras, masks, bounds=(torch.ones(3), torch.zeros(3)))
