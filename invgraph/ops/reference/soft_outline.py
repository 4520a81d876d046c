"""Twin of :func:`invgraph.ops.soft_outline`: every silhouette edge cut wherever it may vanish, every piece judged."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .antialias import silhouette_sides
from .soft_silhouette import cross, pixel_centers


def soft_outline(
    points: Tensor,
    faces: Tensor,
    edges: Tensor,
    edge_faces: Tensor,
    image_size: tuple[int, int],
    sigma: float,
    *,
    min_alpha: float = 1e-4,
) -> Tensor:
    """See the primitive; for small scenes: memory grows with silhouette edges x faces^2 and with pixels x faces."""
    reach = math.sqrt(sigma * math.log(1 / min_alpha - 1))
    scale = reach / math.log(0.5 / min_alpha)
    sides = silhouette_sides(points, faces, edges, edge_faces)
    images = [_image(p[:, :2], side, faces, edges, image_size, scale, reach) for p, side in zip(points, sides)]
    return torch.stack(images) if images else points.new_zeros(0, *image_size)


def _image(
    uv: Tensor, side: Tensor, faces: Tensor, edges: Tensor, size: tuple[int, int], scale: float, reach: float
) -> Tensor:
    p = pixel_centers(size, uv)
    covered = _inside(p.reshape(-1, 2), uv.detach()[faces]).reshape(size)
    start, end = _outline(uv, side, faces, edges, covered)
    if not len(start):
        return covered.to(uv.dtype)
    direction = end - start
    offset = p[:, :, None] - start
    along = (offset * direction).sum(-1) / (direction * direction).sum(-1)
    r = offset - along.clamp(0, 1)[..., None] * direction
    distance = (r * r).sum(-1).amin(-1).sqrt()
    tail = 0.5 * torch.exp(-distance / scale)
    far = distance > reach
    return torch.where(covered, torch.where(far, 1.0, 1 - tail), torch.where(far, 0.0, tail))


def _inside(points: Tensor, corners: Tensor) -> Tensor:
    """Whether each of ``points (N, 2)`` lies in one of the triangles ``(F, 3, 2)``."""
    turn = cross(corners.roll(-1, 1) - corners, points[:, None, None] - corners)  # (N, F, 3)
    return ((turn > 0).all(-1) | (turn < 0).all(-1)).any(-1)


def _outline(uv: Tensor, side: Tensor, faces: Tensor, edges: Tensor, covered: Tensor) -> tuple[Tensor, Tensor]:
    """The ends ``(S, 2)`` of the outline's pieces."""
    silhouette = side != 0
    a, b, side = uv[edges[silhouette, 0]], uv[edges[silhouette, 1]], side[silhouette]
    # cuts: where a side of any face crosses the edge, and (held fixed) where a line of pixel centres does
    p = uv[faces].reshape(-1, 2)
    q = uv[faces.roll(-1, 1)].reshape(-1, 2)
    at_a, at_b = (cross(q - p, x[:, None] - p) for x in (a, b))  # (E, 3 F)
    at_p, at_q = (cross((b - a)[:, None], x - a[:, None]) for x in (p, q))
    crosses = ((at_a > 0) != (at_b > 0)) & ((at_p > 0) != (at_q > 0))
    cuts = torch.where(crosses, at_a / torch.where(crosses, at_a - at_b, 1.0), 0.0)
    height, width = covered.shape
    lines = [
        (torch.arange(n, dtype=uv.dtype) + 0.5 - a[:, None, k]) / (b - a)[:, None, k]
        for k, n in ((0, width), (1, height))
    ]
    cuts = torch.cat([cuts, *(torch.where(x.isfinite(), x, 0.0).detach() for x in lines)], 1).clamp(0, 1)
    cuts = torch.cat([torch.zeros_like(cuts[:, :1]), cuts, torch.ones_like(cuts[:, :1])], 1).sort(1).values
    t0, t1 = cuts[:, :-1], cuts[:, 1:]
    edge, piece = ((t1 - t0).detach() * (b - a).norm(dim=-1)[:, None] > 1e-9).nonzero(as_tuple=True)
    a, b, side, t0, t1 = a[edge], b[edge], side[edge], t0[edge, piece, None], t1[edge, piece, None]
    # a piece is outline if just outwards of it there is nothing, and one of the four centres around sees it
    d = (b - a).detach()
    outwards = torch.stack([d[:, 1], -d[:, 0]], -1) / d.norm(dim=-1, keepdim=True) * side[:, None]
    beside = (a + (t0 + t1) / 2 * (b - a)).detach() + 1e-7 * outwards
    free = ~_inside(beside, uv.detach()[faces]) & _open(beside, covered)
    start, end = a + t0 * (b - a), a + t1 * (b - a)
    return start[free], end[free]


def _open(points: Tensor, covered: Tensor) -> Tensor:
    """Whether one of the four pixel centres around each point is uncovered; beyond the outermost all are open."""
    height, width = covered.shape
    column, row = (points - 0.5).floor().long().unbind(-1)
    border = (column < 0) | (row < 0) | (column >= width - 1) | (row >= height - 1)
    column, row = column.clamp(0, max(width - 2, 0)), row.clamp(0, max(height - 2, 0))
    right, below = (column + 1).clamp_max(width - 1), (row + 1).clamp_max(height - 1)
    full = covered[row, column] & covered[row, right] & covered[below, column] & covered[below, right]
    return border | ~full
