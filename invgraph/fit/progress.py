"""What a fit tells those who watch it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from ..data import Views
from ..progress import Bar
from ..shapes import Shape
from ..viz import overlay
from .schedule import Stage

if TYPE_CHECKING:
    from .result import FitResult


@dataclass(frozen=True)
class StageStart:
    """A stage is about to run: its place among all stages, and the shape it starts from."""

    stage: Stage
    index: int
    stages: tuple[Stage, ...]
    shape: Shape


@dataclass(frozen=True)
class Step:
    """A step has been taken.

    Attributes:
        stage: the stage it belongs to.
        step: number of the step within the stage, from 1.
        total: number of the step within the fit, from 1.
        total_steps: steps of the whole fit.
        terms: weighted loss terms by name, and their sum as ``loss``.
        iou: silhouette IoU of the step's views, before the update.
        chosen: (B,) indices of the step's views.
        views: the training views at the stage's image size.
        alpha: (B, H, W) rendered coverage, detached.
        shape: the shape after the update.
    """

    stage: Stage
    step: int
    total: int
    total_steps: int
    terms: dict[str, float]
    iou: float
    chosen: Tensor
    views: Views
    alpha: Tensor
    shape: Shape


class Callback:
    """Watches a fit; override what is needed. An exception raised here ends the fit."""

    def on_stage(self, start: StageStart) -> None:
        """A stage begins."""

    def on_step(self, step: Step) -> None:
        """A step was taken. Keep it quick: it runs every step."""

    def on_end(self, result: FitResult) -> None:
        """The fit is over, or was interrupted (``result.interrupted``)."""

    def close(self) -> None:
        """Always called last, also after an error: release what is held."""


class ProgressBar(Callback):
    """A bar on the terminal: stage, steps, loss, silhouette IoU, time left."""

    def __init__(self) -> None:
        self._bar = Bar()

    def on_stage(self, start: StageStart) -> None:
        self._bar.update(description=start.stage.name, total=sum(stage.steps for stage in start.stages))

    def on_step(self, step: Step) -> None:
        self._bar.update(completed=step.total, scores=f"loss {step.terms['loss']:.5f}  IoU {step.iou:.4f}")

    def close(self) -> None:
        self._bar.close()


class TensorBoard(Callback):
    """Curves at every step, and pictures of masks beside renders, for TensorBoard.

    Args:
        folder: log folder.
        image_every: steps between pictures; each is an error overlay (:func:`invgraph.viz.overlay`).
    """

    def __init__(self, folder: str, image_every: int = 25) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder)
        self._image_every = image_every

    def on_step(self, step: Step) -> None:
        for name, value in step.terms.items():
            self._writer.add_scalar(f"loss/{name}", value, step.total)
        self._writer.add_scalar("silhouette IoU", step.iou, step.total)
        if step.total % self._image_every == 1 or self._image_every == 1:
            for index, alpha in zip(step.chosen[:4].tolist(), step.alpha):
                picture = overlay(step.views.masks[index], alpha)
                self._writer.add_image(step.views.names[index], picture, step.total, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()
