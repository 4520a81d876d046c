"""The whole state of long work, on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from .errors import InputError

VERSION = 1


def save_checkpoint(path: str | os.PathLike[str], state: dict[str, Any]) -> None:
    """Write ``state`` so that at every moment the path holds either the old checkpoint or the new one, whole.

    Args:
        path: file to (re)place; its folder is made if missing.
        state: tensors, numbers, strings and containers of them.

    Raises:
        InputError: the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.part")  # beside it: a rename within a file system is atomic
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            torch.save({"version": VERSION, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        # torch closes its archive when a write has failed, and complains of that instead
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        raise InputError(f"{path}: cannot write the checkpoint ({cause.strerror or cause})") from error
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what :func:`save_checkpoint` wrote, without running any code that the file may hold.

    Raises:
        InputError: no such file, not a checkpoint, truncated, or of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no checkpoint to resume from")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a truncated or foreign file
        raise InputError(f"{path}: not a readable checkpoint ({type(error).__name__})") from error
    if not isinstance(state, dict) or "version" not in state:
        raise InputError(f"{path}: not a checkpoint")
    if state["version"] != VERSION:
        raise InputError(f"{path}: checkpoint version {state['version']}, expected {VERSION}")
    return state
