"""Rays go through what the cameras see at their pixels, and know where the box is."""

import pytest
import torch

from invgraph import Cameras
from invgraph.fields import camera_rays

POSES = ([[0, 0.3, -3.0], [3, 0.2, 0]], [0, 0, 0], [0, 1, 0])


def cameras(projection, size=(6, 8)):
    make = Cameras.look_at if projection == "perspective" else Cameras.orthographic
    views = make(*POSES, 40 if projection == "perspective" else 2.0, size).to(torch.float64)
    K = views.K.clone()
    K[:, 0, 1], K[:, 0, 2], K[:, 1, 1] = 0.3, 3.1, K[:, 1, 1] * 1.2  # skewed, off centre, pixels that are not square
    return Cameras(views.R, views.t, K, size, projection)


@pytest.mark.parametrize("projection", ["perspective", "orthographic"])
def test_points_of_rays_project_to_their_pixels(projection):
    views = cameras(projection)
    pixels = torch.rand(2, 5, 2, dtype=torch.float64) * 6
    depth = torch.tensor([[0.5, 2.0, 7.0]], dtype=torch.float64).expand(10, 3)
    seen = views.project(camera_rays(views, pixels).points(depth).reshape(2, 15, 3)).reshape(2, 5, 3, 3)
    torch.testing.assert_close(seen[..., :2], pixels[:, :, None].expand(-1, -1, 3, -1))
    torch.testing.assert_close(seen[..., 2], depth.reshape(2, 5, 3))


def test_every_pixel_row_by_row():
    views = cameras("perspective", (3, 4))
    rays = camera_rays(views)
    assert len(rays) == 24
    assert rays.view.tolist() == [0] * 12 + [1] * 12
    one = camera_rays(views, torch.tensor([[[2.5, 1.5]]] * 2, dtype=torch.float64))  # row 1, column 2
    torch.testing.assert_close(rays.directions[[1 * 4 + 2, 12 + 1 * 4 + 2]], one.directions)


def test_a_pixel_spans_its_size():
    for projection in ("perspective", "orthographic"):
        views = cameras(projection, (400, 500)).resize((40, 50))
        f = (views.K[0, 0, 0] * views.K[0, 1, 1]).sqrt()
        size = camera_rays(views).pixel_size(torch.full((4000, 1), 2.0, dtype=torch.float64))
        torch.testing.assert_close(size[0, 0], (2.0 if projection == "perspective" else 1.0) / f)


def test_the_box():
    views = Cameras.look_at(
        [[0, 0, -3.0], [0, 0, 0], [0, 0, 5.0]], [[0, 0, 0], [0, 0, 1], [0, 0, 9]], [0, 1, 0], 1, (1, 1)
    )
    near, far = camera_rays(views).within(torch.tensor([[-1.0, -1, -1], [1, 1, 1]]))
    assert near[0] == pytest.approx(2)
    assert far[0] == pytest.approx(4)
    assert 0 < near[1] < 0.01  # within: from before the camera on
    assert far[1] == pytest.approx(1)
    assert near[2] >= far[2]  # behind
    beside = camera_rays(views[0], torch.tensor([[[200.0, 0.5]]]))
    near, far = beside.within(torch.tensor([[-1.0, -1, -1], [1, 1, 1]]))
    assert near >= far


def test_wrong_pixels():
    views = cameras("perspective")
    with pytest.raises(ValueError, match=r"pixels: expected shape \(2, P, 2\), got \(3, 5, 2\)"):
        camera_rays(views, torch.zeros(3, 5, 2, dtype=torch.float64))
    with pytest.raises(TypeError, match="pixels: expected coordinates"):
        camera_rays(views, torch.zeros(2, 5, 2, dtype=torch.int64))
