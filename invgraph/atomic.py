"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A new, empty file beside ``path``, for the body to write; it takes the place of ``path`` if the body ends well.

    No reader sees half of it, and it is gone if the body fails.

    Raises:
        InputError: the folder is missing or cannot be written, or the body raised an OSError.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot write here ({error.strerror or error})") from error
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp made it private
        os.replace(name, path)
    except OSError as error:
        raise InputError(f"{path}: cannot write here ({error.strerror or error})") from error
    finally:
        Path(name).unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, :func:`written_whole`."""
    with written_whole(path) as temporary:
        temporary.write_bytes(data)
