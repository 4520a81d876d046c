"""Output whose reader may go away, as in ``invgraph train ... | head``: the work goes on without it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

_Result = TypeVar("_Result")


@contextmanager
def lasting_output() -> Iterator[None]:
    """Within it nothing fails because nobody reads stdout or stderr any more."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("Any", _Lasting(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def shown(name: str | Path) -> str:
    """A file's name as text, also where its bytes are none."""
    return os.fsencode(name).decode("utf-8", "replace")


class _Lasting:
    """A stream that writes to nowhere once its reader has gone, and letters that it has not as question marks."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._unless_gone(lambda: self._stream.write(text), len(text))
        except UnicodeEncodeError:  # of a terminal that has not all letters, or of names of files that are none
            code = self._stream.encoding or "ascii"
            return self.write(text.encode(code, "replace").decode(code))

    def flush(self) -> None:
        self._unless_gone(self._stream.flush, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _unless_gone(self, call: Callable[[], _Result], instead: _Result) -> _Result:
        try:
            return call()
        except BrokenPipeError:
            # what is still buffered is written there too, when Python ends
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
            return instead
