"""What long work says while it lasts: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

EVERY = 30.0
"""Seconds between lines where there is no terminal."""


class Bar:
    """A line that says what is done, how far it is, how good it is and how long it still takes.

    It appears at the first :meth:`update` and stays until :meth:`close` or the end of its ``with`` block. Where the
    output is not a terminal, as in a log file, lines are added instead: one every 30 seconds, and one at the end.
    Called with a step, it is what functions of long work take as ``progress``.

    Args:
        description: what is being done, in one word.
    """

    def __init__(self, description: str = "start") -> None:
        from rich.console import Console

        console = Console()
        drawn = console.is_terminal or console.is_jupyter
        self._shown: _Drawn | _Lines = _Drawn(console, description) if drawn else _Lines(description)

    def __call__(self, step: int, steps: int, terms: dict[str, float]) -> None:
        """``step`` of ``steps`` has been taken; ``terms`` are the numbers worth seeing, by name."""
        scores = "  ".join(f"{name} {value:.5f}" for name, value in terms.items())
        self.update(completed=step, total=steps, scores=scores)

    def update(
        self,
        *,
        description: str | None = None,
        completed: float | None = None,
        total: float | None = None,
        scores: str | None = None,
    ) -> None:
        """Change what is given and keep the rest."""
        self._shown.update(description, completed, total, scores)

    def close(self) -> None:
        """Leave the line as it is."""
        self._shown.close()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Drawn:
    """On a terminal: drawn again and again in its place."""

    def __init__(self, console: Any, description: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._progress.add_task(description, total=None, scores="")

    def update(self, description: str | None, completed: float | None, total: float | None, scores: str | None) -> None:
        self._progress.start()
        fields: dict[str, Any] = {} if scores is None else {"scores": scores}
        self._progress.update(self._task, description=description, completed=completed, total=total, **fields)

    def close(self) -> None:
        self._progress.stop()


class _Lines:
    """Elsewhere: a line now and then, for logs."""

    def __init__(self, description: str) -> None:
        self._what, self._scores = description, ""
        self._done = 0.0
        self._total: float | None = None
        self._began = self._told = time.monotonic()
        self._first = 0.0
        self._news = False

    def update(self, description: str | None, completed: float | None, total: float | None, scores: str | None) -> None:
        now = time.monotonic()
        if description is not None and description != self._what:
            self._what, self._began, self._first, self._done = description, now, completed or 0.0, 0.0
        elif not self._done and completed:  # a resumed run has steps behind it that took no time
            self._began, self._first = now, completed
        self._total = self._total if total is None else total
        self._done = self._done if completed is None else completed
        self._scores = self._scores if scores is None else scores
        self._news = True
        if now - self._told >= EVERY:
            self._say(now)

    def close(self) -> None:
        if self._news:
            self._say(time.monotonic())

    def _say(self, now: float) -> None:
        total = "" if self._total is None else f"/{self._total:,.0f}"
        parts = [f"{self._what} {self._done:,.0f}{total}", self._scores, self._left(now)]
        print("  ".join(part for part in parts if part), file=sys.stdout, flush=True)
        self._told, self._news = now, False

    def _left(self, now: float) -> str:
        """How long it still takes at the pace so far, in words."""
        taken = self._done - self._first
        if self._total is None or taken <= 0 or self._done >= self._total:
            return ""
        seconds = (now - self._began) / taken * (self._total - self._done)
        minutes = round(seconds / 60)
        if minutes < 1:
            return f"{seconds:.0f} s left"
        return f"{minutes} min left" if minutes < 120 else f"{minutes / 60:.1f} h left"
