"""``.binvox`` files: a cube of voxels, run-length coded (Patrick Min's format, version 1)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from ...atomic import write_atomically
from ...errors import InputError
from .records import Voxels

_MAX_RESOLUTION = 2048


def load_binvox(path: str | os.PathLike[str]) -> Voxels:
    """Read a binvox file.

    The file runs through x slowest, then z, then y; the result is indexed x, y, z, as the readers of 3D-R2N2 and of
    Occupancy Networks have it.

    Raises:
        InputError: missing, not a binvox file, not a cube, truncated, or with runs that do not add up to its size.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    data = path.read_bytes()
    if not data.startswith(b"#binvox 1"):
        raise InputError(f"{path}: not a binvox file of version 1")
    head, found, body = data.partition(b"\ndata\n")
    fields = {words[0]: words[1:] for words in (line.split() for line in head.split(b"\n")[1:]) if words}
    if not found:
        raise InputError(f"{path}: the header has no line 'data'")
    size = [int(n) for n in _numbers(path, fields, "dim", 3)]
    if len(set(size)) != 1 or not 0 < size[0] <= _MAX_RESOLUTION:
        raise InputError(f"{path}: 'dim' is {size}, expected three equal numbers from 1 to {_MAX_RESOLUTION}")
    low = _numbers(path, fields, "translate", 3)
    side = _numbers(path, fields, "scale", 1)[0]
    if side <= 0:
        raise InputError(f"{path}: 'scale' is {side}, expected a length above 0")
    pairs = np.frombuffer(body[: len(body) // 2 * 2], np.uint8).reshape(-1, 2)
    values, counts = pairs[:, 0], pairs[:, 1]
    total = int(counts.sum(dtype=np.int64))
    if total != size[0] ** 3 or len(body) % 2:
        raise InputError(f"{path}: 'data' holds {total} voxels, 'dim' says {size[0] ** 3}; the file is broken")
    if values.max(initial=0) > 1:
        raise InputError(f"{path}: 'data' has the value {values.max()}, expected 0 and 1")
    filled = np.repeat(values, counts).reshape(size).transpose(0, 2, 1).astype(bool)
    return Voxels(torch.from_numpy(np.ascontiguousarray(filled)), torch.tensor(low, dtype=torch.float64), side)


def save_binvox(path: str | os.PathLike[str], voxels: Voxels) -> None:
    """Write what :func:`load_binvox` reads, whole or not at all.

    Raises:
        ValueError: voxels that are not a cube.
        InputError: the file cannot be written.
    """
    shape = tuple(voxels.filled.shape)
    if len(shape) != 3 or len(set(shape)) != 1 or shape[0] == 0:
        raise ValueError(f"filled: expected shape (R, R, R), got {shape}")
    flat = voxels.filled.cpu().numpy().astype(np.uint8).transpose(0, 2, 1).reshape(-1)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [len(flat)]])
    lengths = np.diff(edges)
    # a run longer than 255 is cut into runs of 255 and a rest
    pieces = -(-lengths // 255)
    counts = np.full(int(pieces.sum()), 255, np.int64)
    counts[np.cumsum(pieces) - 1] = lengths - 255 * (pieces - 1)
    values = np.repeat(flat[edges[:-1]], pieces)
    low = " ".join(repr(float(x)) for x in voxels.low)
    header = f"#binvox 1\ndim {shape[0]} {shape[1]} {shape[2]}\ntranslate {low}\nscale {float(voxels.side)!r}\ndata\n"
    body = np.stack([values, counts.astype(np.uint8)], axis=1).tobytes()
    write_atomically(Path(path), header.encode() + body)


def _numbers(path: Path, fields: dict[bytes, list[bytes]], name: str, count: int) -> list[float]:
    words = fields.get(name.encode(), [])
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        got = b" ".join(words).decode("latin-1") or "nothing"
        raise InputError(f"{path}: {name!r} expected {count} numbers, got {got[:60]}")
    return numbers
