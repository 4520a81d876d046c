"""COLMAP sparse models: ``cameras`` and ``images``, ``.bin`` or ``.txt``, in ``sparse/0``, ``sparse`` or the folder.

Written from the format's description, https://colmap.github.io/format.html. Poses are world-to-camera, quaternions
(w, x, y, z); the image's top-left corner is (0, 0): but for the lens distortion these are the house's own cameras.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch

from ..camera_conventions import rotation_from_quaternion
from .frames import BadFile, Frame, Scan, pinhole, read_text
from .pictures import IMAGE_SUFFIXES

# model: number in the binary file, number of parameters, positions of fx fy cx cy, positions of k1 k2 p1 p2 k3 k4 k5 k6
_MODELS: dict[str, tuple[int, int, tuple[int, int, int, int], tuple[int, ...]]] = {
    "SIMPLE_PINHOLE": (0, 3, (0, 0, 1, 2), ()),
    "PINHOLE": (1, 4, (0, 1, 2, 3), ()),
    "SIMPLE_RADIAL": (2, 4, (0, 0, 1, 2), (3,)),
    "RADIAL": (3, 5, (0, 0, 1, 2), (3, 4)),
    "OPENCV": (4, 8, (0, 1, 2, 3), (4, 5, 6, 7)),
    "FULL_OPENCV": (6, 12, (0, 1, 2, 3), (4, 5, 6, 7, 8, 9, 10, 11)),
}
# models that are recognised, so as to be refused by name: number of parameters
_UNSUPPORTED = {
    5: ("OPENCV_FISHEYE", 8),
    7: ("FOV", 5),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
    10: ("THIN_PRISM_FISHEYE", 12),
    11: ("RAD_TAN_THIN_PRISM_FISHEYE", 16),
}
_MODEL_NAMES = {number: name for name, (number, *_) in _MODELS.items()}
_PLACES = ("sparse/0", "sparse", "colmap/sparse/0", "colmap/sparse", ".", "0")
_IMAGE_FOLDERS = ("images", "image", ".")


def find(path: Path) -> Path | None:
    """The images.bin or images.txt of the model that ``path`` is, holds or, as one of the model's files, is part of."""
    if path.is_file():
        if path.stem not in ("cameras", "images", "points3D") or path.suffix not in (".bin", ".txt"):
            return None
        return _images_file(path.parent, path.suffix)
    found = (_images_file(path / place, suffix) for place in _PLACES for suffix in (".bin", ".txt"))
    return next((file for file in found if file is not None), None)


def _images_file(model: Path, suffix: str) -> Path | None:
    """The images file of a model folder, if it has cameras too."""
    if all((model / (name + suffix)).is_file() for name in ("cameras", "images")):
        return model / ("images" + suffix)
    return None


def read(file: Path) -> Scan:
    """All frames of a sparse model; raises `BadFile` only where a file as a whole makes no sense."""
    model = file.parent
    scan = Scan(f"COLMAP sparse model ({file.suffix[1:]})", _root(model), file)
    others = [p.name for p in model.parent.iterdir() if p.is_dir() and p.name.isdecimal() and p != model]
    if model.name.isdecimal() and others:
        scan.warn(f"only model {model.name} is read, there are also {', '.join(sorted(others))}", model.parent)
    read_cameras, read_images = (
        (_cameras_binary, _images_binary) if file.suffix == ".bin" else (_cameras_text, _images_text)
    )
    cameras = read_cameras(model / f"cameras{file.suffix}")
    images = sorted(read_images(file), key=lambda image: image[0])
    if not images:
        raise BadFile(file, "no images in it")
    folder = _image_folder(scan.root, images[0][0])
    for name, camera, q, t in images:
        where = f"{file}, image {name}"
        path = scan.inside(name, folder, where)
        if camera not in cameras:
            scan.error(f"refers to camera {camera}, which cameras{file.suffix} does not have", where)
        elif path is not None and (found := _intrinsics(scan, *cameras[camera], where)) is not None:
            K, size, distortion = found
            if not np.linalg.norm(q) > 0:
                scan.error("the quaternion is zero or NaN", where)
                continue
            R = rotation_from_quaternion(torch.from_numpy(q)[None])[0].numpy()
            scan.add(Frame(name, path, R, t, K, size, distortion=distortion), where)
    return scan


Camera = tuple[str, int, int, np.ndarray]  # model, width, height, parameters
Image = tuple[str, int, np.ndarray, np.ndarray]  # name, camera, quaternion, translation


def _intrinsics(
    scan: Scan, model: str, width: int, height: int, parameters: np.ndarray, where: str
) -> tuple[np.ndarray, tuple[int, int], np.ndarray | None] | None:
    """K, (height, width) and OpenCV distortion or None; None, with an error, for a lens that is not supported."""
    if model not in _MODELS:
        scan.error(f"camera model {model} is not supported", where, "undistort with `colmap image_undistorter`")
        return None
    _, count, focal_center, lens = _MODELS[model]
    if len(parameters) != count:
        scan.error(f"camera model {model} takes {count} parameters, found {len(parameters)}", where)
        return None
    distortion = parameters[list(lens)]
    distortion = np.pad(distortion, (0, {0: 0, 1: 3, 2: 2, 4: 0, 8: 0}[len(lens)]))
    return pinhole(*parameters[list(focal_center)]), (height, width), distortion if distortion.any() else None


def _root(model: Path) -> Path:
    """The data folder that a model's folder belongs to."""
    place = model.resolve()
    if place.name.isdecimal() and (place.parent.name == "sparse" or not _holds_pictures(model)):
        model = _parent(model)
    if model.resolve().name == "sparse":
        model = _parent(model)
        if model.resolve().name == "colmap":
            model = _parent(model)
    return model


def _holds_pictures(folder: Path) -> bool:
    return any(p.name in _IMAGE_FOLDERS or p.suffix.lower() in IMAGE_SUFFIXES for p in folder.iterdir())


def _parent(folder: Path) -> Path:
    """The folder above, also of "." and other paths that end in no name of their own."""
    return folder.parent if folder.name not in ("", "..") else folder.resolve().parent


def _image_folder(root: Path, first: str) -> Path:
    """The folder that image names are relative to: the first that has the first image, or else images/."""
    return next((root / f for f in _IMAGE_FOLDERS if (root / f / first).is_file()), root / "images")


def _rows(file: Path) -> list[tuple[int, str]]:
    """Line number and text of every line that is not a comment."""
    return [(n, line) for n, line in enumerate(read_text(file).splitlines(), 1) if not line.startswith("#")]


def _cameras_text(file: Path) -> dict[int, Camera]:
    cameras = {}
    for n, line in _rows(file):
        words = line.split()
        if not words:
            continue
        try:
            cameras[int(words[0])] = (words[1], int(words[2]), int(words[3]), np.array(words[4:], dtype=np.float64))
        except (ValueError, IndexError) as e:
            raise BadFile(f"{file}, line {n}", f"expected CAMERA_ID MODEL WIDTH HEIGHT PARAMS, got {line!r}") from e
    return cameras


def _images_text(file: Path) -> list[Image]:
    images = []
    rows = iter(_rows(file))
    for n, line in rows:
        words = line.split(maxsplit=9)
        if not words:
            continue
        try:
            numbers = np.array(words[1:8], dtype=np.float64)
            images.append((words[9], int(words[8]), numbers[:4], numbers[4:]))
        except (ValueError, IndexError) as e:
            raise BadFile(f"{file}, line {n}", "expected IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME") from e
        next(rows, None)  # the image's 2D points, possibly an empty line
    return images


class _Bytes:
    """A cursor over a binary file that says so where the file ends too early."""

    def __init__(self, file: Path) -> None:
        self.file, self.at = file, 0
        try:
            self.data = file.read_bytes()
        except OSError as e:
            raise BadFile(file, f"cannot be read: {e.strerror}") from e

    def take(self, layout: str) -> tuple:
        layout = "<" + layout
        self.skip(struct.calcsize(layout))
        return struct.unpack_from(layout, self.data, self.at - struct.calcsize(layout))

    def skip(self, count: int) -> None:
        if self.at + count > len(self.data):
            raise BadFile(self.file, f"truncated: it ends at byte {len(self.data)}, inside an entry")
        self.at += count

    def string(self) -> str:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise BadFile(self.file, "truncated: it ends inside a name")
        text = self.data[self.at : end].decode("utf-8", "replace")
        self.at = end + 1
        return text


def _cameras_binary(file: Path) -> dict[int, Camera]:
    data = _Bytes(file)
    cameras = {}
    for _ in range(data.take("Q")[0]):
        camera, model, width, height = data.take("iiQQ")
        if model in _MODEL_NAMES:
            name = _MODEL_NAMES[model]
            count = _MODELS[name][1]
        elif model in _UNSUPPORTED:
            name, count = _UNSUPPORTED[model]
        else:
            raise BadFile(file, f"camera {camera} has the unknown model number {model}")
        cameras[camera] = (name, width, height, np.array(data.take(f"{count}d")))
    return cameras


def _images_binary(file: Path) -> list[Image]:
    data = _Bytes(file)
    images = []
    for _ in range(data.take("Q")[0]):
        _, *numbers = data.take("i7d")
        (camera,) = data.take("i")
        name = data.string()
        data.skip(24 * data.take("Q")[0])  # x, y and the 3D point's number for each 2D point
        pose = np.array(numbers)
        images.append((name, camera, pose[:4], pose[4:]))
    return images
