"""Twin of :func:`invgraph.ops.soft_color`: every face against every pixel."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .soft_silhouette import cross, pixel_centers, signed_squared_distance


def soft_color(
    points: Tensor,
    faces: Tensor,
    colors: Tensor,
    image_size: tuple[int, int],
    sigma: float,
    gamma: float,
    *,
    background: float | Tensor = 0.0,
    near: float = 1.0,
    far: float = 100.0,
    eps: float = 1e-3,
    min_probability: float = 1e-4,
) -> tuple[Tensor, Tensor]:
    """See the primitive; memory grows with B x H x W x F x C."""
    p = pixel_centers(image_size, points)[:, :, None]  # (H, W, 1 face, 2)
    corners = points[:, None, None, faces]  # (B, 1, 1, F, 3, 3)
    uv, z = corners[..., :2], corners[..., 2]
    x = signed_squared_distance(p, uv) / sigma
    drawn = corners.isfinite().all(-1).all(-1) & ((z > 1e-15) & (z < 1e15)).all(-1)
    counted = drawn & (x > -math.log(1 / min_probability - 1))

    # barycentrics in the image, clipped and normalised; then depth and weights at the same point of the face
    a, b = uv.roll(-1, -2), uv.roll(-2, -2)  # the edge opposite each corner
    turn = cross(b - a, p[..., None, :] - a)
    area = turn.sum(-1, keepdim=True)
    flat = area.abs() <= 1e-30
    screen = torch.where(flat, 1 / 3, turn / torch.where(flat, 1.0, area)).clamp(0, 1)
    screen = screen / screen.sum(-1, keepdim=True)
    depth = 1 / (screen / z).sum(-1)
    weight = screen / z * depth[..., None]  # (B, H, W, F, 3)
    c = torch.einsum("bhwfk,bfkc->bhwfc", weight, colors.expand(len(points), *colors.shape[-3:]))

    nearness = ((far - depth) / (far - near)).clamp(0, 1)
    score = torch.where(counted, torch.nn.functional.logsigmoid(x) + nearness / gamma, -torch.inf)
    score = torch.cat([score, torch.full_like(score[..., :1], eps / gamma)], -1)
    share = score.softmax(-1)
    rgb = (share[..., :-1, None] * c).sum(-2) + share[..., -1:] * background
    alpha = -torch.expm1(-torch.where(counted, torch.nn.functional.softplus(x), 0.0).sum(-1))
    return rgb, alpha
