"""Features on a regular grid, interpolated at points."""

from __future__ import annotations

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
    batch, *sizes, channels = features.shape
    points = u.shape[1]
    index = torch.arange(batch, device=u.device)[:, None, None]
    weights = u.new_ones(1, 1, 1)
    for d, size in enumerate(sizes):
        x = (u[..., d] * size - 0.5).clamp(0, size - 1)
        low = x.detach().floor().clamp(max=max(size - 2, 0)).nan_to_num(0)  # a NaN goes on through the weights
        part, first = x - low, low.long()
        sides = torch.stack([first, (first + 1).clamp(max=size - 1)], -1)
        shares = torch.stack([1 - part, part], -1)
        index = (index[..., None] * size + sides[..., None, :]).flatten(-2)  # corners, the last axis fastest
        weights = (weights[..., None] * shares[..., None, :]).flatten(-2)
    table = features.reshape(-1, channels)
    corners = 2 ** len(sizes)
    return corner_sums(table, index.view(-1, corners), weights.view(-1, corners)).view(batch, points, channels)
