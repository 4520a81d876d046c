"""A data set of made shapes on disk: in parallel, resumable, in the format of the SoftRas/NMR ShapeNet files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..image_sets.nmr_writer import PicturesReport, write_nmr
from .classes import SYNSETS
from .options import MadeOptions
from .shape import make_shape, shape_seed

if TYPE_CHECKING:
    from ...geometry import Mesh

BATCH = 8  # shapes that a process makes before it writes them


@dataclass(frozen=True)
class _MadeShape:
    kind: str
    index: int
    of_set: int

    @property
    def name(self) -> str:
        return f"{self.kind} {self.index}"

    @property
    def seed(self) -> int:
        return shape_seed(self.kind, self.index, self.of_set) >> 1

    def mesh(self) -> Mesh:
        return make_shape(self.kind, self.index, seed=self.of_set)


def make_shapes(
    out: str | os.PathLike[str],
    options: MadeOptions | None = None,
    *,
    workers: int = 1,
    progress: Callable[[PicturesReport, int], None] | None = None,
) -> PicturesReport:
    """Make shapes and write ``{SYNSET}_{SPLIT}_images.npz``, ``_voxels.npz`` and ``_points.npz``.

    Files are written once all of their shapes were tried, whole or not at all, and without those that failed; until
    then finished batches lie in ``OUT/.pieces``, from which the next call with the same options goes on. A shape's
    bytes depend on the seed, its class and its number alone. On Ctrl-C the batches at work are finished; a second one
    ends at once.

    Args:
        out: folder; made if missing. Files that are there already are taken as finished.
        options: :class:`MadeOptions`, the default ones if None.
        workers: number of processes, with one thread each. A script that asks for several must not do so while it is
            imported: it needs ``if __name__ == "__main__":``.
        progress: called with the report so far and the number of shapes, at the start and after each batch.

    Raises:
        ValueError: ``workers`` below 1.
        ImportError: manifold3d is not installed.
        InputError: a folder that cannot be written.
    """
    from . import parts as parts  # says what is missing before any process is started

    options = options or MadeOptions()
    plan = {
        (SYNSETS[kind], split): [_MadeShape(kind, index, options.seed) for index in numbers]
        for (kind, split), numbers in options.plan().items()
    }
    return write_nmr(Path(out), plan, options.points, batch=BATCH, workers=workers, progress=progress)
