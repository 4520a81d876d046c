"""The soft silhouette's gradient in torch operations, for derivatives beyond the first.

Where the kernel's backward pass is itself differentiated, its formula is evaluated again over the pairs of a pixel and
a face within reach: memory grows with their number, not with pixels times faces.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LIMIT = 1e15  # coordinates beyond are not drawn (csrc/common/triangle.h)


def gradient_by_pairs(
    points: Tensor, grad_alpha: Tensor, faces: Tensor, ranges: Tensor | None, sigma: float, reach: float
) -> Tensor:
    """``soft_silhouette_backward`` as a function that autograd can differentiate, to any order.

    With ``x = s d^2 / sigma``, ``d alpha / d x_f = (1 - alpha) sigmoid(x_f)`` and ``1 - alpha = exp(-sum_f
    softplus(x_f))``. The nearest point of a face's outline lies at ``t`` on one of its edges, and
    ``d (d^2) / d corner = -2 weight r`` with the offset ``r`` from it and its weights ``1 - t`` and ``t`` (the nearest
    point is a minimum, so its own motion along the edge adds nothing).
    """
    height, width = grad_alpha.shape[1:]
    flat = points.reshape(-1, 2)
    with torch.no_grad():
        image, corners = _drawn(flat, faces, ranges, points)
        pair, row, column = _boxes(flat[corners], (reach * sigma) ** 0.5, (height, width))
        x, *_ = _signed(flat, corners[pair], row, column, sigma)
        near = x > -reach
        pair, row, column = pair[near], row[near], column[near]
    corners = corners[pair]
    x, r, weights, ends = _signed(flat, corners, row, column, sigma)
    pixel = (image[pair] * height + row) * width + column
    depth = flat.new_zeros(grad_alpha.numel()).index_add(0, pixel, torch.nn.functional.softplus(x))
    sign = torch.where(x.detach() > 0, -2 / sigma, 2 / sigma)
    pull = grad_alpha.reshape(-1)[pixel] * (-depth[pixel]).exp() * torch.sigmoid(x) * sign
    by_end = pull[:, None, None] * weights[..., None] * r[:, None]  # (pairs, two ends, 2)
    return torch.zeros_like(flat).index_add(0, ends.reshape(-1), by_end.reshape(-1, 2)).reshape(points.shape)


def _drawn(flat: Tensor, faces: Tensor, ranges: Tensor | None, points: Tensor) -> tuple[Tensor, Tensor]:
    """The image and the flat corners of every face that an image draws."""
    if ranges is None:
        count, verts = points.shape[:2]
        image = torch.arange(count, device=flat.device).repeat_interleave(len(faces))
        corners = faces.repeat(count, 1) + (image * verts)[:, None]
    else:
        counts = ranges[:, 1] - ranges[:, 0]
        image = torch.repeat_interleave(torch.arange(len(ranges), device=flat.device), counts)
        corners = faces[_counted(ranges[:, 0], counts)]
    drawn = (flat[corners].abs() < _LIMIT).all(-1).all(-1)
    return image[drawn], corners[drawn]


def _counted(first: Tensor, counts: Tensor) -> Tensor:
    """``first[i], first[i] + 1, ...``, ``counts[i]`` of them, for all i."""
    ends = counts.cumsum(0)
    start = torch.repeat_interleave(first - (ends - counts), counts)
    return start + torch.arange(len(start), device=first.device)


def _boxes(triangles: Tensor, margin: float, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Face, row and column of each pixel whose centre lies within ``margin`` of a face's box."""
    limit = triangles.new_tensor([size[1], size[0]])
    low = (triangles.amin(1) - margin - 0.5).ceil().clamp_min(0).minimum(limit).long()
    high = (triangles.amax(1) + margin - 0.5).floor().minimum(limit - 1).clamp_min(-1).long()
    columns, rows = (high - low + 1).clamp_min(0).unbind(1)
    counts = columns * rows
    face = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    at = _counted(torch.zeros_like(counts), counts)
    return face, low[face, 1] + at // columns[face], low[face, 0] + at % columns[face]


def _signed(
    flat: Tensor, corners: Tensor, row: Tensor, column: Tensor, sigma: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``x`` of each pair, the offset ``r (pairs, 2)``, and the two ends of the nearest edge with their weights."""
    p = torch.stack([column, row], 1).to(flat) + 0.5
    start = flat[corners]  # (pairs, 3, 2)
    edge = start.roll(-1, 1) - start
    d = p[:, None] - start
    length2 = (edge * edge).sum(-1)
    some = length2 > 0
    t = torch.where(some, (d * edge).sum(-1) / torch.where(some, length2, 1.0), 0.0).clamp(0, 1)
    offset = d - t[..., None] * edge
    turn = (edge[..., 0] * d[..., 1] - edge[..., 1] * d[..., 0]).detach()
    inside = (turn > 0).all(-1) | (turn < 0).all(-1)
    nearest = (offset.detach() * offset.detach()).sum(-1).argmin(-1, keepdim=True)
    t = t.gather(1, nearest)[:, 0]
    r = offset.gather(1, nearest[..., None].expand(-1, 1, 2))[:, 0]
    d2 = (r * r).sum(-1)
    ends = torch.cat([corners.gather(1, nearest), corners.roll(-1, 1).gather(1, nearest)], 1)
    return torch.where(inside, d2, -d2) / sigma, r, torch.stack([1 - t, t], 1), ends
