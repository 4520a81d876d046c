"""Every format, written by hand and read back: same cameras, same silhouettes, and a line that says what it was."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import (
    K,
    edit_nerf,
    make_scene,
    quaternions,
    save_picture,
    write_colmap,
    write_idr,
    write_middlebury,
    write_nerf,
    write_photos,
)

from invgraph.cameras import Cameras
from invgraph.data import Views, load_views

POINTS = torch.tensor([[0.3, -0.2, 0.4], [-0.5, 0.3, 0.1], [0.1, 0.6, -0.3]])


def same_cameras(got: Views, want: Views, tolerance: float = 2e-3) -> None:
    torch.testing.assert_close(
        got.cameras.project(POINTS), want.cameras.to(torch.float32).project(POINTS), atol=tolerance, rtol=0
    )


def same(got: Views, want: Views) -> None:
    same_cameras(got, want)
    torch.testing.assert_close(got.masks, want.masks, atol=1e-6, rtol=0)
    assert got.images is not None
    assert want.images is not None
    torch.testing.assert_close(got.images, want.images, atol=0.003, rtol=0)
    assert got.known is None
    assert got.cameras.R.dtype == torch.float32


def test_nerf_explicit_intrinsics(tmp_path: Path, scene: Views) -> None:
    write_nerf(tmp_path, scene)
    views = load_views(tmp_path)
    same(views, scene)
    assert views.source.startswith("NeRF transforms.json: 12 views from ")
    assert views.source.endswith("silhouettes from the alpha channel")
    same(load_views(tmp_path / "transforms_train.json", format="nerf"), scene)


def test_nerf_angle_no_extension_and_frame_overrides(tmp_path: Path, scene: Views) -> None:
    data = write_nerf(tmp_path, scene)
    for key in ("fl_x", "fl_y", "cx", "cy", "w", "h"):
        del data[key]
    data["camera_angle_x"] = 2 * math.atan(48 / 105.0)
    for frame in data["frames"]:
        frame["file_path"] = frame["file_path"].removesuffix(".png")
    data["frames"][2].update(fl_x=50.0, fl_y=51.0, cx=10.0, cy=11.0)
    edit_nerf(tmp_path, data)
    views = load_views(tmp_path)
    blender = torch.tensor([[105.0, 0, 48], [0, 105.0, 36], [0, 0, 1]])
    torch.testing.assert_close(views.cameras.K[0], blender)
    torch.testing.assert_close(views.cameras.K[2], torch.tensor([[50.0, 0, 10], [0, 51.0, 11], [0, 0, 1]]))
    torch.testing.assert_close(views.cameras.R, scene.cameras.R.float())


def test_nerf_mask_path(tmp_path: Path, scene: Views) -> None:
    data = write_nerf(tmp_path, scene)
    for frame, mask in zip(data["frames"], scene.masks.flip(1)):
        frame["mask_path"] = frame["file_path"].replace("train", "silhouette")
        save_picture(tmp_path / frame["mask_path"], mask)
    edit_nerf(tmp_path, data)
    views = load_views(tmp_path)
    torch.testing.assert_close(views.masks, scene.masks.flip(1), atol=1e-6, rtol=0)
    assert "mask files named by the camera file" in views.source
    torch.testing.assert_close(load_views(tmp_path, masks="alpha").masks, scene.masks, atol=1e-6, rtol=0)


def test_idr_in_the_world_frame(tmp_path: Path, scene: Views) -> None:
    write_idr(tmp_path, scene)
    views = load_views(tmp_path)
    same(views, scene)
    assert views.source.startswith("IDR/NeuS cameras: 12 views")
    assert "mask folder mask/" in views.source
    # masks numbered otherwise than the images are taken in order
    for i, file in enumerate(sorted((tmp_path / "mask").iterdir())):
        file.rename(file.with_name(f"m{i:04d}.png"))
    same(load_views(tmp_path), scene)


@pytest.mark.parametrize("binary", [False, True])
def test_colmap(tmp_path: Path, scene: Views, binary: bool) -> None:
    write_colmap(tmp_path, scene, binary)
    views = load_views(tmp_path)
    same(views, scene)
    assert f"COLMAP sparse model ({'bin' if binary else 'txt'})" in views.source
    same(load_views(tmp_path / "sparse" / "0", masks=tmp_path / "masks"), scene)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("start", "path"),
    [
        (".", "sparse/0/images"),
        (".", "sparse/0/cameras"),
        (".", "sparse"),
        (".", "sparse/0"),
        ("sparse/0", "."),
        ("sparse", "0"),
        ("sparse", "."),
    ],
)
def test_a_colmap_model_is_found_from_any_of_its_folders_and_files(
    tmp_path: Path, scene: Views, monkeypatch: pytest.MonkeyPatch, start: str, path: str, binary: bool
) -> None:
    write_colmap(tmp_path, scene, binary)
    monkeypatch.chdir(tmp_path / start)
    same(load_views(path + (".bin" if binary else ".txt") if path[-1] == "s" else path), scene)


@pytest.mark.parametrize("name", ["flat", "65"])
def test_colmap_beside_its_images(tmp_path: Path, scene: Views, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    write_colmap(tmp_path / "set", scene, False)
    folder = tmp_path / name
    shutil.copytree(tmp_path / "set" / "images", folder)
    shutil.copytree(tmp_path / "set" / "masks", folder / "masks")
    for file in (tmp_path / "set" / "sparse" / "0").iterdir():
        shutil.copy(file, folder)
    same(load_views(folder), scene)
    monkeypatch.chdir(folder)
    same(load_views("."), scene)


@pytest.mark.parametrize("extension", ["", ".txt"])
def test_colmap_as_pycolmap_writes_it(tmp_path: Path, scene: Views, extension: str) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    write_photos(tmp_path / "images", scene, "masks")
    model = pycolmap.Reconstruction()
    camera = pycolmap.Camera(model="PINHOLE", width=96, height=72, params=[105.0, 99.0, 51.5, 33.25], camera_id=3)
    model.add_camera_with_trivial_rig(camera)
    for i, (name, q, t) in enumerate(zip(scene.names, quaternions(scene.cameras), scene.cameras.t.numpy())):
        pose = pycolmap.Rigid3d(pycolmap.Rotation3d(q[[1, 2, 3, 0]]), t)
        model.add_image_with_trivial_frame(pycolmap.Image(name=name, camera_id=3, image_id=i + 1), pose)
    (tmp_path / "sparse").mkdir()
    (model.write_text if extension else model.write_binary)(str(tmp_path / "sparse"))
    same(load_views(tmp_path), scene)


def test_middlebury(tmp_path: Path, scene: Views) -> None:
    write_middlebury(tmp_path, scene)
    views = load_views(tmp_path, masks="threshold", threshold=0.5)
    same_cameras(views, scene)
    assert "Middlebury parameters" in views.source
    assert "threshold 0.5" in views.source
    assert float((views.masks - (scene.masks > 0).float()).abs().mean()) < 0.01


def test_formats_side_by_side_are_chosen_by_flag(tmp_path: Path, scene: Views) -> None:
    write_colmap(tmp_path, scene, True)
    write_nerf(tmp_path, scene)
    assert "NeRF" in load_views(tmp_path, masks="alpha").source
    assert "COLMAP" in load_views(tmp_path, format="colmap").source


def test_images_of_different_sizes_are_padded(tmp_path: Path, scene: Views) -> None:
    data = write_nerf(tmp_path, scene)
    assert scene.images is not None
    data["frames"][1].update(w=50, h=40)
    save_picture(tmp_path / "train" / "001.png", scene.images[1, :40, :50], scene.masks[1, :40, :50])
    edit_nerf(tmp_path, data)
    views = load_views(tmp_path)
    assert views.known is not None
    assert views.known[0].all()
    assert views.known[1, :40, :50].all()
    assert int(views.known[1].sum()) == 40 * 50
    same_cameras(views, scene)  # the padding is at the right and the bottom


def distorted(cameras: Cameras, k: tuple[float, ...]) -> torch.Tensor:
    """Pixels of POINTS through OpenCV's lens, written from its documentation."""
    x = cameras.world_to_camera(POINTS.double())
    x, y = x[..., 0] / x[..., 2], x[..., 1] / x[..., 2]
    k1, k2, p1, p2, k3 = k
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    xd = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    yd = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return torch.stack([K[0][0] * xd + K[0][2], K[1][1] * yd + K[1][2]], -1)


def write_dots(folder: Path, scene: Views, pixels: torch.Tensor) -> None:
    """Pictures 8 times as fine with a Gaussian dot at each pixel position (N, V, 2), of the scene's size."""
    h, w = scene.cameras.image_size
    v, u = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
    for name, dots in zip(scene.names, pixels):
        spots = [torch.exp(-((u - x) ** 2 + (v - y) ** 2) / 2) for x, y in dots.tolist()]
        color = torch.stack(spots, -1).float()
        save_picture(folder / name, color, color.amax(-1))


@pytest.mark.parametrize("k", [(-1.5, 1.0, -0.05, 0.05, 0.0), (0.8, 0.0, 0.0, 0.0, 1.5)])
def test_distortion_is_resampled_away(tmp_path: Path, scene: Views, k: tuple[float, ...]) -> None:
    data = write_nerf(tmp_path, scene, **dict(zip(("k1", "k2", "p1", "p2", "k3"), k)))
    pixels = distorted(scene.cameras, k)
    write_dots(tmp_path / "train", scene, pixels)
    views = load_views(tmp_path)
    assert views.images is not None
    want = scene.cameras.project(POINTS.double())[..., :2]
    assert float((pixels - want).abs().max()) > 0.5  # there is something to undo
    h, w = scene.cameras.image_size
    v, u = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
    weight = views.images.permute(0, 3, 1, 2).double() ** 2  # the channels are the points
    got = torch.stack([(weight * axis).sum((2, 3)) / weight.sum((2, 3)) for axis in (u, v)], -1)
    assert float((got - want).abs().max()) < 0.1
    if k[0] > 0:  # the lens pulls outside in: the corners of the straight picture were never seen
        assert views.known is not None
        assert not views.known[:, 0, 0].any()
        assert views.known[:, h // 2, w // 2].all()
    assert data["k1"] == k[0]


def test_beyond_the_fold_of_a_lens_nothing_is_known(tmp_path: Path, scene: Views) -> None:
    # r (1 - 1.2 r^2) turns back at r^2 = 1 / 3.6; the far corner, at r^2 = 0.33, would show the inside again
    write_nerf(tmp_path, scene, k1=-1.2)
    known = load_views(tmp_path).known
    assert known is not None
    assert not known[:, -1, 0].any()
    assert known[:, 33, :].all()


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("SIMPLE_RADIAL", (102.0, 51.5, 33.25, -0.2)),
        ("RADIAL", (102.0, 51.5, 33.25, -0.2, 0.05)),
        ("OPENCV", (105.0, 99.0, 51.5, 33.25, -0.2, 0.05, 0.01, 0.0)),
    ],
)
def test_colmap_lenses_equal_the_same_lens_in_a_transforms_file(
    tmp_path: Path, scene: Views, model: str, parameters: tuple
) -> None:
    write_colmap(tmp_path / "a", scene, True, model, parameters)
    from_colmap = load_views(tmp_path / "a")
    fx, fy, lens = (102.0, 102.0, parameters[3:]) if len(parameters) < 8 else (105.0, 99.0, parameters[4:])
    lens = dict(zip(("k1", "k2", "p1", "p2"), lens))
    write_nerf(tmp_path / "b", scene, **{"fl_x": fx, "fl_y": fy, **lens})
    from_nerf = load_views(tmp_path / "b")
    same_cameras(from_colmap, from_nerf)
    torch.testing.assert_close(from_colmap.masks, from_nerf.masks, atol=1e-5, rtol=0)


def test_max_size_scales_cameras_and_pictures_together(tmp_path: Path, scene: Views) -> None:
    write_nerf(tmp_path, scene)
    views = load_views(tmp_path, max_size=48, images=False)
    assert views.cameras.image_size == (36, 48)
    assert views.images is None
    want = scene.cameras.to(torch.float32).project(POINTS) * torch.tensor([0.5, 0.5, 1])
    torch.testing.assert_close(views.cameras.project(POINTS), want, atol=2e-3, rtol=0)
    blocks = scene.masks.reshape(12, 36, 2, 48, 2).mean((2, 4))
    torch.testing.assert_close(views.masks, blocks, atol=1e-5, rtol=0)


def test_a_link_inside_the_folder_may_point_outside(tmp_path: Path, scene: Views) -> None:
    write_nerf(tmp_path / "a", scene)
    shutil.move(tmp_path / "a" / "train", tmp_path / "elsewhere")
    (tmp_path / "a" / "train").symlink_to(tmp_path / "elsewhere")
    assert len(load_views(tmp_path / "a")) == 12


@pytest.mark.parametrize("name", ["spot/views24", "spot/views8_ring", "spot/wild", "bob/views24"])
def test_true_meshes_project_onto_the_masks(shared_data: Path, name: str) -> None:
    trimesh = pytest.importorskip("trimesh")
    vertices = torch.from_numpy(np.asarray(trimesh.load(shared_data / name / "gt.ply").vertices)).float()
    views = load_views(shared_data / name)
    spec = json.loads((shared_data / name / "transforms_train.json").read_text())
    assert len(views) == len(spec["frames"])
    uv = views.cameras.project(vertices)[..., :2]
    grown = torch.nn.functional.max_pool2d(views.masks[:, None], 3, 1, 1)[:, 0] > 0
    for mask, grown_mask, pixels in zip(views.masks > 0.5, grown, uv.long()):
        assert grown_mask[pixels[:, 1], pixels[:, 0]].all()  # no vertex falls further than a pixel outside its mask
        # and the mask is no larger than the vertices' bounding box
        low, high = pixels.amin(0), pixels.amax(0)
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        assert low[0] - 1 <= columns.min()
        assert columns.max() <= high[0] + 1
        assert low[1] - 1 <= rows.min()
        assert rows.max() <= high[1] + 1


def test_scene_is_not_degenerate() -> None:
    assert 0.05 < float(make_scene().masks.mean()) < 0.5
