"""``invgraph data sample MESH... --out DIR``: meshes to a data set of shapes."""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..data.shapes.sampling import SampleOptions
from ..data.shapes.shares import SPLITS, check_shares
from ..errors import InputError
from .data_pack import pack
from .folder import check_folder, remove
from .record import check_record, write_record

if TYPE_CHECKING:
    from ..data import SampleReport

RECORD = "sampling.json"


@dataclass(frozen=True)
class DataSample:
    """Sample meshes into a data set of shapes, in the layout of Occupancy Networks.

    Writes a folder a model: points.npz, points_near.npz, pointcloud.npz, model.binvox. Inside is decided by the
    generalised winding number, so that open and self-intersecting meshes work. A mesh that cannot be sampled does not
    stop the others: it is named in the end, and the exit status is 2. Ctrl-C ends after the models at work; --resume
    goes on.
    """

    meshes: Annotated[Positional[tuple[Path, ...]], arg(metavar="MESH ...")]
    """Mesh files (obj, ply, glb, off, stl), named for themselves, or folders of them, named for their paths in it."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder of the data set; made if missing."""
    category: Annotated[str, arg(metavar="NAME")] = ""
    """Put the models into this folder of DIR."""
    workers: Annotated[int | None, arg(metavar="N")] = None
    """Processes; default: one for each core."""
    split: Annotated[tuple[float, float, float] | None, arg(metavar="TRAIN VAL TEST")] = None
    """Divide the models of DIR by these shares, and write train.lst, val.lst and test.lst."""
    hdf5: Annotated[Path | None, arg(metavar="FILE")] = None
    """Pack the models of DIR into this file, too."""
    overwrite: bool = False
    """Sample models again that are in DIR."""
    resume: bool = False
    """Go on with DIR, or add models to it; finished ones are passed over."""
    sample: OmitArgPrefixes[SampleOptions] = field(default_factory=SampleOptions)

    def run(self) -> int:
        """Sample, write, say what failed; 0, 2 if a model failed, 130 if it was interrupted."""
        from ..data import find_meshes, sample_meshes, write_splits
        from ..data.shapes.folder import FILES
        from ..progress import Bar

        if not self.meshes:
            raise InputError("MESH: expected mesh files or folders of them")
        if len(Path(self.category).parts) > 1 or self.category in (".", ".."):
            raise InputError(f"--category: expected the name of a folder, got {self.category!r}")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers: expected at least 1, got {self.workers}")
        if self.split is not None:
            check_shares(self.split)
        prefix = f"{self.category}/" if self.category else ""
        meshes = {f"{prefix}{name}": path for name, path in find_meshes(self.meshes).items()}
        self._check_out(list(meshes))
        self.out.mkdir(parents=True, exist_ok=True)
        for name in meshes if self.overwrite else ():
            remove(self.out / name, FILES)  # before the record: a run that is broken off leaves none of the old ones
        write_record(self.out / RECORD, "sample", dataclasses.asdict(self.sample))
        with Bar("sample") as bar:

            def show(report: SampleReport, total: int) -> None:
                finished = len(report.done) + len(report.failed) + len(report.skipped)
                bar.update(completed=finished, total=total, scores=f"{len(report.failed)} failed")

            report = sample_meshes(
                meshes,
                self.out,
                self.sample,
                workers=self.workers or len(os.sched_getaffinity(0)),
                resume=not self.overwrite,
                progress=show,
            )
        self._say(report)
        if report.interrupted:
            return 130
        if report.done or report.skipped:
            if self.split is not None:
                write_splits(self.out, dict(zip(SPLITS, self.split)), seed=self.sample.seed)
            if self.hdf5 is not None:
                pack(self.out, self.hdf5)
        return 2 if report.failed else 0

    def _check_out(self, names: list[str]) -> None:
        """Refuse models that are there already, and a data set that was sampled in another way, unless told."""
        from ..data.shapes.folder import file_names

        there = [name for name in names if any((self.out / name / file).exists() for file in file_names(self.sample))]
        results = [RECORD, *there[:3]]
        found = [name for name in results if os.path.lexists(self.out / name)]
        check_folder(self.out, results, overwrite=self.overwrite, resume=self.resume and bool(found))
        if self.resume and (self.out / RECORD).is_file():
            check_record(self.out / RECORD, "sample", dataclasses.asdict(self.sample))

    def _say(self, report: SampleReport) -> None:
        """Failures first, then the sum, then how to go on."""
        for sentence in report.failed.values():
            print(f"invgraph data sample: error: {sentence}", file=sys.stderr)
        if report.doubtful:
            print(
                "invgraph: warning: large holes, or faces that do not agree on what is outside, in "
                f"{', '.join(report.doubtful)}; look at them, or try --watertight",
                file=sys.stderr,
            )
        pace = 60 * len(report.done) / report.seconds if report.done else 0.0
        print(
            f"{len(report.done)} sampled in {report.seconds:.1f} s ({pace:.0f} a minute), "
            f"{len(report.skipped)} were there, {len(report.failed)} failed: {self.out}"
        )
        if report.interrupted:
            print("interrupted; the same command with --resume goes on")
