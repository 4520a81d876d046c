"""A model's ``cameras.npz``: matrices by the number of their view."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...errors import InputError

Matrices = dict[str, np.ndarray]


def read_matrices(path: Path) -> Matrices:
    """The arrays of a file of cameras, by name.

    Raises:
        InputError: missing, or not a readable npz.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of cameras")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except Exception as error:  # zipfile and numpy raise many kinds for broken archives
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: not a readable npz archive, truncated perhaps ({reason})") from error


def check_matrix(path: Path, key: str, file: Matrices, shapes: Sequence[tuple[int, int]]) -> None:
    """A matrix of one of these shapes, of finite numbers; else InputError."""
    if key not in file:
        raise InputError(f"{path}: expected the key {key!r}, got {', '.join(sorted(file)[:4]) or 'none'} ...")
    array = file[key]
    if array.dtype.kind not in "fiu" or array.shape not in shapes:
        expected = f"numbers of shape {' or '.join(map(str, shapes))}"
        raise InputError(f"{path}: {key!r} is {array.dtype} of shape {array.shape}, expected {expected}")
    if not np.isfinite(array).all():
        raise InputError(f"{path}: {key!r} is not finite")
