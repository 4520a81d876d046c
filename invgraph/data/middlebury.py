"""Middlebury multi-view stereo (Seitz et al., CVPR 2006): ``*_par.txt``.

The first line is the number of images; each other line is ``name k11 .. k33 r11 .. r33 t1 t2 t3``, and the projection
is ``K [R | t]``. Its pixel coordinates are array indices, the centre of the first pixel (0, 0): half a pixel is added.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .frames import BadFile, Frame, Scan, pinhole, read_text


def find(path: Path) -> Path | None:
    """The parameter file that ``path`` is or holds."""
    if path.is_file():
        return path if path.name.endswith("_par.txt") else None
    return next(iter(sorted(path.glob("*_par.txt"))), None)


def read(file: Path) -> Scan:
    """All frames of a parameter file; raises `BadFile` only where the file as a whole makes no sense."""
    scan = Scan("Middlebury parameters", file.parent, file)
    lines = [(n, line.split()) for n, line in enumerate(read_text(file).splitlines(), 1) if line.strip()]
    if not lines or len(lines[0][1]) != 1 or not lines[0][1][0].isdecimal():
        raise BadFile(f"{file}, line 1", "expected the number of images")
    count = int(lines[0][1][0])
    if count != len(lines) - 1:
        scan.error(f"the first line announces {count} images, {len(lines) - 1} lines follow", file)
    for n, words in lines[1:]:
        where = f"{file}, line {n} ({words[0]})"
        try:
            numbers = np.array(words[1:], dtype=np.float64)
        except ValueError:
            numbers = np.zeros(0)
        if len(numbers) != 21:
            scan.error(f"expected a name and 21 numbers (K, R, t), found {len(words) - 1} values", where)
            continue
        image = scan.inside(words[0], scan.root, where)
        if image is not None:
            K, R, t = numbers[:9].reshape(3, 3), numbers[9:18].reshape(3, 3), numbers[18:]
            K = pinhole(1.0, 1.0, 0.5, 0.5) @ K
            scan.add(Frame(words[0], image, R, t, K), where)
    return scan
