"""The bar on the terminal that long work shows."""

from __future__ import annotations

from types import TracebackType
from typing import Any


class Bar:
    """A line that says what is done, how far it is, how good it is and how long it still takes.

    It appears at the first :meth:`update` and stays until :meth:`close` or the end of its ``with`` block.
    Called with a step, it is what functions of long work take as ``progress``.

    Args:
        description: what is being done, in one word.
    """

    def __init__(self, description: str = "start") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task(description, total=None, scores="")

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
        self._progress.start()
        fields: dict[str, Any] = {} if scores is None else {"scores": scores}
        self._progress.update(self._task, description=description, completed=completed, total=total, **fields)

    def close(self) -> None:
        """Leave the line as it is."""
        self._progress.stop()

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
