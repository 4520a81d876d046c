"""A data set of made shapes on disk: in parallel, resumable, in the format of the SoftRas/NMR ShapeNet files."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from ...errors import InputError
from ...geometry.files import write_atomically
from ...interrupt import Interrupt
from ..image_sets.nmr import IMAGES, POINTS, VOXELS
from ..image_sets.nmr_frame import RESOLUTION, SIZE, VIEWS, file_order, nmr_voxels
from ..shapes.workers import run_jobs
from .classes import SYNSETS
from .options import MadeOptions
from .shape import draw, make_shape, shape_seed

if TYPE_CHECKING:
    from ...geometry import Mesh
    from ..shapes import ShapePoints

BATCH = 8  # shapes that a process makes before it writes them
ENOUGH = 10_000  # points, of which some lie within nearly every shape
TRIES = 10
PIECES = ".pieces"


@dataclass
class MadeReport:
    """What came of the shapes."""

    done: int = 0
    """Made in this run."""
    there: int = 0
    """Made by an earlier run."""
    failed: list[str] = field(default_factory=list)
    """What went wrong, a sentence for each batch of shapes."""
    interrupted: bool = False
    """Ctrl-C came before all were made."""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Job:
    name: str
    shapes: range
    path: Path
    options: MadeOptions


def make_shapes(
    out: str | os.PathLike[str],
    options: MadeOptions | None = None,
    *,
    workers: int = 1,
    progress: Callable[[MadeReport, int], None] | None = None,
) -> MadeReport:
    """Make shapes and write ``{SYNSET}_{SPLIT}_images.npz``, ``_voxels.npz`` and ``_points.npz``.

    Files are written once all of their shapes are there, whole or not at all; until then finished batches lie in
    ``OUT/.pieces``, from which the next call with the same options goes on. A shape's bytes depend on the seed, its
    class and its number alone. On Ctrl-C the batches at work are finished; a second one ends at once.

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

    if workers < 1:
        raise ValueError(f"workers: expected at least 1 process, got {workers}")
    options, out, began = options or MadeOptions(), Path(out), time.perf_counter()
    pieces = out / PIECES
    try:
        pieces.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{pieces}: cannot make the folder ({error.strerror or error})") from error
    report, plan, jobs = MadeReport(), options.plan(), []
    files = {key: _batches(pieces, *key, shapes, options) for key, shapes in plan.items()}
    for (name, split), batches in files.items():
        for batch in batches:
            if all(path.is_file() for path in _targets(out, name, split, options)) or batch.path.is_file():
                report.there += len(batch.shapes)
            else:
                jobs.append(batch)
    with Interrupt() as interrupt:
        if progress is not None:
            progress(report, options.count)
        for outcome in run_jobs(_make, jobs, workers=workers, interrupt=interrupt):
            if outcome.failure is None:
                report.done += len(outcome.job.shapes)
            else:
                report.failed.append(f"{outcome.job.name} {outcome.job.shapes[0]} on: {outcome.failure}")
            if progress is not None:
                progress(report, options.count)
        for (name, split), batches in files.items():
            if interrupt.requested:
                break
            if all(batch.path.is_file() for batch in batches):
                _join(out, name, split, batches, options)
        report.interrupted = interrupt.requested
    if not report.interrupted and not report.failed:
        shutil.rmtree(pieces, ignore_errors=True)
    report.seconds = time.perf_counter() - began
    return report


def _batches(pieces: Path, name: str, split: str, shapes: range, options: MadeOptions) -> list[_Job]:
    return [
        _Job(name, part, pieces / f"{SYNSETS[name]}_{split}_{part[0]:06d}.npz", options)
        for part in (shapes[i : i + BATCH] for i in range(0, len(shapes), BATCH))
    ]


def _targets(out: Path, name: str, split: str, options: MadeOptions) -> list[Path]:
    kinds = (IMAGES, VOXELS, POINTS) if options.points else (IMAGES, VOXELS)
    return [out / f"{SYNSETS[name]}_{split}_{kind}.npz" for kind in kinds]


def _make(job: _Job) -> None:
    """Make a batch of shapes, and write it."""
    import io

    count = job.options.points
    images, voxels, points, bits = [], [], [], []
    for index in job.shapes:
        mesh = make_shape(job.name, index, seed=job.options.seed)
        images.append(draw(mesh).numpy())
        voxels.append(file_order(nmr_voxels(mesh).filled).numpy())
        if count:
            sampled = sampled_points(mesh, count, shape_seed(job.name, index, job.options.seed) >> 1)
            points.append(sampled.points[:count].numpy().astype(np.float16))
            bits.append(np.packbits(sampled.occupancies[:count].numpy()))
    arrays = {"images": np.stack(images), "voxels": np.stack(voxels).astype(np.uint8)}
    if count:
        arrays |= {"points": np.stack(points), "occupancies": np.stack(bits)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    write_atomically(job.path, buffer.getvalue())


def sampled_points(mesh: Mesh, count: int, seed: int) -> ShapePoints:
    """At least ``count`` points of the padded cube and their occupancies; of at least ``ENOUGH`` some are inside.

    Of a glider that fills 0.0006 of the cube, one sample of 10,000 in 300 has none: then another seed is taken.
    """
    from ..shapes.sampling import SampleOptions, sample_shape

    wanted = SampleOptions(points=max(count, ENOUGH), near=0, cloud=0, voxels=0)
    for attempt in range(TRIES - 1):
        with suppress(InputError):
            return cast("ShapePoints", sample_shape(mesh, wanted, seed=seed + attempt).points)
    return cast("ShapePoints", sample_shape(mesh, wanted, seed=seed + TRIES - 1).points)


def _join(out: Path, name: str, split: str, batches: Sequence[_Job], options: MadeOptions) -> None:
    """Put the batches of a class and split into its files, without holding more than one in memory."""
    count = sum(len(batch.shapes) for batch in batches)
    each: dict[str, dict[str, tuple[tuple[int, ...], type]]] = {
        IMAGES: {"images": ((VIEWS, 4, SIZE, SIZE), np.uint8)},
        VOXELS: {"voxels": ((RESOLUTION,) * 3, np.uint8)},
    }
    if options.points:
        each[POINTS] = {
            "points": ((options.points, 3), np.float16),
            "occupancies": ((-(-options.points // 8),), np.uint8),
        }
    for target, (_, arrays) in zip(_targets(out, name, split, options), each.items(), strict=True):
        try:
            _write_archive(target, count, arrays, [batch.path for batch in batches])
        except OSError as error:
            raise InputError(f"{target}: cannot write here ({error.strerror or error})") from error
    for batch in batches:
        batch.path.unlink()


def _write_archive(
    target: Path, count: int, arrays: dict[str, tuple[tuple[int, ...], type]], sources: Sequence[Path]
) -> None:
    """An npz that is not compressed, so that it can be memory-mapped."""
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for key, (shape, dtype) in arrays.items():
                entry = zipfile.ZipInfo(f"{key}.npy")  # of no date: the same shapes give the same bytes
                with archive.open(entry, "w", force_zip64=True) as stream:
                    header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (count, *shape)}
                    np.lib.format.write_array_header_1_0(stream, header)
                    for source in sources:
                        with np.load(source) as piece:
                            stream.write(np.ascontiguousarray(piece[key]).tobytes())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp made it private
        os.replace(temporary, target)
    finally:
        Path(temporary).unlink(missing_ok=True)
