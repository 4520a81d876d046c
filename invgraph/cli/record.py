"""The record beside a data set: with which options it was begun, so that it goes on with the same ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InputError


def write_record(path: Path, key: str, options: Mapping[str, object], **extra: object) -> None:
    """Write the options of a command, and the version that it is of.

    Args:
        path: JSON file.
        key: the name under which the options are.
        options: what JSON can hold.
        extra: what else is written.
    """
    from .. import __version__
    from ..atomic import write_atomically

    text = json.dumps({"invgraph": __version__, key: dict(options), **extra}, indent=2)
    write_atomically(path, f"{text}\n".encode())


def check_record(path: Path, key: str, options: Mapping[str, object]) -> dict[str, Any]:
    """Refuse to go on with other options than those of the record; gives the record.

    Raises:
        InputError: not a record, or other options, with the first that differs.
    """
    record = read_record(path)
    try:
        before = {name: record[key][name] for name in options}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: not the record of a data set ({type(error).__name__})") from error
    for name, value in json.loads(json.dumps(dict(options))).items():
        if before[name] != value:
            raise InputError(f"{path}: the data set was begun with {name} {before[name]}, now it would be {value}")
    return record


def read_record(path: Path) -> dict[str, Any]:
    """What :func:`write_record` wrote.

    Raises:
        InputError: not a record.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not the record of a data set ({type(error).__name__})") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: not the record of a data set")
    return record
