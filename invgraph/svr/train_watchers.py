"""What a training tells those who watch it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ..progress import Bar
from .model import Reconstructor
from .validation import Validation


class Watcher:
    """Watches a training; override what is needed. An exception raised here ends the training."""

    def on_resume(self, step: int) -> None:
        """The run goes on from a step, of a checkpoint; what came after it will come again."""

    def on_step(self, step: int, steps: int, terms: Mapping[str, float]) -> None:
        """``step`` of ``steps`` was taken; weighted loss terms, their sum ``loss``, and ``iou``. Keep it quick."""

    def on_validation(
        self, step: int, scores: Mapping[str, float], validation: Validation, model: Reconstructor
    ) -> None:
        """The network was scored after a step."""

    def close(self) -> None:
        """Always called last, also after an error: release what is held."""


class TrainingBar(Watcher):
    """A bar on the terminal: steps, loss, IoU of the batch and of the validation, time left."""

    def __init__(self) -> None:
        self._bar = Bar("train")
        self._score = ""

    def on_step(self, step: int, steps: int, terms: Mapping[str, float]) -> None:
        scores = f"loss {terms['loss']:.4f}  IoU {terms['iou']:.3f}{self._score}"
        self._bar.update(completed=step, total=steps, scores=scores)

    def on_validation(
        self, step: int, scores: Mapping[str, float], validation: Validation, model: Reconstructor
    ) -> None:
        known = "voxels" if "voxel_iou" in scores else "points" if "point_iou" in scores else "silhouettes"
        self._score = f"  {known} {scores[validation.figure]:.3f}"

    def close(self) -> None:
        self._bar.close()


class TrainingBoard(Watcher):
    """Curves and pictures for TensorBoard.

    Args:
        folder: log folder; of a resumed run, what was logged beyond the step it goes on from is dropped.
        every: steps between points of the curves.
    """

    def __init__(self, folder: str | os.PathLike[str], every: int = 10) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder, self._every, self._first, self._open = str(folder), every, 0, SummaryWriter

    @cached_property
    def _writer(self) -> Any:
        return self._open(self._folder, purge_step=self._first + 1 if self._first else None)

    def on_resume(self, step: int) -> None:
        self._first = step

    def on_step(self, step: int, steps: int, terms: Mapping[str, float]) -> None:
        if step % self._every == 0:
            for name, value in terms.items():
                self._writer.add_scalar("train/IoU" if name == "iou" else f"loss/{name}", value, step)

    def on_validation(
        self, step: int, scores: Mapping[str, float], validation: Validation, model: Reconstructor
    ) -> None:
        for name, value in scores.items():
            self._writer.add_scalar(f"validation/{name.replace('_iou', ' IoU')}", value, step)
        picture = validation.picture(model)
        self._writer.add_image("validation: input, prediction, error", picture, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()
