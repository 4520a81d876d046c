"""IDR, NeuS and their DTU: ``cameras_sphere.npz`` or ``cameras.npz`` beside ``image/`` and ``mask/``.

``world_mat_i`` is the 4x4 projection ``K [R | t]`` of image i from the data set's own world, where the cameras are
left (``scale_mat_i`` maps the unit sphere that IDR and NeuS train in to that world, and is not needed). Pixel
coordinates are taken as they are: the image's top-left corner is (0, 0).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import torch

from ..camera_conventions import decompose_projection, projection_faults
from .frames import BadFile, Frame, Scan, matrix
from .pictures import IMAGE_SUFFIXES

FILES = ("cameras_sphere.npz", "cameras.npz", "cameras_large.npz")
IMAGE_FOLDERS = ("image", "images", "rgb")


def find(path: Path) -> Path | None:
    """The camera file that ``path`` is or holds."""
    if path.is_file():
        return path if path.suffix == ".npz" else None
    return next((path / name for name in FILES if (path / name).is_file()), None)


def read(file: Path) -> Scan:
    """All frames of a camera file; raises `BadFile` only where the file as a whole makes no sense."""
    scan = Scan("IDR/NeuS cameras", file.parent, file)
    try:
        with np.load(file, allow_pickle=False) as data:
            found = {int(m[1]): key for key in data.files if (m := re.fullmatch(r"world_mat_(\d+)", key))}
            matrices = {i: matrix(data[key], (4, 4)) for i, key in sorted(found.items())}
            for i, key in found.items():
                if matrices[i] is None and (P := matrix(data[key], (3, 4))) is not None:
                    matrices[i] = P
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as e:
        raise BadFile(file, f"not a readable npz file: {e}") from e
    if not matrices:
        raise BadFile(file, "no world_mat_0, world_mat_1, ... in it")
    pictures = _pictures(scan, matrices)
    for i, P in matrices.items():
        where = f"{file}, world_mat_{i}"
        if P is None:
            scan.error("expected a 4x4 matrix of numbers", where)
            continue
        projection = torch.from_numpy(P[None, :3])
        faults = projection_faults(projection)
        for _, text in faults:
            scan.error(text, where)
        if not faults and i in pictures:
            R, t, K = (x[0].numpy() for x in decompose_projection(projection))
            scan.add(Frame(pictures[i].name, pictures[i], R, t, K), where)
    return scan


def _pictures(scan: Scan, matrices: dict) -> dict[int, Path]:
    """The image of each camera: by the number in the file's name where that serves all, else in sorted order."""
    folder = next((scan.root / name for name in IMAGE_FOLDERS if (scan.root / name).is_dir()), None)
    if folder is None:
        raise BadFile(scan.root, f"no folder image/ (or images/, rgb/) beside {scan.camera_file.name}")
    files = sorted(p for p in folder.iterdir() if p.suffix in IMAGE_SUFFIXES)
    by_number = {int(p.stem): p for p in files if p.stem.isdecimal()}
    if len(by_number) < len(files) or not set(by_number) >= set(matrices):
        if len(files) == len(matrices):
            return dict(zip(matrices, files))
        scan.error(f"{len(files)} images for {len(matrices)} cameras in {scan.camera_file.name}", folder)
    return by_number
