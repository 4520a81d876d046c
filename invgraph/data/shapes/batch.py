"""Many mesh files to a data set of shapes: in parallel, resumable, whatever single files hold."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import InputError
from ...interrupt import Interrupt
from .folder import file_names, save_samples
from .sampling import SampleOptions, sample_shape
from .workers import run_jobs

DOUBTFUL = 0.05


@dataclass
class SampleReport:
    """What came of a data set's models, by their names."""

    done: list[str] = field(default_factory=list)
    """Sampled and written in this run."""
    skipped: list[str] = field(default_factory=list)
    """Written by an earlier run."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why there is no such model, in one sentence that names the file."""
    doubtful: list[str] = field(default_factory=list)
    """Written, but over 5% of the points have a winding number that is not near a whole number."""
    interrupted: bool = False
    """Ctrl-C came before all models were begun."""
    seconds: float = 0.0


@dataclass(frozen=True)
class _Job:
    name: str
    path: Path
    folder: Path
    options: SampleOptions


def sample_meshes(
    meshes: Mapping[str, str | os.PathLike[str]],
    out: str | os.PathLike[str],
    options: SampleOptions | None = None,
    *,
    workers: int = 1,
    resume: bool = True,
    progress: Callable[[SampleReport, int], None] | None = None,
) -> SampleReport:
    """Sample mesh files into ``out/NAME/``, as :func:`sample_shape` does, a process a file.

    A model's random numbers come from the seed and its name: its files are the same bytes whichever models are beside
    it, and however many processes there are. A file that cannot be sampled is reported and does not stop the others.
    On Ctrl-C the models at work are finished; a second one ends at once, without leaving half a file.

    Args:
        meshes: mesh files by the name of their model, "MODEL" or "CATEGORY/MODEL"; see :func:`find_meshes`.
        out: folder of the data set; made if missing.
        options: :class:`SampleOptions`, the default ones if None.
        workers: number of processes, with one thread each. A script that asks for several must not do so while it is
            imported: it needs ``if __name__ == "__main__":``.
        resume: pass over models of which every file is there; False writes them again.
        progress: called with the report so far and the number of models, at the start and after each.

    Raises:
        ValueError: ``workers`` below 1.
        InputError: a model's name that would leave the folder.
    """
    if workers < 1:
        raise ValueError(f"workers: expected at least 1 process, got {workers}")
    options, out, began = options or SampleOptions(), Path(out), time.perf_counter()
    report, jobs = SampleReport(), []
    for name, path in meshes.items():
        parts = Path(name).parts
        if not parts or Path(name).is_absolute() or ".." in parts:
            raise InputError(f"model name {name!r}: expected a path inside the data set")
        if resume and is_finished(out / name, options):
            report.skipped.append(name)
        else:
            jobs.append(_Job(name, Path(path), out / name, options))
    with Interrupt() as interrupt:
        if progress is not None:
            progress(report, len(meshes))
        for outcome in run_jobs(_sample_file, jobs, workers=workers, interrupt=interrupt):
            name = outcome.job.name
            if outcome.result is None:
                path = str(outcome.job.path)
                told = outcome.failure or ""
                report.failed[name] = told if told.startswith(path) else f"{path}: {told}"
            else:
                report.done.append(name)
                if outcome.result > DOUBTFUL:
                    report.doubtful.append(name)
            if progress is not None:
                progress(report, len(meshes))
    report.interrupted = len(report.done) + len(report.failed) < len(jobs)
    report.seconds = time.perf_counter() - began
    return report


def is_finished(folder: Path, options: SampleOptions) -> bool:
    """Whether a model's folder has every file that the options ask for."""
    return all((folder / name).is_file() for name in file_names(options))


def _sample_file(job: _Job) -> float:
    """Read, sample, write; the share of doubtful points."""
    from ...geometry.files import load_mesh

    mesh = load_mesh(job.path, appearance=False)
    seed = hashlib.sha256(f"{job.options.seed}/{job.name}".encode()).digest()[:7]
    samples = sample_shape(mesh, job.options, seed=int.from_bytes(seed, "big"))
    save_samples(job.folder, samples)
    return samples.doubtful
