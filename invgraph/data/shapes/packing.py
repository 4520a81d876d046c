"""A folder of shapes into one HDF5 file, from which random samples of a shape are one short read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...atomic import written_whole
from ...errors import InputError
from .folder import CLOUD, NEAR, POINTS, VOXELS, ShapeFolder
from .records import ShapeCloud, ShapePoints

FORMAT = "invgraph shapes 1"
PARTS = {"points": POINTS, "near": NEAR, "cloud": CLOUD, "voxels": VOXELS}
_CHUNK = 8192  # points; a sample of usual size lies in one or two
_MAX_SIGMAS = 256

Progress = Callable[[int, int], None]


def pack_shapes(folder: ShapeFolder, path: str | os.PathLike[str], *, progress: Progress | None = None) -> None:
    """Write the files that every model of a folder has into one HDF5 file, whole or not at all.

    ``models`` are the names. The groups ``points``, ``near`` and ``cloud`` hold the arrays of all models one after the
    other: ``points`` (T, 3) and ``normals`` (T, 3) in float16, as in the files (what is more precise there is rounded);
    ``occupancies``, packed eight to a byte, the first in the highest bit; ``sigma_index`` (T,) into ``sigmas`` (K,);
    ``first`` (M,), where a model begins, a multiple of 8, and ``count`` (M,), how many points it has. The points of a
    model are shuffled (seed 0), so that any run of them is a random sample. ``voxels/filled`` is packed likewise, (M,
    R^3 / 8). Each group has ``loc`` (M, 3) and ``scale`` (M,); voxels have ``low`` and ``side``.

    Args:
        folder: what to pack.
        path: file to (re)place.
        progress: called with the number of files done and that of all.

    Raises:
        InputError: a broken file; no kind of file that all models have; models that differ in the resolution of their
            voxels, or of which some record sigmas; or a file that cannot be written.
    """
    import h5py

    path, count = Path(path), len(folder)
    parts = [part for part, name in PARTS.items() if all((folder.path(i) / name).is_file() for i in range(count))]
    if not parts:
        raise InputError(f"{folder.root}: expected one of {', '.join(PARTS.values())} in the folder of every model")
    with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["format"] = FORMAT
        file["models"] = np.array([name.encode() for name in folder.models])
        for number, part in enumerate(parts):
            group = file.create_group(part)
            write = _VoxelWriter(group, count) if part == "voxels" else _PointWriter(group, count)
            for i in range(count):
                write(i, folder.path(i) / PARTS[part], getattr(folder, part)(i))
                if progress is not None:
                    progress(number * count + i + 1, len(parts) * count)
            write.close()


class _PointWriter:
    """Appends models to the arrays of a group."""

    def __init__(self, group: Any, count: int) -> None:
        self._group = group
        self._first, self._count = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._loc, self._scale = np.zeros((count, 3)), np.zeros(count)
        self._sigmas: list[float] = []
        self._end = 0

    def __call__(self, index: int, path: Path, record: ShapePoints | ShapeCloud) -> None:
        n = len(record)
        order = torch.randperm(n, generator=torch.Generator().manual_seed(0)).numpy()
        self._first[index], self._count[index] = self._end, n
        self._loc[index], self._scale[index] = record.loc.numpy(), record.scale
        self._end += -(-n // 8) * 8
        self._append("points", record.points.numpy()[order].astype(np.float16))
        if isinstance(record, ShapeCloud):
            self._append("normals", record.normals.numpy()[order].astype(np.float16))
            return
        self._append("occupancies", np.packbits(record.occupancies.numpy()[order]), per_byte=8)
        if (record.sigmas is not None) != ("sigma_index" in self._group) and index:
            raise InputError(f"{path}: expected the keys 'sigmas' and 'sigma_index' in all models, or in none")
        if record.sigmas is not None:
            self._append("sigma_index", self._sigma_index(path, record.sigmas.numpy()[order]))

    def _sigma_index(self, path: Path, sigmas: np.ndarray) -> np.ndarray:
        values, index = np.unique(sigmas, return_inverse=True)
        self._sigmas += [float(value) for value in values if float(value) not in self._sigmas]
        if len(self._sigmas) > _MAX_SIGMAS:
            raise InputError(f"{path}: 'sigmas' brings the different values to more than {_MAX_SIGMAS}")
        return np.array([self._sigmas.index(float(value)) for value in values], np.uint8)[index.reshape(-1)]

    def _append(self, name: str, values: np.ndarray, per_byte: int = 1) -> None:
        shape = values.shape[1:]
        if name not in self._group:
            chunk = (_CHUNK // per_byte, *shape)
            self._group.create_dataset(name, (0, *shape), values.dtype, maxshape=(None, *shape), chunks=chunk)
        data = self._group[name]
        data.resize(self._end // per_byte, axis=0)
        begin = (self._end - -(-(len(values) * per_byte) // 8) * 8) // per_byte
        data[begin : begin + len(values)] = values

    def close(self) -> None:
        for name in ("first", "count", "loc", "scale"):
            self._group[name] = getattr(self, f"_{name}")
        if self._sigmas:
            self._group["sigmas"] = np.array(self._sigmas, np.float32)


class _VoxelWriter:
    """Fills the rows of a group."""

    def __init__(self, group: Any, count: int) -> None:
        self._group, self._models = group, count
        self._low, self._side = np.zeros((count, 3)), np.zeros(count)
        self._resolution = 0

    def __call__(self, index: int, path: Path, record: Any) -> None:
        resolution = len(record.filled)
        if index == 0:
            self._resolution = resolution
            self._group.create_dataset("filled", (self._models, -(-(resolution**3) // 8)), np.uint8)
        elif resolution != self._resolution:
            raise InputError(f"{path}: 'dim' is {resolution}, expected {self._resolution} as of the other models")
        self._group["filled"][index] = np.packbits(record.filled.numpy().reshape(-1))
        self._low[index], self._side[index] = record.low.numpy(), record.side

    def close(self) -> None:
        self._group["low"], self._group["side"] = self._low, self._side
        self._group.attrs["resolution"] = self._resolution
