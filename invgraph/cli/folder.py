"""The output folder of a command: refused before any work is done, filled whole or left as it was found."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputError

_TOLD = 6  # results by name
_EARLIER = ".earlier"  # what was there before, while new results are made


def check_folder(out: Path, names: Sequence[str], *, overwrite: bool, resume: bool | None = None) -> None:
    """Refuse a folder that cannot take the results, without changing anything.

    Args:
        out: the folder; need not exist.
        names: what the command writes into it, as names of files and folders in ``out``.
        overwrite: results that are there already may be replaced.
        resume: results that are there already are the run to go on with; None for a command that cannot.

    Raises:
        InputError: ``out`` is not a folder, cannot be made or written, or holds results already.
    """
    if overwrite and resume:
        raise InputError("--overwrite and --resume: choose one, to begin again or to go on")
    try:
        place = next(p for p in (out, *out.absolute().parents) if p.exists() or p.is_symlink())
        if not place.is_dir():
            raise InputError(f"{out}: cannot be the output folder, {place} is not a folder")
        # the file system is asked rather than its permission bits, which say nothing to root or on a read-only disk
        with tempfile.TemporaryDirectory(prefix=".invgraph-", dir=place):
            pass
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{out}: cannot write the output folder ({error.strerror or error})") from error
    found = [name for name in names if os.path.lexists(out / name) or os.path.lexists(out / _EARLIER / name)]
    if found and not (overwrite or resume):
        instead = "--overwrite" if resume is None else "--overwrite or --resume"
        some = ", ".join(found[:_TOLD]) + (f" and {len(found) - _TOLD} more" if len(found) > _TOLD else "")
        raise InputError(f"{out}: already holds results ({some}); choose another folder or {instead}")
    if resume and not found:
        raise InputError(f"{out}: holds no run to resume")


@contextmanager
def filled_folder(out: Path, names: Sequence[str], *, keep: Sequence[str] = (), fresh: bool = True) -> Iterator[Path]:
    """Make a folder and put ``names`` in it out of the way, for the time in which the body fills it.

    If the body fails, what it left under ``names`` is removed and what was there before is put back, or the folder
    removed if it was made here; unless one of ``keep`` is there by then, or the folder was not begun afresh. Where a
    process was killed within the body, before one of ``keep`` was there, the next one finds what was there before.

    Args:
        out: the folder, past :func:`check_folder`.
        names: what the body writes, as names of files and folders in ``out``.
        keep: names among them with which the rest is worth keeping (a checkpoint).
        fresh: begin without old results; False leaves them for the body to go on with.
    """
    made = [p for p in (out, *out.absolute().parents) if not p.exists()]
    out.mkdir(parents=True, exist_ok=True)
    earlier, killed = out / _EARLIER, (out / _EARLIER).exists()
    worth = any((out / name).exists() for name in keep)
    if killed and fresh and not worth:
        remove(out, names)
        _move(earlier, out, names)
    if fresh:
        shutil.rmtree(earlier, ignore_errors=True)
        earlier.mkdir()
    try:
        if fresh:
            _move(out, earlier, names)
        yield out
    except BaseException:
        if not any((out / name).exists() for name in keep) and (fresh or killed):
            remove(out, names)
            _move(earlier, out, names)
        raise
    finally:
        shutil.rmtree(earlier, ignore_errors=True)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()


def _move(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        if os.path.lexists(source / name):
            (source / name).rename(target / name)


def remove(out: Path, names: Sequence[str]) -> None:
    """Delete the named files and folders of ``out`` that exist, and nothing else."""
    for path in (out / name for name in names):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
