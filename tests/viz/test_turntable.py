"""The turntable: which way is up, what the cameras see, and the video itself."""

import math

import pytest
import torch

from invgraph.cameras import Cameras
from invgraph.geometry import Mesh, VertexColors, icosphere
from invgraph.viz import guess_up, orbit_cameras, shade, shaded, turntable

TETRA = Mesh(
    torch.tensor([[0.0, 0, 0], [4, 0, 0], [0, 1, 0], [0, 0, 2]]) + 10,
    torch.tensor([[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]]),
)


def _ring(up: torch.Tensor, elevation: float, count: int = 8) -> Cameras:
    up = torch.nn.functional.normalize(up, dim=0)
    side = torch.nn.functional.normalize(torch.linalg.cross(up, torch.tensor([0.3, -0.2, 0.9])), dim=0)
    turn = torch.arange(count)[:, None] * (2 * math.pi / count)
    eye = turn.cos() * side + turn.sin() * torch.linalg.cross(up, side) + math.tan(elevation) * up
    return Cameras.look_at(eye, torch.zeros(count, 3), up.expand(count, 3), 40.0, (30, 40))


@pytest.mark.parametrize("elevation", [-0.7, 0.0, 0.5, 1.2])
def test_up_is_found_from_level_cameras(elevation):
    up = torch.nn.functional.normalize(torch.tensor([0.2, -1.0, 0.4]), dim=0)
    cameras = _ring(up, elevation)
    assert torch.allclose(guess_up(cameras), up, atol=1e-4)
    # a one-sided capture from above: the mean of the cameras' up would lean back
    assert torch.allclose(guess_up(cameras[:3]), up, atol=1e-3)


def test_up_of_one_camera_is_its_own():
    camera = _ring(torch.tensor([0.0, 0.0, 1.0]), 0.4)[0:1]
    assert torch.allclose(guess_up(camera), -camera.R[0, 1], atol=1e-6)


def test_orbit_keeps_the_mesh_in_every_picture_and_fills_it():
    up = torch.tensor([0.1, 0.9, -0.2])
    cameras = orbit_cameras(TETRA, frames=12, image_size=(60, 80), up=up, front=(0.0, 0.0, 5.0))
    pixels = cameras.project(TETRA.verts)
    u, v, z = pixels.unbind(-1)
    assert (z > 0).all()
    touched = torch.maximum((u / 40 - 1).abs(), (v / 30 - 1).abs()).max()
    assert touched.item() == pytest.approx(1 / 1.08, rel=1e-3)  # 1 is the picture's border
    assert torch.allclose(guess_up(cameras), torch.nn.functional.normalize(up, dim=0), atol=1e-4)
    # counter-clockwise from above, starting at the front
    eyes = cameras.centers - cameras.centers.mean(0)
    assert (torch.linalg.cross(eyes[0], eyes[1]) @ up) > 0
    assert eyes[0, 2] == eyes[:, 2].max()


def test_shading_faces_the_light_and_marks_the_inside():
    camera = Cameras.look_at((0.0, 0.0, 3.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 40.0, (32, 32))
    ball = icosphere(3)
    picture = shaded(ball, camera)[0]
    assert picture.shape == (32, 32, 4)
    assert picture[16, 16, 3] == 1
    assert picture[0, 0, 3] == 0
    assert picture[8, 8, :3].sum() > picture[24, 24, :3].sum()  # lit from the upper left
    assert ((picture[..., 3] > 0) & (picture[..., 3] < 1)).any()  # a smooth outline
    inside_out = shaded(Mesh(ball.verts, ball.faces.flip(1)), camera)[0]
    assert inside_out[16, 16, 0] > 1.5 * inside_out[16, 16, 2]
    with pytest.raises(ValueError, match=r"normals: expected shape \(1, 32, 32, 3\)"):
        shade(torch.zeros(1, 16, 16, 3), camera)


def test_a_mesh_is_shown_in_its_own_colors():
    ball = icosphere(3)
    camera = Cameras.look_at([[0.0, 0, -3]], [0, 0, 0], [0, 1, 0], 40, (40, 40))
    red = ball.with_appearance(VertexColors(torch.tensor([[0.8, 0.0, 0.0]]).expand(ball.num_verts, -1)))
    middle = shaded(red, camera)[0, 18:22, 18:22, :3]
    assert float(middle[..., 0].min()) > 0.3
    assert float(middle[..., 1:].max()) < 1e-3


def test_video_can_be_read_back(tmp_path):
    import imageio.v2 as imageio

    path = turntable(icosphere(1), tmp_path / "ball.mp4", frames=5, size=(33, 48), fps=10)
    with imageio.get_reader(path) as reader:
        meta = reader.get_meta_data()
        frames = [frame for frame in reader]
    assert meta["pix_fmt"].startswith("yuv420p")
    assert meta["codec"] == "h264"
    assert len(frames) == 5
    assert frames[0].shape == (34, 48, 3)
    assert frames[0][17, 24].min() > 60 > frames[0][0, 0].max()
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # plays before it is read to the end
    assert [p.name for p in tmp_path.iterdir()] == ["ball.mp4"]


def test_refuses_what_cannot_be_shown(tmp_path):
    with pytest.raises(ValueError, match=r"ending in .mp4"):
        turntable(TETRA, tmp_path / "x.gif")
    with pytest.raises(ValueError, match="up: expected a direction"):
        turntable(TETRA, tmp_path / "x.mp4", up=(0, 0, 0))
    assert list(tmp_path.iterdir()) == []
