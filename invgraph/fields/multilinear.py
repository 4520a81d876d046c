"""Features on a regular grid, interpolated at points."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def interpolate_grid(features: Tensor, u: Tensor) -> Tensor:
    """Bilinear (D = 2) or trilinear (D = 3) interpolation between the centres of cells.

    The box of the grid is [0, 1]^D: the centre of cell i along an axis of R cells is (i + 1/2) / R, and beyond the
    outermost centres the value stays what it is there. Where the points require a gradient, the result can be
    differentiated twice with respect to them; otherwise a fused kernel takes over that cannot, and is several times as
    fast. The values are the same.

    Args:
        features: (B, R1, ..., RD, C).
        u: (B, P, D), coordinate d running along axis d of the grid.

    Returns:
        (B, P, C).
    """
    batch, *sizes, channels = features.shape
    points, dims = u.shape[1:]
    if not u.requires_grad:
        where = (2 * u - 1).flip(-1).view(batch, *[1] * (dims - 1), points, dims)  # the kernel's last axis comes first
        sampled = grid_sample(features.movedim(-1, 1), where, padding_mode="border", align_corners=False)
        return sampled.view(batch, channels, points).mT
    rows = features.reshape(-1, channels)
    size = u.new_tensor(sizes)
    x = torch.minimum((u * size - 0.5).clamp(min=0), size - 1)
    low = torch.minimum(x.detach().floor(), (size - 2).clamp(min=0))
    part, low = x - low, low.long()
    first = torch.arange(batch, device=u.device)[:, None]
    total: Tensor | float = 0.0
    for corner in itertools.product((0, 1), repeat=dims):
        index, weight = first, u.new_ones(())
        for d, side in enumerate(corner):
            index = index * sizes[d] + (low[..., d] + side).clamp(max=sizes[d] - 1)
            weight = weight * (part[..., d] if side else 1 - part[..., d])
        total = total + rows[index] * weight[..., None]
    assert isinstance(total, Tensor)
    return total
