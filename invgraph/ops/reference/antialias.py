"""Twin of :func:`invgraph.ops.antialias`: every edge against every gap between neighbouring pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from .soft_silhouette import cross


def silhouette_sides(points: Tensor, faces: Tensor, edges: Tensor, edge_faces: Tensor) -> Tensor:
    """``(B, E)``: the sign of ``cross(b - a, p - a)`` on the side where edge a-b's faces lie; 0: no silhouette."""
    uv = points[..., :2]
    corner = uv[:, faces]  # (B, F, 3, 2)
    area = cross(corner[:, :, 1] - corner[:, :, 0], corner[:, :, 2] - corner[:, :, 0])
    facing = torch.where(area >= 0, 1, -1)
    sides = []
    for k in range(2):
        face = edge_faces[:, k].clamp_min(0)
        follows = (faces[face] == edges[:, :1]) & (faces[face].roll(-1, 1) == edges[:, 1:])
        side = facing[:, face] * torch.where(follows.any(-1), 1, -1)
        sides.append(torch.where(edge_faces[:, k] >= 0, side, 0))
    first, second = sides
    return torch.where((first == 0) | (second == 0), first + second, torch.where(first == second, first, 0))


def antialias(image: Tensor, depth: Tensor, points: Tensor, faces: Tensor, edges: Tensor, edge_faces: Tensor) -> Tensor:
    """See the primitive; memory grows with B x E x H x W."""
    side = silhouette_sides(points, faces, edges, edge_faces)
    a, b = points[:, edges[:, 0]], points[:, edges[:, 1]]
    steep = (b[..., 1] - a[..., 1]).abs() >= (b[..., 0] - a[..., 0]).abs()
    rows = _blend_rows(image, depth, a, b, torch.where(steep, side, 0))
    # columns are the rows of the transposed picture, in which cross products change their sign
    swap = [1, 0, 2]
    flat = torch.where(steep, 0, -side)
    return _blend_rows(rows.transpose(1, 2), depth.mT, a[..., swap], b[..., swap], flat).transpose(1, 2)


def _blend_rows(image: Tensor, depth: Tensor, a: Tensor, b: Tensor, side: Tensor) -> Tensor:
    """Blend across the gaps between columns; ``a, b (B, E, 3)`` edge ends, ``side (B, E)``, 0 for edges left out."""
    _, height, width, _ = image.shape
    a, b, side = a[:, :, None, None], b[:, :, None, None], side[:, :, None, None]  # (B, E, row, gap, ...)
    row = torch.arange(height, dtype=a.dtype)[:, None] + 0.5
    first = torch.arange(width - 1, dtype=a.dtype)[None] + 0.5  # centre of the gap's left pixel
    rise = b[..., 1] - a[..., 1]
    fraction = (row - a[..., 1]) / torch.where(rise == 0, 1.0, rise)
    position = a[..., 0] + fraction * (b[..., 0] - a[..., 0]) - first
    top, bottom = torch.minimum(a[..., 1], b[..., 1]), torch.maximum(a[..., 1], b[..., 1])
    crosses = (side != 0) & (row >= top) & (row < bottom) & (position >= 0) & (position < 1)
    left_inner = rise * side > 0
    t = torch.where(left_inner, position, 1 - position)  # from the inner pixel's centre
    left, right = depth[:, None, :, :-1], depth[:, None, :, 1:]
    inner, outer = torch.where(left_inner, left, right), torch.where(left_inner, right, left)
    nearness = (1 - fraction) / a[..., 2] + fraction / b[..., 2]
    crosses = crosses & (inner < outer) & (nearness * outer > 1)
    t, edge = torch.where(crosses, t, -1.0).max(1)  # the outermost; (B, H, W - 1)
    left_inner = (left_inner & torch.ones_like(crosses)).gather(1, edge[:, None]).squeeze(1)
    to_inner = torch.where(t >= 0, (0.5 - t).clamp_min(0), 0.0)
    to_outer = torch.where(t >= 0, (t - 0.5).clamp_min(0), 0.0)
    to_left = torch.where(left_inner, to_inner, to_outer)[..., None]
    to_right = torch.where(left_inner, to_outer, to_inner)[..., None]
    step = image[:, :, 1:] - image[:, :, :-1]
    change = torch.zeros_like(image)
    change[:, :, :-1] += to_left * step
    change[:, :, 1:] -= to_right * step
    return image + change
