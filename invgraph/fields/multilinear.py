"""Features on a regular grid, interpolated at points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .corner_sums import corner_sums


def interpolate_grid(features: Tensor, u: Tensor) -> Tensor:
    """Bilinear (D = 2) or trilinear (D = 3) interpolation between the centres of cells, differentiable to any order.

    The box of the grid is [0, 1]^D: the centre of cell i along an axis of R cells is (i + 1/2) / R, and beyond the
    outermost centres the value stays what it is there.

    Args:
        features: (B, R1, ..., RD, C).
        u: (B, P, D), coordinate d running along axis d of the grid.

    Returns:
        (B, P, C).
    """
    batch, points = u.shape[:2]
    which = torch.arange(batch, device=u.device).repeat_interleave(points)
    return interpolate_rows(features, u.flatten(0, 1), which).unflatten(0, (batch, points))


def interpolate_rows(features: Tensor, u: Tensor, which: Tensor) -> Tensor:
    """The same of any number of points in each grid.

    Args:
        features: (B, R1, ..., RD, C).
        u: (P, D), see :func:`interpolate_grid`.
        which: (P,) int64, the grid of each point.

    Returns:
        (P, C).
    """
    batch, *sizes, channels = features.shape
    # a third of the time of building corners of (P, 2, ..., 2) axis by axis: rows of two are slow to go through
    narrow = torch.int32 if batch * math.prod(sizes) < 2**31 else torch.int64
    index, steps = which.to(narrow), torch.zeros(1, dtype=narrow, device=u.device)
    weights = [u.new_ones(())]
    for d, size in enumerate(sizes):
        x = (u[:, d] * size - 0.5).clamp(0, size - 1)
        low = x.detach().floor().clamp(max=max(size - 2, 0)).nan_to_num(0)  # a NaN goes on through the weights
        part = x - low
        index = index * size + low.to(narrow)
        beyond = steps.new_tensor([0, math.prod(sizes[d + 1 :]) if size > 1 else 0])
        steps = (steps[:, None] + beyond).flatten()  # to the corners from the first one, the last axis fastest
        weights = [weight * share for weight in weights for share in (1 - part, part)]
    return corner_sums(features.reshape(-1, channels), index[:, None] + steps, torch.stack(weights, 1))
