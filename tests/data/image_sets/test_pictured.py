"""Folders of Occupancy Networks and of DVR: files with their keys, shapes, dtypes and conventions."""

import math

import numpy as np
import pytest
import torch
from carving import agreement
from picture_folders import poses
from PIL import Image

import invgraph as ig
from invgraph import InputError
from invgraph.data import ChoyShapes, DvrShapes, SampleOptions, Voxels, check_splits, sample_shape, save_samples

LOC, SCALE = torch.tensor([0.3, -0.2, 0.1]), 0.6  # of the models in their own frame
AZIMUTHS = [0.4 + 1.3 * n for n in range(5)]


def body() -> ig.Mesh:
    """In the unit cube; like none of its mirror images or turns."""
    ball = ig.geometry.icosphere(3)
    x, y, z = ball.verts.unbind(1)
    verts = torch.stack([x * 0.5, y * 0.24 + 0.2 * x + 0.1, z * 0.15 + 0.1 * y - 0.06 * x], 1)
    return ig.Mesh(verts - 0.5 * (verts.amax(0) + verts.amin(0)), ball.faces)


def draw(size: int, K: np.ndarray, Rt: np.ndarray) -> np.ndarray:
    """Silhouettes of the body in the unit cube, white where it is."""
    cameras = ig.Cameras(
        torch.from_numpy(Rt[:, :, :3]), torch.from_numpy(Rt[:, :, 3]), torch.from_numpy(K), (size, size)
    )
    alpha = ig.render(body(), cameras.to(dtype=torch.float32), outputs=("alpha",)).alpha
    return (alpha.numpy() > 0.5) * np.uint8(255)


@pytest.fixture
def choy(tmp_path):
    """Two classes of models as Occupancy Networks has them: pixels of 137, cameras in the model's own frame."""
    K = np.array([[149.84375, 0, 68.5], [0, 149.84375, 68.5], [0, 0, 1]])
    in_cube = poses(2.0, AZIMUTHS)
    for name in ("a/1", "a/2", "b/3"):
        mesh = ig.Mesh(body().verts * SCALE + LOC, body().faces)
        options = SampleOptions(points=100, near=0, cloud=100)
        save_samples(tmp_path / name, sample_shape(mesh, options))
        folder = tmp_path / name / "img_choy2016"
        folder.mkdir()
        arrays = {}
        for i, (Rt, mask) in enumerate(zip(in_cube, draw(137, np.stack([K] * 5), in_cube))):
            Image.fromarray(np.stack([255 - mask] * 3, -1)).save(folder / f"{i:03d}.jpg", quality=95)
            # x_cam = R (x_own - loc) / scale + t, up to the camera's units
            own = np.concatenate([Rt[:, :3], SCALE * Rt[:, 3:] - Rt[:, :3] @ LOC.double().numpy()[:, None]], 1)
            arrays |= {f"world_mat_{i}": own.astype(np.float32), f"camera_mat_{i}": K.astype(np.float32)}
        np.savez(folder / "cameras.npz", **arrays)
    (tmp_path / "a" / "train.lst").write_text("1\n2")
    (tmp_path / "b" / "train.lst").write_text("3\n")
    (tmp_path / "a" / "val.lst").write_text("2\n")
    (tmp_path / "b" / "val.lst").write_text("")
    return tmp_path


@pytest.fixture
def dvr(tmp_path):
    """Models as in DVR's NMR_Dataset: 4x4 matrices to [-1, 1], masks beside the pictures."""
    focal = 1 / math.tan(math.radians(15))
    camera = np.diag([focal, focal, 1.0, 1.0])
    K = np.array([[32 * focal, 0, 32], [0, 32 * focal, 32], [0, 0, 1]])
    for name in ("c/1", "c/2"):
        for part in ("image", "mask"):
            (tmp_path / name / part).mkdir(parents=True)
        arrays, around = {}, poses(2.732, AZIMUTHS)
        for i, (Rt, mask) in enumerate(zip(around, draw(64, np.stack([K] * 5), around))):
            Image.fromarray(np.stack([mask // 2 + 7] * 3, -1)).save(tmp_path / name / "image" / f"{i:04d}.png")
            Image.fromarray(mask).save(tmp_path / name / "mask" / f"{i:04d}.png")
            world = np.concatenate([Rt, [[0, 0, 0, 1.0]]])
            arrays |= {f"world_mat_{i}": world, f"camera_mat_{i}": camera, f"scale_mat_{i}": np.eye(4)}
            arrays |= {f"world_mat_inv_{i}": np.linalg.inv(world)}
        np.savez(tmp_path / name / "cameras.npz", **arrays)
    (tmp_path / "c" / "softras_train.lst").write_text("1\n2\n")
    return tmp_path


def cube() -> Voxels:
    """The body's voxels in the frame of the unit cube, those whose middles are inside."""
    axis = (torch.arange(32) + 0.5) / 32 - 0.5
    middles = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    filled = ig.ops.winding_number(middles, body().verts, body().faces).abs() > 0.5
    return Voxels(filled.reshape(32, 32, 32), torch.full((3,), -0.5, dtype=torch.float64), 1.0)


def is_confused(cameras: ig.Cameras, masks: torch.Tensor) -> bool:
    """Whether inverted poses, or any mirrored axis of the voxels, fit the masks clearly worse."""
    voxels = cube()
    wrong = [agreement(voxels, cameras._with(cameras.R.mT, cameras.t, cameras.K), masks)]
    for axis in range(3):
        turned = Voxels(voxels.filled.flip(axis), voxels.low, voxels.side)
        wrong.append(agreement(turned, cameras, masks))
    return max(wrong) > agreement(voxels, cameras, masks) - 0.15


def test_choy_cameras_and_pictures_agree(choy):
    data = ChoyShapes(choy, split="train")
    assert (data.classes, data.class_of.tolist(), data.num_views) == (("a", "b"), [0, 0, 1], 5)
    assert data.image_size == (137, 137)
    images = data.images([0, 2])
    assert (images.shape, images.dtype) == ((2, 5, 137, 137, 3), torch.uint8)
    cameras = data.cameras_of(2)
    masks = images[1, ..., 0] < 128
    # the points of points.npz are in the frame of the cameras, too
    inside = data.points(2).points[data.points(2).occupancies]
    for uv, mask in zip(cameras.project(inside), masks):
        assert bool(mask[uv[:, 1].long(), uv[:, 0].long()].all())
    assert agreement(cube(), cameras, masks) > 0.88
    assert not is_confused(cameras, masks)
    drawn = ig.render(body(), cameras, outputs=("alpha",)).alpha > 0.5
    assert int((drawn != masks).sum()) < 20  # of some 20,000: jpg, not half a pixel


def test_transparent_pictures_are_on_white(choy):
    folder = choy / "a" / "1" / "img_choy2016"
    plain = ChoyShapes(choy, split="train").images(0)
    for k, picture in enumerate(plain.numpy()):
        alpha = np.where((picture < 250).any(-1, keepdims=True), 255, 0).astype(np.uint8)
        Image.fromarray(np.concatenate([picture * (alpha > 0), alpha], -1)).save(folder / f"{k:03d}.png")
        (folder / f"{k:03d}.jpg").unlink()
    again = ChoyShapes(choy, split="train").images(0)
    assert (again.int() - plain.int()).abs().max() <= 5
    assert again[:, 0, 0].eq(255).all()


def test_dvr_cameras_and_pictures_agree(dvr):
    data = DvrShapes(dvr, split="softras_train")
    assert (len(data), data.num_views, data.image_size) == (2, 5, (64, 64))
    images = data.images(1)
    assert images.shape == (5, 64, 64, 4)
    masks = images[..., 3] > 0
    cameras = data.cameras_of(1)
    assert agreement(cube(), cameras, masks) > 0.85
    assert not is_confused(cameras, masks)
    drawn = ig.render(body(), cameras, outputs=("alpha",)).alpha > 0.5
    assert torch.equal(drawn, masks)
    assert len(data.cameras_of([0, 1], [3, 4])) == 2


def test_dvr_scale_and_mirrored_axes(dvr):
    path = dvr / "c" / "1" / "cameras.npz"
    whole = dict(np.load(path))
    straight = DvrShapes(dvr).cameras_of(0)
    scale = np.diag([2.0, 2, 2, 1])
    scale[:3, 3] = (1, 2, 3)
    undo = np.linalg.inv(scale)
    flip = np.diag([1.0, -1, 1, 1])
    arrays = {}
    for key, value in whole.items():
        if key.startswith("scale"):
            value = scale
            arrays[key.replace("mat", "mat_inv")] = undo  # as some converters write it beside
        elif key.startswith("world_mat_inv"):
            continue
        elif key.startswith("world"):
            value = flip @ np.diag([2.0, 2, 2, 1]) @ value @ undo
        elif key.startswith("camera"):
            value = value @ flip
        arrays[key] = value
    np.savez(path, **arrays)
    again = DvrShapes(dvr).cameras_of(0)
    torch.testing.assert_close(again.project(body().verts)[..., :2], straight.project(body().verts)[..., :2])


def test_what_is_wrong_is_named(choy, dvr):
    def edited(path, **change):
        arrays = dict(np.load(path)) | change
        np.savez(path, **{key: value for key, value in arrays.items() if value is not None})

    cameras = choy / "a" / "1" / "img_choy2016" / "cameras.npz"
    for change, words in (
        ({"world_mat_3": None}, "expected the key 'world_mat_3'"),
        ({"world_mat_3": np.eye(4)[:2]}, r"'world_mat_3' is float64 of shape \(2, 4\)"),
        ({"world_mat_3": np.eye(3)}, r"'world_mat_3' is float64 of shape \(3, 3\), expected numbers of shape \(3, 4\)"),
        ({"world_mat_3": np.full((3, 4), np.nan)}, "'world_mat_3' is not finite"),
        ({"world_mat_3": np.diag([1.0, 1, -1, 1])[:3]}, "world_mat_3: R is left-handed"),
    ):
        edited(cameras, **change)
        with pytest.raises(InputError, match=words):
            ChoyShapes(choy, split="train").cameras_of(0)
    cameras.write_bytes(b"broken")
    with pytest.raises(InputError, match=r"cameras\.npz: not a readable npz"):
        ChoyShapes(choy, split="train").cameras_of(0)
    with pytest.raises(InputError, match=r"b: there are no models of this class in val"):
        ChoyShapes(choy, split="val", classes=["a", "b"])
    with pytest.raises(InputError, match="1 of 1 shapes of 'val' are in both 'train' and 'val'"):
        check_splits({split: ChoyShapes(choy, split=split) for split in ("train", "val")})
    picture = choy / "a" / "2" / "img_choy2016" / "001.jpg"
    Image.new("RGB", (64, 64)).save(picture)
    with pytest.raises(InputError, match=r"001\.jpg: is \(64, 64\) pixels"):
        ChoyShapes(choy, split="train").images(1)
    picture.write_bytes(picture.read_bytes()[:200])
    with pytest.raises(InputError, match=r"001\.jpg: not a readable picture"):
        ChoyShapes(choy, split="train").images(1)
    picture.unlink()
    with pytest.raises(InputError, match="expected at least 5 pictures"):
        ChoyShapes(choy, split="train").images(1)
    (choy / "a" / "train.lst").write_text("1\n1\n")
    with pytest.raises(InputError, match="names the model '1' twice"):
        ChoyShapes(choy, split="train")
    mask = dvr / "c" / "2" / "mask" / "0002.png"
    Image.new("L", (64, 64)).save(mask)
    with pytest.raises(InputError, match=r"0002\.png: there is no silhouette"):
        DvrShapes(dvr, classes=["c"]).images(1)
    mask.unlink()
    with pytest.raises(InputError, match=r"0002\.png: not a readable picture"):
        DvrShapes(dvr, classes=["c"]).images(1)
    edited(dvr / "c" / "1" / "cameras.npz", scale_mat_0=np.array("none"))
    with pytest.raises(InputError, match="'scale_mat_0' is <U4 of shape"):
        DvrShapes(dvr, classes=["c"]).cameras_of(0)
