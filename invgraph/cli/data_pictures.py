"""``invgraph data pictures MESH... --out DIR``: meshes to a data set in pictures."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from ..data.image_sets.pictured_meshes import PictureOptions, class_of, planned
from ..errors import InputError
from .folder import check_folder, remove
from .record import check_record, read_record, write_record

if TYPE_CHECKING:
    from ..data import PicturesReport

RECORD = "pictures.json"


@dataclass(frozen=True)
class DataPictures:
    """Draw meshes into a data set that `invgraph train` learns from, in the format of the SoftRas/NMR ShapeNet files.

    For each class and split: 24 views of 64x64 RGBA, 32^3 voxels, and points with occupancies. A mesh is put into the
    unit cube, and drawn with its colours or texture. One that cannot be read or drawn does not stop the others: it is
    named in the end, and the exit status is 2. Ctrl-C ends after the meshes at work; --resume goes on.
    """

    meshes: Annotated[Positional[tuple[Path, ...]], arg(metavar="MESH ...")]
    """Mesh files (obj, ply, glb, off, stl), or folders of them; the folder that a file is in there is its class."""
    out: Annotated[Path, arg(metavar="DIR")]
    """Folder of the data set; made if missing."""
    category: Annotated[str, arg(metavar="NAME")] = ""
    """The class of all meshes, wherever they lie."""
    workers: Annotated[int | None, arg(metavar="N")] = None
    """Processes; default: one for each core."""
    overwrite: bool = False
    """Replace the data set in DIR."""
    resume: bool = False
    """Go on with DIR; meshes that are drawn are passed over."""
    pictures: OmitArgPrefixes[PictureOptions] = field(default_factory=PictureOptions)

    def run(self) -> int:
        """Draw, write, say what failed; 0, 2 if a mesh failed, 130 if it was interrupted."""
        from ..data import find_meshes, picture_meshes
        from ..progress import Bar

        if not self.meshes:
            raise InputError("MESH: expected mesh files or folders of them")
        if len(Path(self.category).parts) > 1 or self.category in (".", ".."):
            raise InputError(f"--category: expected a name, got {self.category!r}")
        if self.workers is not None and self.workers < 1:
            raise InputError(f"--workers: expected at least 1, got {self.workers}")
        meshes = find_meshes(self.meshes)
        if self.category:
            renamed = {f"{self.category}/{name.replace('/', '_')}": path for name, path in meshes.items()}
            if len(renamed) < len(meshes):
                raise InputError("--category: two of the meshes would have the same name")
            meshes = renamed
        planned(meshes, self.pictures)  # before anything is replaced: what cannot be divided is refused
        results = self._results(meshes)
        check_folder(self.out, results, overwrite=self.overwrite, resume=self.resume)
        options, files = dataclasses.asdict(self.pictures), {name: str(path) for name, path in meshes.items()}
        if self.resume:
            before = check_record(self.out / RECORD, "pictures", options).get("meshes")
            if not isinstance(before, dict) or set(before) != set(files):
                raise InputError(f"{self.out / RECORD}: the data set was begun with other meshes")
        self.out.mkdir(parents=True, exist_ok=True)
        if self.overwrite:
            remove(self.out, results)
        write_record(self.out / RECORD, "pictures", options, meshes=files)
        with Bar("draw") as bar:

            def show(report: PicturesReport, total: int) -> None:
                finished = report.done + report.there + len(report.failed)
                bar.update(completed=finished, total=total, scores=f"{len(report.failed)} failed")

            workers = self.workers or len(os.sched_getaffinity(0))
            report = picture_meshes(meshes, self.out, self.pictures, workers=workers, progress=show)
        write_record(self.out / RECORD, "pictures", options, meshes=files, shapes=report.written)
        for sentence in report.failed:
            print(f"invgraph data pictures: error: {sentence}", file=sys.stderr)
        print(
            f"{report.done} meshes drawn in {report.seconds:.1f} s, {report.there} were there, "
            f"{len(report.failed)} failed: {self.out}"
        )
        if report.interrupted:
            print("interrupted; the same command with --resume goes on")
            return 130
        return 2 if report.failed else 0

    def _results(self, meshes: Iterable[str]) -> list[str]:
        """What this command writes, or may have written: other classes of DIR are not its own."""
        from ..data.image_sets.nmr_writer import PIECES
        from ..data.shapes.shares import SPLITS

        classes = {class_of(name) for name in meshes}
        with suppress(ValueError, KeyError, TypeError):  # no record, or one that is none
            classes |= {class_of(name) for name in dict(read_record(self.out / RECORD)["meshes"])}
        stems = [f"{kind}_{split}" for kind in sorted(classes) for split in SPLITS]
        found = [path.name for stem in stems for path in self.out.glob(f"{escape(stem)}_*.npz")]
        return [RECORD, PIECES, *found]
