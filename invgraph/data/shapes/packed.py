"""Reading the HDF5 file of a data set of shapes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from .packing import FORMAT, PARTS
from .records import ShapeCloud, ShapePoints, Voxels

_LENGTHS = ("first", "count", "loc", "scale")


class PackedShapes:
    """Read what :func:`pack_shapes` wrote: whole models, or a few random points of one without reading the others.

    A sample is a run of a model's shuffled points that begins at a random place: one short read. It may be pickled and
    used in many processes; each opens the file for itself.

    Args:
        path: the file.

    Raises:
        InputError: missing, not such a file, truncated, or with arrays that disagree.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{self.path}: no such file")
        self._opened: tuple[int, Any, dict[str, Any]] | None = None
        try:
            self._index()
        except InputError:
            raise
        except Exception as error:  # h5py raises many kinds for broken files
            reason = " ".join(str(error).split())[:120]
            raise InputError(f"{self.path}: not a readable file of packed shapes ({reason})") from error

    def _index(self) -> None:
        file = self._data("/")
        if file.attrs.get("format") != FORMAT:
            raise InputError(f"{self.path}: 'format' is {file.attrs.get('format')!r}, expected {FORMAT!r}")
        self.models: tuple[str, ...] = tuple(name.decode() for name in file["models"][:])
        """Names of the models: "CATEGORY/MODEL" or "MODEL"."""
        self.parts: tuple[str, ...] = tuple(part for part in PARTS if part in file)
        """What is known of every model: any of "points", "near", "cloud", "voxels"."""
        self._tables: dict[str, dict[str, np.ndarray]] = {}
        for part in self.parts:
            group = file[part]
            names = ("low", "side") if part == "voxels" else _LENGTHS
            table = {name: group[name][:] for name in names}
            for name, array in table.items():
                if len(array) != len(self.models):
                    raise InputError(f"{self.path}: '{part}/{name}' has {len(array)} rows, expected {len(self.models)}")
            if part != "voxels":
                end = int((table["first"] + table["count"]).max(initial=0))
                if len(group["points"]) < end:
                    raise InputError(f"{self.path}: '{part}/points' has {len(group['points'])} rows, expected {end}")
                if "sigmas" in group:
                    table["sigmas"] = group["sigmas"][:]
            self._tables[part] = table

    def __len__(self) -> int:
        return len(self.models)

    def points(
        self,
        index: int,
        count: int | None = None,
        *,
        noise: float = 0.0,
        generator: torch.Generator | int | None = None,
    ) -> ShapePoints:
        """Points drawn uniformly in the padded cube.

        Args:
            index: which model.
            count: how many, at random; None gives all.
            noise: standard deviation of noise added to the points, which float16 has put on a lattice; see
                :func:`load_points`.
            generator: source of the choice and the noise, or a seed; the global generator if None.

        Raises:
            ValueError: fewer points than ``count``, or none of this kind in the file.
        """
        return self._points("points", index, count, noise, generator)

    def near(
        self,
        index: int,
        count: int | None = None,
        *,
        noise: float = 0.0,
        generator: torch.Generator | int | None = None,
    ) -> ShapePoints:
        """Points drawn near the surface; as :meth:`points`."""
        return self._points("near", index, count, noise, generator)

    def cloud(
        self, index: int, count: int | None = None, *, generator: torch.Generator | int | None = None
    ) -> ShapeCloud:
        """Points of the surface with normals; as :meth:`points`."""
        table = self._table("cloud", index)
        runs = _runs(table, index, count, _generator(generator))
        points = _read(self._data("cloud/points"), runs).astype(np.float32)
        normals = _read(self._data("cloud/normals"), runs).astype(np.float32)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return ShapeCloud(torch.from_numpy(points), torch.from_numpy(normals), *_frame(table, index))

    def voxels(self, index: int) -> Voxels:
        """Voxels of a model."""
        table = self._table("voxels", index)
        resolution = int(self._data("voxels").attrs["resolution"])
        bits = np.unpackbits(self._data("voxels/filled")[index])[: resolution**3].astype(bool)
        filled = torch.from_numpy(bits.reshape(resolution, resolution, resolution))
        return Voxels(filled, torch.from_numpy(table["low"][index]), float(table["side"][index]))

    def _points(
        self, part: str, index: int, count: int | None, noise: float, generator: torch.Generator | int | None
    ) -> ShapePoints:
        table = self._table(part, index)
        generator = _generator(generator)
        runs = _runs(table, index, count, generator)
        points = torch.from_numpy(_read(self._data(f"{part}/points"), runs).astype(np.float32))
        packed = self._data(f"{part}/occupancies")
        bits = [packed[begin // 8 : -(-end // 8)] for begin, end in runs]
        inside = np.concatenate([np.unpackbits(b)[: end - begin] for b, (begin, end) in zip(bits, runs)]).astype(bool)
        sigmas = None
        if "sigmas" in table:
            sigmas = torch.from_numpy(table["sigmas"][_read(self._data(f"{part}/sigma_index"), runs)])
        if noise:
            points = points + noise * torch.randn(points.shape, generator=generator)
        return ShapePoints(points, torch.from_numpy(inside), *_frame(table, index), sigmas)

    def _table(self, part: str, index: int) -> dict[str, np.ndarray]:
        if part not in self._tables:
            raise ValueError(f"{part}: expected one of {', '.join(self.parts)}, which {self.path} holds")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index: expected below {len(self)}, got {index}")
        return self._tables[part]

    def _data(self, name: str) -> Any:
        """A group or array of the open file, kept open; a process does not use handles that it inherited."""
        import h5py

        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), h5py.File(self.path, "r"), {})
        _, file, kept = self._opened
        if name not in kept:
            kept[name] = file[name]
        return kept[name]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}


def _generator(generator: torch.Generator | int | None) -> torch.Generator | None:
    return torch.Generator().manual_seed(generator) if isinstance(generator, int) else generator


def _runs(
    table: dict[str, np.ndarray], index: int, count: int | None, generator: torch.Generator | None
) -> list[tuple[int, int]]:
    """Rows [begin, end) to read: all of a model, or ``count`` from a random multiple of 8 on, around its end."""
    first, total = int(table["first"][index]), int(table["count"][index])
    if count is None:
        return [(first, first + total)]
    if not 0 < count <= total:
        raise ValueError(f"count: expected 1 to {total}, the points of this model, got {count}")
    start = 8 * int(torch.randint(-(-total // 8), (), generator=generator))
    end = min(start + count, total)
    rest = count - (end - start)
    return [(first + start, first + end), *([(first, first + rest)] if rest else [])]


def _read(data: Any, runs: list[tuple[int, int]]) -> np.ndarray:
    parts = [data[begin:end] for begin, end in runs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _frame(table: dict[str, np.ndarray], index: int) -> tuple[Tensor, float]:
    return torch.from_numpy(table["loc"][index]), float(table["scale"][index])
