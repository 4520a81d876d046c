"""Twin of :func:`invgraph.ops.soft_silhouette`: every face against every pixel."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def pixel_centers(image_size: tuple[int, int], like: Tensor) -> Tensor:
    """``(H, W, 2)`` (u, v) of the pixel centres."""
    height, width = image_size
    v = torch.arange(height, dtype=like.dtype, device=like.device) + 0.5
    u = torch.arange(width, dtype=like.dtype, device=like.device) + 0.5
    return torch.stack(torch.meshgrid(u, v, indexing="xy"), -1)


def cross(a: Tensor, b: Tensor) -> Tensor:
    """z of the cross product of two vectors in the image plane."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def signed_squared_distance(p: Tensor, corners: Tensor) -> Tensor:
    """Squared distance of points ``(..., 2)`` to the outline of triangles ``(..., 3, 2)``, negative outside."""
    p, edge = p[..., None, :], corners.roll(-1, -2) - corners
    along = ((p - corners) * edge).sum(-1) / (edge * edge).sum(-1).clamp_min(torch.finfo(corners.dtype).tiny)
    offset = p - corners - along.clamp(0, 1)[..., None] * edge
    d2 = (offset * offset).sum(-1).amin(-1)  # to the nearest of the three edges
    turn = cross(edge, p - corners)
    return torch.where((turn > 0).all(-1) | (turn < 0).all(-1), d2, -d2)


def soft_silhouette(
    points: Tensor, faces: Tensor, image_size: tuple[int, int], sigma: float, *, min_probability: float = 1e-4
) -> Tensor:
    """See the primitive; memory grows with B x H x W x F."""
    p = pixel_centers(image_size, points)[:, :, None]  # (H, W, 1 face, 2)
    x = signed_squared_distance(p, points[:, None, None, faces]) / sigma
    counted = x > -math.log(1 / min_probability - 1)
    drawn = points.isfinite().all(-1)[:, None, None, faces].all(-1)
    optical_depth = torch.where(counted & drawn, F.softplus(x), 0.0).sum(-1)
    return -torch.expm1(-optical_depth)
