"""Arrays too large for memory, joined from parts in an npz that can be memory-mapped."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ...atomic import written_whole

Entry = tuple[tuple[int, ...], type]
"""Shape and type of an array."""


def write_archive(target: Path, entries: Mapping[str, Entry], parts: Sequence[Path]) -> None:
    """Join arrays along their first axes into an npz that is not compressed, holding one part in memory at a time.

    Args:
        target: replaced whole or not at all. The same arrays give the same bytes.
        entries: names, shapes and types of the joined arrays.
        parts: npz files that hold arrays of these names.

    Raises:
        InputError: it cannot be written.
    """
    with written_whole(target) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for key, (shape, dtype) in entries.items():
            entry = zipfile.ZipInfo(f"{key}.npy")  # of no date
            with archive.open(entry, "w", force_zip64=True) as stream:
                header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(stream, header)
                for path in parts:
                    with np.load(path) as part:
                        stream.write(np.ascontiguousarray(part[key]).tobytes())
