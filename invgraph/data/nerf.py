"""NeRF-synthetic (Blender) and nerfstudio: ``transforms*.json``.

``transform_matrix`` is an OpenGL camera-to-world (x right, y up, looking along -z). Intrinsics are ``camera_angle_x``
or ``fl_x fl_y cx cy w h``, for the whole file or a frame of it, with OpenCV's distortion ``k1 k2 p1 p2 k3``.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from .frames import BadFile, Frame, Scan, matrix, pinhole, read_text
from .pictures import IMAGE_SUFFIXES, picture_size

FILES = ("transforms.json", "transforms_train.json")
"""Camera files looked for in a folder, in this order."""
_PINHOLE_MODELS = ("", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV")


def find(path: Path) -> Path | None:
    """The transforms file that ``path`` is or holds."""
    if path.is_file():
        return path if path.suffix == ".json" else None
    found = [path / name for name in FILES if (path / name).is_file()]
    return found[0] if found else next(iter(sorted(path.glob("transforms*.json"))), None)


def read(file: Path) -> Scan:
    """All frames of a transforms file; raises `BadFile` only where the file as a whole makes no sense."""
    scan = Scan("NeRF transforms.json", file.parent, file)
    try:
        data = json.loads(read_text(file))
    except (json.JSONDecodeError, RecursionError) as e:
        raise BadFile(file, f"not valid JSON: {e}") from e
    frames = data.get("frames") if isinstance(data, dict) else None
    if not isinstance(frames, list) or not frames:
        raise BadFile(file, "expected an object with a non-empty list 'frames'")
    for i, entry in enumerate(frames):
        where = f"{file}, frames[{i}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("file_path"), str):
            scan.error("expected an object with a 'file_path' and a 'transform_matrix'", where)
            continue
        where = f"{where} ({entry['file_path']})"
        c2w = matrix(entry.get("transform_matrix"), (4, 4))
        if c2w is None:
            c2w = matrix(entry.get("transform_matrix"), (3, 4))
        if c2w is None:
            scan.error("transform_matrix must be a 4x4 (or 3x4) matrix of numbers", where)
            continue
        _read_frame(scan, {**data, **entry}, c2w, where)
    return scan


def _read_frame(scan: Scan, settings: dict, c2w: np.ndarray, where: str) -> None:
    """One frame; ``settings`` are the file's, overridden by the frame's own."""
    model = str(settings.get("camera_model", "") or "")
    if model not in _PINHOLE_MODELS:
        scan.error(f"camera_model {model!r} is not supported", where, "undistort the images to a pinhole camera first")
        return
    image = scan.inside(settings["file_path"], scan.root, where)
    mask = scan.inside(settings["mask_path"], scan.root, where) if isinstance(settings.get("mask_path"), str) else None
    if image is None:
        return
    numbers: dict[str, float] = {}
    for key in ("camera_angle_x", "camera_angle_y", "fl_x", "fl_y", "cx", "cy", "w", "h", "k1", "k2", "k3", "p1", "p2"):
        if settings.get(key) is not None:
            try:
                numbers[key] = float(settings[key])
            except (TypeError, ValueError):
                scan.error(f"{key} must be a number, got {settings[key]!r}", where)
                return
    if not all(math.isfinite(x) for x in numbers.values()):
        bad = next(key for key, x in numbers.items() if not math.isfinite(x))
        scan.error(f"{bad} is NaN or infinite", where)
        return
    if "fl_x" not in numbers and "camera_angle_x" not in numbers:
        scan.error("no focal length: expected camera_angle_x or fl_x", where)
        return
    size = (int(numbers["h"]), int(numbers["w"])) if "w" in numbers and "h" in numbers else None
    coefficients = np.array([numbers.get(k, 0.0) for k in ("k1", "k2", "p1", "p2", "k3")])
    # columns are the camera's right, up and backward axes: y and z point the other way in OpenCV
    R = (c2w[:3, :3] * [1.0, -1.0, -1.0]).T
    with np.errstate(invalid="ignore"):  # infinities become NaN, which is reported as such
        t = -R @ c2w[:3, 3]
    image = with_suffix(image)
    # a picture that cannot be opened is reported by decoding; its pose is worth checking all the same
    H, W = size or picture_size(image) or (1, 1)
    fx = numbers["fl_x"] if "fl_x" in numbers else _focal(W, numbers["camera_angle_x"])
    if "fl_y" in numbers:
        fy = numbers["fl_y"]
    else:
        fy = _focal(H, numbers["camera_angle_y"]) if "camera_angle_y" in numbers and "fl_x" not in numbers else fx
    frame = Frame(
        name=settings["file_path"].removeprefix("./"),
        image=image,
        R=R,
        t=t,
        K=pinhole(fx, fy, numbers.get("cx", W / 2), numbers.get("cy", H / 2)),
        size=size,
        mask=mask,
        distortion=coefficients if coefficients.any() else None,
    )
    scan.add(frame, where)


def _focal(extent: int, angle: float) -> float:
    return 0.5 * extent / math.tan(0.5 * angle) if 0 < angle < math.pi else 0.0


def with_suffix(path: Path) -> Path:
    """The path itself if it exists, else with the first known image suffix that does (Blender's files leave it out)."""
    if path.is_file():
        return path
    return next((p for s in IMAGE_SUFFIXES if (p := path.with_name(path.name + s)).is_file()), path)
