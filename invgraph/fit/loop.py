"""The multi-view loop: a shape, rendered from the views' cameras, pulled towards their masks."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ..checkpoint import load_checkpoint, save_checkpoint
from ..data import Views
from ..errors import InputError
from ..interrupt import Interrupt
from ..shapes import Shape, restored
from .initial import initial_mesh
from .options import FitOptions
from .progress import Callback, StageStart
from .result import FitResult, measure
from .run import Run, fingerprint
from .schedule import Stage, schedule


def fit(
    shape: Shape | None,
    views: Views,
    options: FitOptions = FitOptions(),  # noqa: B008 - frozen
    *,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    stages: Sequence[Stage] | None = None,
) -> FitResult:
    """Fit a shape to the masks of calibrated views.

    Each stage of the schedule remeshes, or makes a field's grid anew, if it asks for it, and descends on the silhouette
    term and the weighted regularizers over mini-batches of views. It works in the canonical frame of the shape; the
    result is in that of the views.

    Args:
        shape: what to optimize; None makes one from ``options.shape`` and ``options.init``. A given shape's own
            parameters are changed, until the first stage that remeshes, or makes a grid anew, goes on with a new shape.
        views: cameras and masks in the world frame; unknown pixels are ignored.
        options: see :class:`FitOptions`. ``options.holdout`` views are kept out and scored in the end.
        callbacks: watch the fit, see :class:`Callback`.
        checkpoint: file that is rewritten at the end of each stage, on interruption, and every
            ``options.checkpoint_every`` steps; None writes none.
        resume: go on from ``checkpoint``; the mesh is, byte for byte, that of an uninterrupted fit. Needs the same
            options and views (and, for a shape that is not a template, the same kind of ``shape``).
        stages: instead of the default schedule.

    Returns:
        The result, also after Ctrl-C: the step is completed, and ``interrupted`` is set.

    Raises:
        InputError: the views cannot be fitted, ``options.init`` cannot be read, the checkpoint does not match, or a
            field has lost its surface.
        NonFiniteError: the loss or its gradient stopped being finite.
    """
    if not isinstance(views, Views):
        raise TypeError(f"views: expected Views, as load_views(path) reads them, got {type(views).__name__}")
    if resume and checkpoint is None:
        raise ValueError("resume: expected a checkpoint to resume from, got checkpoint=None")
    if shape is not None and stages is None and shape.representation not in (None, options.shape):
        raise ValueError(f"options.shape: expected {shape.representation!r}, as shape is, got {options.shape!r}")
    train, held = _split(views, options.holdout)
    saved = load_checkpoint(checkpoint) if resume and checkpoint is not None else None
    run = _begun(shape, train, options, stages, saved)
    with ExitStack() as stack:
        interrupt = stack.enter_context(Interrupt())
        for callback in callbacks:
            stack.callback(callback.close)
        _descend(run, callbacks, checkpoint, interrupt)
        run.release()
        result = FitResult(
            mesh=run.shape.export(),
            shape=run.shape,
            options=options,
            train=train,
            held=held,
            start=run.facts["start"],
            note=run.facts["note"],
            history=run.history,
            seconds=run.seconds,
            interrupted=run.stage_index < len(run.stages),
        )
        result.metrics = measure(result)
        for callback in callbacks:
            callback.on_end(result)
    return result


def _begun(
    shape: Shape | None,
    train: Views,
    options: FitOptions,
    stages: Sequence[Stage] | None,
    saved: dict[str, Any] | None,
) -> Run:
    """The run before its first step, or where the checkpoint left it."""
    began = time.perf_counter()
    start, note = "shape", ""
    if saved is not None:
        _check_same(saved, options, train)
        start, note = saved["start"], saved["note"]
        shape = restored(saved["shape"], shape)
    elif shape is None:
        initial = initial_mesh(train, options)
        shape, start, note = initial.shape(options), initial.kind, initial.note
    chosen = tuple(stages) if stages is not None else schedule(start, options)
    run = Run(shape, train, options, chosen, {"start": start, "note": note})
    run.seconds["initial shape"] = time.perf_counter() - began
    if saved is not None:
        if saved["schedule"] != repr(chosen):
            raise InputError("stages: not those of the run to resume")
        run.restore(saved)
    return run


def _descend(
    run: Run, callbacks: Sequence[Callback], checkpoint: str | os.PathLike[str] | None, interrupt: Interrupt
) -> None:
    """Stage after stage, until the end or Ctrl-C."""
    every = run.options.checkpoint_every
    while run.stage_index < len(run.stages) and not interrupt.requested:
        if run.optimizer is None:
            run.begin_stage()
        for callback in callbacks:
            callback.on_stage(StageStart(run.stage, run.stage_index, run.stages, run.shape))
        while run.step < run.stage.steps and not interrupt.requested:
            step = run.take_step()
            for callback in callbacks:
                callback.on_step(step)
            if checkpoint is not None and every and step.total % every == 0:
                save_checkpoint(checkpoint, run.state())
        if run.step == run.stage.steps:
            run.end_stage()
        if checkpoint is not None:
            save_checkpoint(checkpoint, run.state())


def _split(views: Views, holdout: int) -> tuple[Views, Views | None]:
    if len(views) - holdout < 2:
        kept = f" ({holdout} of {len(views)} held out)" if holdout else ""
        raise InputError(f"{views.source}: expected at least 2 views to fit, got {len(views) - holdout}{kept}")
    return views.split(holdout) if holdout else (views, None)


def _check_same(saved: dict[str, Any], options: FitOptions, views: Views) -> None:
    before = FitOptions.from_json(saved["options"])
    for name in FitOptions.__dataclass_fields__:
        if name != "checkpoint_every" and getattr(before, name) != getattr(options, name):
            raise InputError(
                f"{name}: the run to resume has {getattr(before, name)!r}, got {getattr(options, name)!r}; "
                "resume with the same options or start a new run"
            )
    if saved["views"] != fingerprint(views):
        raise InputError(f"{views.source}: not the views of the run to resume")
