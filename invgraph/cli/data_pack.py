"""``invgraph data pack DIR --out FILE``: a data set of shapes into one HDF5 file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from ..errors import InputError


@dataclass(frozen=True)
class DataPack:
    """Pack a data set of shapes into one HDF5 file, from which random samples of a shape are read fast.

    Reads the layout of Occupancy Networks, as `invgraph data sample` writes it.
    """

    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    """Folder of the data set."""
    out: Annotated[Path, arg(metavar="FILE")]
    """HDF5 file."""
    split: Annotated[str | None, arg(metavar="NAME")] = None
    """Only the models of the lists NAME.lst."""
    overwrite: bool = False
    """Replace FILE."""

    def run(self) -> int:
        """Pack; 0."""
        if self.out.exists() and not self.overwrite:
            raise InputError(f"{self.out}: is there already; choose another file or --overwrite")
        pack(self.folder, self.out, self.split)
        return 0


def pack(folder: Path, file: Path, split: str | None = None) -> None:
    """Pack with a bar, and say what was written."""
    from ..data import PackedShapes, ShapeFolder, pack_shapes
    from ..progress import Bar

    shapes = ShapeFolder(folder, split=split)
    with Bar("pack") as bar:
        pack_shapes(shapes, file, progress=lambda done, total: bar.update(completed=done, total=total))
    parts = ", ".join(PackedShapes(file).parts)
    print(f"{len(shapes)} packed ({parts}), {file.stat().st_size / 1e6:.1f} MB: {file}")
