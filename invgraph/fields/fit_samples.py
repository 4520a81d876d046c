"""Fit a field to its values at points of space."""

from __future__ import annotations

import os

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ..errors import InputError
from .descend import History, Progress, descend
from .field import Field


def fit_samples(
    field: Field,
    points: Tensor,
    values: Tensor,
    *,
    steps: int = 300,
    batch: int = 8192,
    learning_rate: float = 3e-2,
    decay: float = 0.01,
    truncation: float = 0.1,
    code: Tensor | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
) -> History:
    """Supervised fit of a field of any kind to samples, by Adam on mini-batches.

    An occupancy field descends on the binary cross entropy of its logits; a signed distance on ``|f(x) - d|`` in units
    of the truncation, and beyond it only where ``|f|`` falls short of it (the clamped L1 of DeepSDF, Park et al. 2019,
    equation 4, with a gradient for every error), so that it spends itself near the surface. What the field states as
    its regularizers is added. Batches are drawn with replacement. The first Ctrl-C ends the fit after the step in
    progress, with a shorter history. The field is left in evaluation mode. On the CPU the same seed and thread count
    give the same bytes, resumed or not, unless the field draws random numbers of its own (dropout).

    Args:
        field: any field; the parameters that require a gradient are optimized in place.
        points: (P, 3), of the field's dtype and on its device.
        values: (P,) occupancies in [0, 1] (or bool) for kind "occupancy", signed distances for kind "sdf".
        steps: number of steps.
        batch: samples a step.
        learning_rate: Adam's step size at the start. The default is one for feature grids; networks want 1e-3 or less.
        decay: the step size falls exponentially to this part of it at the end, in (0, 1].
        truncation: see above; in the units of the points, above 0.
        code: for fields that take one: (code_size,), fixed.
        seed: of the order of the samples.
        progress: called after each step, see :func:`descend`; an :class:`invgraph.progress.Bar`, for example.
        checkpoint: file to keep the state in, see :func:`descend`.
        resume: go on from ``checkpoint``, with the same samples and arguments.

    Returns:
        The terms of each step by name: ``samples``, the field's regularizers, and their sum as ``loss``.

    Raises:
        InputError: samples that cannot be fitted: NaNs, lengths that disagree, occupancies outside of [0, 1], or all
            of them on one side of the surface; a checkpoint of another fit.
        ArithmeticError: the loss became NaN or infinite.
    """
    for name, number in (("steps", steps), ("batch", batch)):
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    for name, size in (("learning_rate", learning_rate), ("truncation", truncation)):
        if not 0 < size < float("inf"):
            raise ValueError(f"{name}: expected a finite number above 0, got {size}")
    if not 0 < decay <= 1:
        raise ValueError(f"decay: expected a part in (0, 1], got {decay}")
    values = _checked(field, points, values)
    parameters = [p for p in field.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError(f"field: expected parameters that require a gradient, {type(field).__name__} has none")
    # A node of a fine grid that few samples touch has small gradients, which Adam's usual epsilon would drown. Fused,
    # as a grid has millions of parameters, each of which the plain loop reads and writes many times.
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, eps=1e-15, fused=True)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, decay ** (1 / steps))
    generator = torch.Generator().manual_seed(seed)

    def loss() -> dict[str, Tensor]:
        chosen = torch.randint(len(points), (batch,), generator=generator).to(points.device)
        return {"samples": _misfit(field, points[chosen], values[chosen], truncation, code), **field.regularizers()}

    field.train()
    try:
        return descend(
            field,
            loss,
            optimizer,
            steps=steps,
            generator=generator,
            schedule=schedule,
            progress=progress,
            checkpoint=checkpoint,
            resume=resume,
        )
    finally:
        field.eval()


def _misfit(field: Field, points: Tensor, values: Tensor, truncation: float, code: Tensor | None) -> Tensor:
    predicted = field(points, code)
    if field.kind == "occupancy":
        return binary_cross_entropy_with_logits(predicted, values)
    error = predicted - values.clamp(-truncation, truncation)
    # beyond the truncation no distance is too large; the paper's clamp, which is the same where the field is right, has
    # no gradient wherever the field is far off, and so cannot leave a poor start
    error = torch.where(values >= truncation, error.clamp(max=0), error)
    error = torch.where(values <= -truncation, error.clamp(min=0), error)
    return error.abs().mean() / truncation


def _checked(field: Field, points: Tensor, values: Tensor) -> Tensor:
    """The values as numbers, once points and values are what a field can be fitted to."""
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise InputError(f"points: expected shape (P, 3) with P >= 1, got {tuple(points.shape)}")
    if values.shape != (len(points),):
        raise InputError(f"values: expected one for each of {len(points)} points, got shape {tuple(values.shape)}")
    values = values.to(points.dtype)
    for name, tensor in (("points", points), ("values", values)):
        bad = int((~tensor.isfinite()).sum())
        if bad:
            raise InputError(f"{name}: expected finite numbers, got {bad} of {tensor.numel()} that are not")
    low, high = float(values.min()), float(values.max())
    if field.kind == "occupancy" and not 0 <= low <= high <= 1:
        raise InputError(f"values: expected occupancies in [0, 1], got a range of [{low:.4g}, {high:.4g}]")
    inside = values > 0.5 if field.kind == "occupancy" else values < 0
    if bool(inside.all()) or not bool(inside.any()):
        side = "inside" if bool(inside.all()) else "outside"
        got = f"{len(values)} that are all {side}, with values in [{low:.4g}, {high:.4g}]"
        raise InputError(f"values: expected samples on both sides of the surface, got {got}")
    return values
