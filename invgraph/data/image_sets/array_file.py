"""Arrays of npz files as memory maps: of files that do not fit in memory, what is asked for is read."""

from __future__ import annotations

import ast
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import InputError

Progress = Callable[[int, int], None]
_BLOCK = 1 << 24
_LOCAL_HEADER = 30  # bytes of a zip member's header before its name


def open_array(
    path: Path,
    key: str | None,
    dtype: np.dtype | type,
    shape: Sequence[int | None],
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> np.memmap:
    """Memory-map an array of an npz file, after its dtype, shape and length have been checked.

    An archive that is not compressed is mapped where it is. A compressed one is unpacked once, to
    ``CACHE/NAME.KEY.npy``, and mapped there; it is unpacked again if it has changed since.

    Args:
        path: the file.
        key: name of the array; None: the file's only one.
        dtype: what it must have.
        shape: what it must have; None for lengths from 1 on.
        cache: folder for unpacked arrays; None: ``.unpacked`` beside the file.
        progress: called with the bytes unpacked and those in all.

    Raises:
        InputError: missing, not an npz, truncated, without the array, of other dtype or shape, empty, or a cache that
            cannot be written.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(path, archive, key)
            with archive.open(member) as stream:
                found = _header(stream)
                _check(path, member.filename[:-4], found, np.dtype(dtype), shape)
                size = stream.tell() + int(np.prod(found[1], dtype=np.int64)) * found[2].itemsize
            if member.file_size != size:
                raise InputError(f"{path}: {member.filename} has {member.file_size} bytes, its shape asks for {size}")
            if member.compress_type != zipfile.ZIP_STORED:
                place, start = _unpack(path, archive, member, cache, progress), size - _length(found)
            else:
                place, start = path, _begin(path, member) + size - _length(found)
    except (zipfile.BadZipFile, struct.error, EOFError, OSError, ValueError, OverflowError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: not a readable npz archive, truncated perhaps ({reason})") from error
    if place.stat().st_size < start + _length(found):
        raise InputError(f"{place}: truncated, {place.stat().st_size} bytes")
    return np.memmap(place, found[2], "r", start, found[1])


Found = tuple[bool, tuple[int, ...], np.dtype]


def _length(found: Found) -> int:
    return int(np.prod(found[1], dtype=np.int64)) * found[2].itemsize


def _member(path: Path, archive: zipfile.ZipFile, key: str | None) -> zipfile.ZipInfo:
    arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    if key is not None:
        arrays = [info for info in arrays if info.filename == f"{key}.npy"]
    if len(arrays) != 1:
        names = ", ".join(name[:-4] for name in archive.namelist()) or "none"
        raise InputError(f"{path}: expected {f'the array {key!r}' if key else 'one array'}, got {names}")
    return arrays[0]


def _header(stream: IO[bytes]) -> Found:
    """Order, shape and dtype of an npy file, read without running any code that it may hold."""
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY" or magic[6] not in (1, 2, 3):
        raise ValueError("not an npy array")
    (length,) = struct.unpack("<H", stream.read(2)) if magic[6] == 1 else struct.unpack("<I", stream.read(4))
    text = stream.read(length).decode("utf-8" if magic[6] == 3 else "latin-1")
    try:
        fields = ast.literal_eval(text.strip())
        return bool(fields["fortran_order"]), tuple(map(int, fields["shape"])), np.dtype(fields["descr"])
    except (SyntaxError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an npy header: {text[:60]!r}") from error


def _check(path: Path, key: str, found: Found, dtype: np.dtype, shape: Sequence[int | None]) -> None:
    turned, got, kind = found
    wanted = "(" + ", ".join("N" if n is None else str(n) for n in shape) + ")"
    if len(got) != len(shape) or any(n is not None and n != m for n, m in zip(shape, got)):
        raise InputError(f"{path}: {key!r} has shape {got}, expected {wanted}")
    if kind != dtype:
        raise InputError(f"{path}: {key!r} is {kind}, expected {dtype}")
    if 0 in got:
        raise InputError(f"{path}: {key!r} has shape {got}: there are no shapes in it")
    if turned:
        raise InputError(f"{path}: {key!r} is stored in Fortran order, expected C order")


def _begin(path: Path, member: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        header = file.read(_LOCAL_HEADER)
    name, extra = struct.unpack("<HH", header[26:30])
    return member.header_offset + _LOCAL_HEADER + name + extra


def _unpack(
    path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, cache: Path | None, progress: Progress | None
) -> Path:
    """The unpacked member, which has the archive's time; made if it is not there, or has another."""
    folder = path.parent / ".unpacked" if cache is None else cache
    target = folder / f"{path.stem}.{member.filename}"
    if target.is_file():
        there, source = target.stat(), path.stat()
        if (there.st_size, there.st_mtime_ns) == (member.file_size, source.st_mtime_ns):
            return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=folder)
    except OSError as error:
        words = f"cannot unpack {path.name} here ({error.strerror}); from Python, cache= names another folder"
        raise InputError(f"{folder}: {words}") from error
    try:
        with os.fdopen(handle, "wb") as out, archive.open(member) as stream:
            done = 0
            while block := stream.read(_BLOCK):  # its check sum is compared at the end
                try:
                    out.write(block)
                except OSError as error:
                    raise InputError(f"{folder}: cannot unpack {path.name} here ({error.strerror})") from error
                done += len(block)
                if progress is not None:
                    progress(done, member.file_size)
        source = path.stat()
        os.utime(temporary, ns=(source.st_atime_ns, source.st_mtime_ns))
        os.chmod(temporary, source.st_mode & 0o666)  # for whoever may read the archive: mkstemp made it private
        os.replace(temporary, target)
    except zlib.error as error:
        raise InputError(f"{path}: {member.filename} cannot be unpacked ({error})") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    return target
