"""Shapes into the files of the SoftRas/NMR ShapeNet set: in parallel, resumable, whatever single shapes come to."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from ...atomic import write_atomically
from ...errors import InputError
from ...interrupt import Interrupt
from ..shapes.workers import run_jobs
from .nmr import IMAGES, POINTS, VOXELS
from .nmr_archive import Entry, write_archive
from .nmr_frame import RESOLUTION, SIZE, VIEWS, file_order, nmr_voxels

if TYPE_CHECKING:
    from ...geometry import Mesh
    from ..shapes import ShapePoints

ENOUGH = 10_000  # points, of which some lie within nearly every shape
TRIES = 10
PIECES = ".pieces"


class ShapeSource(Protocol):
    """What a process needs to know to make a shape; it can be pickled."""

    @property
    def name(self) -> str:
        """What it is called where it fails."""
        ...

    @property
    def seed(self) -> int:
        """Of its points, which do not depend on the shapes beside it."""
        ...

    def mesh(self) -> Mesh:
        """In the unit cube around the origin, y up, its front towards z."""
        ...


@dataclass
class PicturesReport:
    """What came of the shapes."""

    done: int = 0
    """Drawn in this run."""
    there: int = 0
    """Drawn by an earlier run."""
    failed: list[str] = field(default_factory=list)
    """What went wrong, a sentence for each batch of shapes; their class has a file without them."""
    written: dict[str, list[str]] = field(default_factory=dict)
    """Names of the shapes in each class and split, "CLASS_SPLIT", in the order of its files."""
    interrupted: bool = False
    """Ctrl-C came before all were drawn."""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Job:
    """Some shapes, and the piece that they make."""

    shapes: Sequence[ShapeSource]
    path: Path
    points: int

    @property
    def name(self) -> str:
        return self.shapes[0].name + (" on" if len(self.shapes) > 1 else "")


def write_nmr(
    out: Path,
    plan: Mapping[tuple[str, str], Sequence[ShapeSource]],
    points: int,
    *,
    batch: int,
    workers: int,
    progress: Callable[[PicturesReport, int], None] | None,
) -> PicturesReport:
    """Write ``{CLASS}_{SPLIT}_images.npz``, ``_voxels.npz`` and ``_points.npz``.

    Files are written once all shapes of their class and split were tried, whole or not at all. Until then finished
    batches lie in ``OUT/.pieces``, from which the next call with the same plan goes on; where some failed they stay
    there, and the next call tries those that failed again.

    Args:
        out: folder; made if missing. Files that are there already are taken as finished.
        plan: shapes by class, as files are named for it, and split.
        points: of each shape; 0 for no such file.
        batch: shapes that a process makes before it writes them; what fails, fails together.
        workers: number of processes, with one thread each.
        progress: called with the report so far and the number of shapes, at the start and after each batch.

    Raises:
        ValueError: ``workers`` below 1.
        InputError: a folder that cannot be written.
    """
    if workers < 1:
        raise ValueError(f"workers: expected at least 1 process, got {workers}")
    report, began = PicturesReport(), time.perf_counter()
    pieces = out / PIECES
    try:
        pieces.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{pieces}: cannot make the folder ({error.strerror or error})") from error
    classes = {key: _Class(out, *key, shapes, points, batch) for key, shapes in plan.items()}
    begun = [job for each in classes.values() if not each.is_finished for job in each.jobs]
    waiting = [job for job in begun if not job.path.is_file()]
    total = sum(map(len, plan.values()))
    report.there = total - sum(len(job.shapes) for job in waiting)
    with Interrupt() as interrupt:
        if progress is not None:
            progress(report, total)
        tried = 0
        for outcome in run_jobs(_draw, waiting, workers=workers, interrupt=interrupt):
            tried += 1
            if outcome.failure is None:
                report.done += len(outcome.job.shapes)
            else:
                report.failed.append(f"{outcome.job.name}: {outcome.failure}")
            if progress is not None:
                progress(report, total)
        report.interrupted = tried < len(waiting) or interrupt.requested
        if not report.interrupted:
            report.written = {f"{name}_{split}": each.join() for (name, split), each in classes.items()}
    if not report.interrupted:
        with suppress(OSError):  # those of what failed stay
            pieces.rmdir()
    report.seconds = time.perf_counter() - began
    return report


def _draw(job: _Job) -> None:
    """Make a batch of shapes, and write it."""
    from .nmr_pictures import nmr_pictures

    images, voxels, points, bits = [], [], [], []
    for shape in job.shapes:
        mesh = shape.mesh()
        pictures = nmr_pictures(mesh)
        unseen = (pictures[:, 3] == 0).flatten(1).all(1).nonzero().flatten().tolist()
        if unseen:
            raise InputError(f"nothing of it is seen in view {unseen[0]}")
        images.append(pictures.numpy())
        voxels.append(file_order(nmr_voxels(mesh).filled).numpy())
        if job.points:
            sampled = sampled_points(mesh, job.points, shape.seed)
            points.append(sampled.points[: job.points].numpy().astype(np.float16))
            bits.append(np.packbits(sampled.occupancies[: job.points].numpy()))
    arrays = {"images": np.stack(images), "voxels": np.stack(voxels).astype(np.uint8)}
    if job.points:
        arrays |= {"points": np.stack(points), "occupancies": np.stack(bits)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(job.path, buffer.getvalue())


def sampled_points(mesh: Mesh, count: int, seed: int) -> ShapePoints:
    """At least ``count`` points of the padded cube and their occupancies; of at least ``ENOUGH`` some are inside.

    Of a glider that fills 0.0006 of the cube, one sample of 10,000 in 300 has none: then another seed is taken.

    Args:
        mesh: one mesh in the unit cube, with an area.

    Raises:
        InputError: it seems to enclose nothing.
    """
    from ..shapes.sampling import SampleOptions, sample_shape

    wanted = SampleOptions(points=max(count, ENOUGH), near=0, cloud=0, voxels=0)
    for attempt in range(TRIES):
        with suppress(InputError):
            return cast("ShapePoints", sample_shape(mesh, wanted, seed=seed + attempt).points)
    tried = TRIES * wanted.points
    raise InputError(f"encloses none of {tried:,} points of the cube; 0 points a shape leave out 3D supervision")


class _Class:
    """A class and split: its files, and the pieces of which they are made."""

    def __init__(
        self, out: Path, name: str, split: str, shapes: Sequence[ShapeSource], points: int, batch: int
    ) -> None:
        self._shapes, self._points = shapes, points
        stem, pieces = f"{name}_{split}", out / PIECES
        kinds = (IMAGES, VOXELS, POINTS) if points else (IMAGES, VOXELS)
        self._targets = {kind: out / f"{stem}_{kind}.npz" for kind in kinds}
        self.jobs = [
            _Job(shapes[i : i + batch], pieces / f"{stem}_{i:06d}.npz", points) for i in range(0, len(shapes), batch)
        ]

    def _drawn(self) -> list[_Job]:
        return [job for job in self.jobs if job.path.is_file()]

    @property
    def is_finished(self) -> bool:
        """All files are there, and nothing is left of the pieces, as it is where some failed."""
        return all(path.is_file() for path in self._targets.values()) and not self._drawn()

    def join(self) -> list[str]:
        """Put the pieces into the files; they stay where some are lacking. Names of the shapes in the files."""
        if self.is_finished:
            return [shape.name for shape in self._shapes]
        drawn = self._drawn()
        names = [shape.name for job in drawn for shape in job.shapes]
        if drawn:
            self._write(drawn, len(names))
        for job in drawn if len(drawn) == len(self.jobs) else ():
            job.path.unlink()
        return names

    def _write(self, drawn: Sequence[_Job], count: int) -> None:
        each: dict[str, dict[str, Entry]] = {
            IMAGES: {"images": ((count, VIEWS, 4, SIZE, SIZE), np.uint8)},
            VOXELS: {"voxels": ((count, *(RESOLUTION,) * 3), np.uint8)},
            POINTS: {
                "points": ((count, self._points, 3), np.float16),
                "occupancies": ((count, -(-self._points // 8)), np.uint8),
            },
        }
        for kind, target in self._targets.items():
            write_archive(target, each[kind], [job.path for job in drawn])
