"""Bad data: one clear sentence that names the file, and all of them at once from the doctor."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import edit_nerf, save_picture, write_colmap, write_idr, write_middlebury, write_nerf

from invgraph.data import Views, examine, load_views
from invgraph.errors import InputError

Break = Callable[[Path, dict, Views], None]


def missing(folder: Path, data: dict, scene: Views) -> None:
    (folder / "train" / "003.png").unlink()


def truncated(folder: Path, data: dict, scene: Views) -> None:
    file = folder / "train" / "003.png"
    file.write_bytes(file.read_bytes()[:200])


def not_an_image(folder: Path, data: dict, scene: Views) -> None:
    (folder / "train" / "003.png").write_text("hello")


def other_size(folder: Path, data: dict, scene: Views) -> None:
    save_picture(folder / "train" / "003.png", torch.rand(20, 30, 4))


def singular(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["transform_matrix"][0] = [0.0, 0.0, 0.0, 0.0]


def left_handed(folder: Path, data: dict, scene: Views) -> None:
    for row in data["frames"][3]["transform_matrix"]:
        row[0] = -row[0]


def nan(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["transform_matrix"][1][3] = float("nan")


def wrong_shape(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["transform_matrix"] = [[1, 2], [3, 4]]


def empty(folder: Path, data: dict, scene: Views) -> None:
    save_picture(folder / "train" / "003.png", torch.rand(72, 96, 3), torch.zeros(72, 96))


def full(folder: Path, data: dict, scene: Views) -> None:
    save_picture(folder / "train" / "003.png", torch.rand(72, 96, 3), torch.ones(72, 96))


def one_view(folder: Path, data: dict, scene: Views) -> None:
    del data["frames"][1:]


def traversal(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["file_path"] = "../../etc/picture.png"


def absolute(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["file_path"] = "/etc/hostname"


def no_focal(folder: Path, data: dict, scene: Views) -> None:
    del data["fl_x"]


def zero_focal(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["fl_x"] = 0


def text_focal(folder: Path, data: dict, scene: Views) -> None:
    data["frames"][3]["fl_x"] = "wide"


def fisheye(folder: Path, data: dict, scene: Views) -> None:
    data["camera_model"] = "OPENCV_FISHEYE"


CASES: list[tuple[Break, str]] = [
    (missing, r"train/003\.png: the image file does not exist"),
    (truncated, r"train/003\.png: the image file cannot be decoded"),
    (not_an_image, r"train/003\.png: the image file cannot be decoded"),
    (other_size, r"train/003\.png: the image is 30x20 pixels, the camera file says 96x72"),
    (singular, r"frames\[3\] \(\./train/003\.png\): R is singular"),
    (left_handed, r"frames\[3\] .*: R is left-handed"),
    (nan, r"frames\[3\] .*: t contains NaN or infinity"),
    (wrong_shape, r"frames\[3\] .*: transform_matrix must be a 4x4"),
    (empty, r"train/003\.png: the mask is empty"),
    (full, r"train/003\.png: the mask is full"),
    (one_view, "found 1 view, at least 2 are needed"),
    (traversal, r"frames\[3\] .*: the path '\.\./\.\./etc/picture\.png' leaves the data folder"),
    (absolute, r"frames\[3\] .*: the path '/etc/hostname' leaves the data folder"),
    (no_focal, "no focal length: expected camera_angle_x or fl_x"),
    (zero_focal, r"frames\[3\] .*: K is singular"),
    (text_focal, r"frames\[3\] .*: fl_x must be a number, got 'wide'"),
    (fisheye, "camera_model 'OPENCV_FISHEYE' is not supported"),
]


@pytest.mark.parametrize(("broken", "message"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_one_clear_sentence(tmp_path: Path, scene: Views, broken: Break, message: str) -> None:
    data = write_nerf(tmp_path, scene)
    broken(tmp_path, data, scene)
    edit_nerf(tmp_path, data)
    with pytest.raises(InputError, match=message) as caught:
        load_views(tmp_path)
    assert "\n" not in str(caught.value)
    errors = [f for f in examine(tmp_path) if f.severity == "error"]
    assert str(caught.value).startswith(str(errors[0]))


def test_the_doctor_reports_all_at_once(tmp_path: Path, scene: Views) -> None:
    data = write_nerf(tmp_path, scene)
    (tmp_path / "train" / "000.png").unlink()
    save_picture(tmp_path / "train" / "001.png", torch.rand(72, 96, 3), torch.zeros(72, 96))
    data["frames"][2]["transform_matrix"][1][3] = float("nan")
    data["frames"][4]["file_path"] = "../x.png"
    save_picture(tmp_path / "train" / "005.png", torch.rand(20, 30, 4))
    edit_nerf(tmp_path, data)
    findings = [f for f in examine(tmp_path) if f.severity == "error"]
    text = "\n".join(map(str, findings))
    for part in ("does not exist", "mask is empty", "NaN", "leaves the data folder", "30x20"):
        assert part in text
    assert len(findings) == 5
    with pytest.raises(InputError, match="and 4 more"):
        load_views(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "non-empty list 'frames'"),
        ('{"frames": []}', "non-empty list 'frames'"),
        ('{"frames": [3]}', r"frames\[0\]: expected an object"),
        ("[" * 100000, "not valid JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_broken_transforms_files(tmp_path: Path, content: str | bytes, message: str) -> None:
    file = tmp_path / "transforms.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        load_views(tmp_path)


def test_unknown_folders_and_flags(tmp_path: Path, scene: Views) -> None:
    with pytest.raises(InputError, match="unknown format: expected transforms"):
        load_views(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        load_views(tmp_path / "nothing")
    assert [f.what for f in examine(tmp_path / "nothing")] == ["no such file or folder"]
    write_nerf(tmp_path, scene)
    with pytest.raises(InputError, match="unknown format 'blender'"):
        load_views(tmp_path, format="blender")
    with pytest.raises(InputError, match="no camera file of the format 'idr'"):
        load_views(tmp_path, format="idr")
    with pytest.raises(InputError, match="expected a folder of masks or one of auto"):
        load_views(tmp_path, masks="chroma")
    with pytest.raises(InputError, match="no mask files found"):
        load_views(tmp_path, masks="folder")
    with pytest.raises(InputError, match="do not go with masks from 'alpha'"):
        load_views(tmp_path, masks="alpha", threshold=0.3)


def test_masks_that_do_not_fit(tmp_path: Path, scene: Views) -> None:
    write_idr(tmp_path, scene)
    (tmp_path / "mask" / "004.png").unlink()
    with pytest.raises(InputError, match=r"image/004\.png: no mask for this image in .*mask"):
        load_views(tmp_path)
    save_picture(tmp_path / "mask" / "004.png", torch.ones(10, 10))
    with pytest.raises(InputError, match=r"mask/004\.png: the mask is 10x10 pixels, its image 96x72"):
        load_views(tmp_path)


def test_broken_idr(tmp_path: Path, scene: Views) -> None:
    write_idr(tmp_path, scene)
    file = tmp_path / "cameras_sphere.npz"
    arrays = dict(np.load(file))
    (tmp_path / "image" / "007.png").unlink()
    with pytest.raises(InputError, match="11 images for 12 cameras"):
        load_views(tmp_path)
    np.savez(file, **{k: v for k, v in arrays.items() if not k.endswith("_7")})
    assert len(load_views(tmp_path)) == 11
    arrays["world_mat_3"] = arrays["world_mat_3"] * [[0.0], [1.0], [1.0], [1.0]]
    arrays["world_mat_4"] = np.full((4, 4), np.nan)
    np.savez(file, **arrays)
    found = "\n".join(map(str, examine(tmp_path)))
    assert "world_mat_3: the left 3x3 block of P is singular" in found
    assert "world_mat_4: P contains NaN" in found
    np.savez(file, world_mat_0=np.array([{"a": 1}], dtype=object))  # pickles are not read
    with pytest.raises(InputError, match="not a readable npz"):
        load_views(tmp_path)
    file.write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(InputError, match="not a readable npz"):
        load_views(tmp_path)
    np.savez(file, a=np.eye(3))
    with pytest.raises(InputError, match="no world_mat_0"):
        load_views(tmp_path)


def test_broken_colmap(tmp_path: Path, scene: Views) -> None:
    write_colmap(tmp_path, scene, True)
    images, cameras = (tmp_path / "sparse" / "0" / f"{name}.bin" for name in ("images", "cameras"))
    whole = images.read_bytes()
    images.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"images\.bin: truncated"):
        load_views(tmp_path)
    images.write_bytes(whole.replace(b"003.png", b"/../../"))
    with pytest.raises(InputError, match="leaves the data folder"):
        load_views(tmp_path)
    images.write_bytes(whole)
    cameras.write_bytes(cameras.read_bytes().replace(b"\x07\0\0\0\x01\0\0\0", b"\x07\0\0\0\x63\0\0\0"))
    with pytest.raises(InputError, match="unknown model number 99"):
        load_views(tmp_path)


def test_broken_colmap_text(tmp_path: Path, scene: Views) -> None:
    write_colmap(tmp_path, scene, False)
    images, cameras = (tmp_path / "sparse" / "0" / f"{name}.txt" for name in ("images", "cameras"))
    cameras.write_text("7 PINHOLE 96 72 70 66\n")
    with pytest.raises(InputError, match="PINHOLE takes 4 parameters, found 2"):
        load_views(tmp_path)
    cameras.write_text("7 OPENCV_FISHEYE 96 72 70 66 32 24 0 0 0 0\n")
    with pytest.raises(InputError, match="OPENCV_FISHEYE is not supported"):
        load_views(tmp_path)
    cameras.write_text("8 PINHOLE 96 72 70 66 32 24\n")
    with pytest.raises(InputError, match="refers to camera 7"):
        load_views(tmp_path)
    images.write_text("1 0.5 0.5\n")
    with pytest.raises(InputError, match=r"images\.txt, line 1: expected IMAGE_ID"):
        load_views(tmp_path)


def test_broken_middlebury(tmp_path: Path, scene: Views) -> None:
    write_middlebury(tmp_path, scene)
    file = tmp_path / "scene_par.txt"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(["13", *lines[1:]]))
    with pytest.raises(InputError, match="announces 13 images, 12 lines follow"):
        load_views(tmp_path)
    file.write_text("\n".join([lines[0], lines[1].rsplit(" ", 1)[0], *lines[2:]]))
    with pytest.raises(InputError, match=r"line 2 \(000\.png\): expected a name and 21 numbers"):
        load_views(tmp_path)
    file.write_text("\n".join([lines[0], "../" + lines[1], *lines[2:]]))
    with pytest.raises(InputError, match="leaves the data folder"):
        load_views(tmp_path)
    file.write_text("000.png 1 2 3")
    with pytest.raises(InputError, match="line 1: expected the number of images"):
        load_views(tmp_path)


def test_json_files_are_written_as_the_tests_think(tmp_path: Path, scene: Views) -> None:
    write_nerf(tmp_path, scene)
    assert len(json.loads((tmp_path / "transforms_train.json").read_text())["frames"]) == 12
