"""``invgraph data shapes OUT``: a data set of made shapes."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..data.made.options import MadeOptions
from ..errors import InputError
from .folder import check_folder, remove

if TYPE_CHECKING:
    from ..data.made import MadeReport

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
        from ..geometry.files import write_atomically
        from ..progress import Bar

        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers: expected at least 1, got {self.workers}")
        check_folder(self.out, self._results(), overwrite=self.overwrite, resume=self.resume)
        if self.resume:
            self._check_record()
        self.out.mkdir(parents=True, exist_ok=True)
        if self.overwrite:
            remove(self.out, self._results())
        write_atomically(self.out / RECORD, f"{json.dumps(self._record(), indent=2)}\n".encode())
        with Bar("make") as bar:

            def show(report: MadeReport, total: int) -> None:
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
        from ..data.made.build import PIECES
        from ..data.made.classes import SYNSETS

        found = [path.name for name in SYNSETS.values() for path in self.out.glob(f"{name}_*_*.npz")]
        return [RECORD, PIECES, *sorted(found)]

    def _record(self) -> dict[str, object]:
        from .. import __version__

        return {"invgraph": __version__, "made": json.loads(json.dumps(dataclasses.asdict(self.made)))}

    def _check_record(self) -> None:
        """A run goes on with the options that it began with."""
        path = self.out / RECORD
        try:
            began = json.loads(path.read_text(encoding="utf-8"))["made"]
            for name, value in self._record()["made"].items():  # type: ignore[attr-defined]
                if began[name] != value:
                    raise InputError(
                        f"{path}: the data set was begun with {name} {began[name]}, now it would be {value}"
                    )
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: not the record of a data set ({type(error).__name__})") from error
