"""Point clouds on disk: ply, obj, plain text, and NumPy files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..errors import InputError
from .points_cloud import PointCloud

if TYPE_CHECKING:
    import numpy as np

    from ..geometry import Mesh

TEXT = (".xyz", ".txt", ".csv", ".pts")
READABLE = (".ply", ".obj", *TEXT, ".npz", ".npy")
_MESHES = (".glb", ".gltf", ".off", ".stl")


def load_points(path: str | os.PathLike[str]) -> PointCloud:
    """Read a point cloud, with normals where the file has them.

    - ``.ply``: vertices ``x y z``, and ``nx ny nz``; faces are passed over.
    - ``.obj``: lines ``v``, and ``vn`` if there are as many.
    - ``.xyz``, ``.txt``, ``.csv``, ``.pts``: three or six numbers a line, ``x y z [nx ny nz]``, apart by spaces, commas
      or semicolons; ``#`` begins a comment, and a first line with nothing but the number of points is passed over.
    - ``.npz``: ``points`` and ``normals``, each (N, 3), as the ``pointcloud.npz`` of Occupancy Networks; they stay in
      the frame of ``points``.
    - ``.npy``: (N, 3) or (N, 6).

    Raises:
        InputError: the file is missing, unreadable, empty or of another kind, or not a cloud (see :class:`PointCloud`).
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in READABLE:
        raise InputError(f"{path}: expected a point cloud ending in {', '.join(READABLE)}")
    _check_there(path)
    read = {".ply": _read_ply, ".obj": _read_obj, ".npz": _read_npz, ".npy": _read_npy}.get(kind, _read_text)
    try:
        numbers = read(path)
    except InputError:
        raise
    except Exception as error:  # each reader fails in its own ways on broken files
        reason = (str(error).strip().split("\n")[0] or type(error).__name__)[:120]
        raise InputError(f"{path}: not a readable {kind} point cloud ({reason})") from error
    if len(numbers) == 0:
        raise InputError(f"{path}: the file has no points")
    if numbers.ndim != 2 or numbers.shape[1] not in (3, 6):
        raise InputError(f"{path}: expected 3 or 6 numbers a point (x y z [nx ny nz]), got shape {numbers.shape}")
    values = torch.from_numpy(numbers)
    return PointCloud(values[:, :3], values[:, 3:] if values.shape[1] == 6 else None, source=str(path))


def load_shape(path: str | os.PathLike[str]) -> PointCloud | Mesh:
    """Read a file that holds a mesh or a point cloud: a mesh if it has faces.

    Raises:
        InputError: see :func:`load_points` and :func:`invgraph.load_mesh`.
    """
    from ..geometry import load_mesh

    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (*READABLE, *_MESHES):
        known = ", ".join((*READABLE, *_MESHES))
        raise InputError(f"{path}: expected a point cloud or a mesh ending in {known}")
    _check_there(path)
    if kind in _MESHES or (kind in (".ply", ".obj") and _has_faces(path, kind)):
        return load_mesh(path, appearance=False)
    return load_points(path)


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")


def _has_faces(path: Path, kind: str) -> bool:
    with path.open("rb") as file:
        for line in file:
            words = line.split()
            if kind == ".obj" and words[:1] == [b"f"]:
                return True
            if kind == ".ply" and words[:2] == [b"element", b"face"]:
                return words[2:3] != [b"0"]
            if kind == ".ply" and words[:1] == [b"end_header"]:
                return False
    return False


def _read_ply(path: Path) -> np.ndarray:
    import numpy as np
    import trimesh

    loaded: Any = trimesh.load(path, process=False)
    vertex = loaded.metadata["_ply_raw"]["vertex"]
    count, data = vertex["length"], vertex["data"]
    fields = data.dtype.names if isinstance(data, np.ndarray) else tuple(data)
    names = ("x", "y", "z") + (("nx", "ny", "nz") if "nx" in fields else ())
    columns = [np.asarray(data[name], np.float64).reshape(-1) for name in names]
    if any(len(column) != count for column in columns):
        held = min(map(len, columns))
        raise InputError(f"{path}: the file is truncated, it declares {count} points and holds {held}")
    return np.stack(columns, 1)


def _read_obj(path: Path) -> np.ndarray:
    import numpy as np

    rows: dict[str, list[list[str]]] = {"v": [], "vn": []}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if words and words[0] in rows:
            rows[words[0]].append(words[1:4])  # what may follow a position are colours
    points, normals = (np.asarray(part, np.float64).reshape(-1, 3) for part in rows.values())
    return np.hstack([points, normals]) if len(normals) == len(points) else points


def _read_text(path: Path) -> np.ndarray:
    import numpy as np

    text = path.read_text(encoding="utf-8", errors="replace").replace(",", " ").replace(";", " ")
    rows = [line.split() for line in (line.split("#")[0] for line in text.splitlines())]
    numbered = [(number, row) for number, row in enumerate(rows, 1) if row]
    if numbered and len(numbered[0][1]) == 1:  # the number of points
        numbered = numbered[1:]
    width = len(numbered[0][1]) if numbered else 3
    for number, row in numbered:
        if len(row) not in (3, 6) or len(row) != width:
            expected = "3 or 6 numbers a line (x y z [nx ny nz]), the same everywhere"
            raise InputError(f"{path}: expected {expected}, got {len(row)} in line {number}")
    numbers = np.asarray([row for _, row in numbered], np.float64).reshape(-1, width)
    if width == 6 and len(numbers) and (numbers[:, 3:] >= 0).all():
        raise InputError(
            f"{path}: columns 4 to 6 have no negative number, as normals all around have: are they colours?"
        )
    return numbers


def _read_npz(path: Path) -> np.ndarray:
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        if "points" not in file:
            held = ", ".join(file.files) or "nothing"
            raise InputError(f"{path}: expected an array 'points' (and 'normals'), the file holds {held}")
        parts = [np.asarray(file[name], np.float64) for name in ("points", "normals") if name in file]
    if any(part.ndim != 2 or part.shape != (len(parts[0]), 3) for part in parts):
        shapes = " and ".join(str(part.shape) for part in parts)
        raise InputError(f"{path}: expected points (N, 3) and normals (N, 3), got {shapes}")
    return np.hstack(parts)


def _read_npy(path: Path) -> np.ndarray:
    import numpy as np

    return np.asarray(np.load(path, allow_pickle=False), np.float64)
