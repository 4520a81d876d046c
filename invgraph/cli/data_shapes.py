"""``invgraph data shapes OUT``: a data set of made shapes."""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..data.made.options import MadeOptions
from ..errors import InputError
from .folder import check_folder, remove
from .record import check_record, write_record

if TYPE_CHECKING:
    from ..data import PicturesReport

RECORD = "made.json"


@dataclass(frozen=True)
class DataShapes:
    """Make a data set of shapes in pictures, in the format of the SoftRas/NMR ShapeNet files.

    For each class and split: 24 views of 64x64 RGBA, 32^3 voxels, and points with occupancies, of shapes that are put
    together at random from solids. Needs manifold3d (pip install '.[shapes]'). Ctrl-C ends after the shapes at
    work; --resume goes on.
    """

    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Folder of the data set; made if missing."""
    workers: Annotated[int | None, arg(metavar="N")] = None
    """Processes; default: one for each core."""
    overwrite: bool = False
    """Replace the data set in OUT."""
    resume: bool = False
    """Go on with OUT; shapes that are made are passed over."""
    made: OmitArgPrefixes[MadeOptions] = field(default_factory=MadeOptions)

    def run(self) -> int:
        """Make, write, say what was made; 0, 2 if something failed, 130 if it was interrupted."""
        from ..data.made import make_shapes
        from ..data.made import parts as parts  # says that manifold3d is missing before anything is written
        from ..progress import Bar

        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers: expected at least 1, got {self.workers}")
        check_folder(self.out, self._results(), overwrite=self.overwrite, resume=self.resume)
        options = dataclasses.asdict(self.made)
        if self.resume:
            check_record(self.out / RECORD, "made", options)
        self.out.mkdir(parents=True, exist_ok=True)
        if self.overwrite:
            remove(self.out, self._results())
        write_record(self.out / RECORD, "made", options)
        with Bar("make") as bar:

            def show(report: PicturesReport, total: int) -> None:
                bar.update(completed=report.done + report.there, total=total, scores=f"{len(report.failed)} failed")

            workers = self.workers or len(os.sched_getaffinity(0))
            report = make_shapes(self.out, self.made, workers=workers, progress=show)
        for sentence in report.failed:
            print(f"invgraph data shapes: error: {sentence}", file=sys.stderr)
        pace = report.done / report.seconds if report.done else 0.0
        print(
            f"{report.done} shapes made in {report.seconds:.1f} s ({pace:.1f} a second), "
            f"{report.there} were there: {self.out}"
        )
        if report.interrupted:
            print("interrupted; the same command with --resume goes on")
            return 130
        return 2 if report.failed else 0

    def _results(self) -> list[str]:
        """What this command writes, or may have written."""
        from ..data.image_sets.nmr_writer import PIECES
        from ..data.made.classes import SYNSETS

        found = [path.name for name in SYNSETS.values() for path in self.out.glob(f"{name}_*_*.npz")]
        return [RECORD, PIECES, *sorted(found)]
