"""The nearest point of a surface to each of many points."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .mesh import Mesh


class NearestPoint:
    """Nearest points on a mesh, through a KD-tree over points spread on its faces.

    The faces that own the nearest few of those points are tested exactly. The result is the true nearest point
    unless all of them miss the right face, which takes faces much smaller than ``spacing`` that lie close together;
    even then it is a point of the surface, at most about ``spacing`` further away.

    Args:
        mesh: one mesh with at least one face.
        spacing: largest distance of a surface point from the points in the tree, about.
    """

    _MAX_POINTS = 2_000_000

    def __init__(self, mesh: Mesh, spacing: float) -> None:
        from scipy.spatial import cKDTree

        triangles = mesh.detach().triangles().cpu().double().contiguous()
        points, owner = _lattice(triangles, spacing, self._MAX_POINTS)
        self._triangles = triangles
        self._normals = mesh.detach().face_normals().cpu().double()
        self._owner = owner
        self._tree = cKDTree(points.numpy(), balanced_tree=False, compact_nodes=False)

    def __call__(self, points: Tensor, normals: Tensor | None = None, candidates: int = 4) -> tuple[Tensor, ...]:
        """Nearest surface points.

        Args:
            points: (N, 3).
            normals: (N, 3); if given, faces that look the other way are passed over where another is among the
                candidates, so that a point on one side of a thin wall does not go to the other.
            candidates: number of tree points whose faces are tested.

        Returns:
            ``(nearest (N, 3), face (N,) int64, barycentric (N, 3), facing (N,) bool)`` in the dtype and on the device
            of ``points``; ``facing`` is False where only faces that look the other way were found.
        """
        where = points.detach().cpu().double()
        candidates = min(candidates, len(self._owner))
        _, index = self._tree.query(where.numpy(), k=candidates)
        face = self._owner[torch.from_numpy(np.asarray(index, np.int64).reshape(len(where), candidates))]
        corners = self._triangles[face]
        weights = closest_barycentric(where[:, None].expand(-1, candidates, -1), corners)
        nearest = torch.einsum("nkc,nkci->nki", weights, corners)
        distance = _dot(nearest - where[:, None], nearest - where[:, None])
        if normals is None:
            away = torch.zeros_like(distance, dtype=torch.bool)
        else:
            away = torch.einsum("nki,ni->nk", self._normals[face], normals.detach().cpu().double()) < 0
        distance = torch.where(away, distance + 1e3 * (distance.amax() + 1), distance)
        rows, best = torch.arange(len(where)), distance.argmin(1)
        nearest, face, weights = nearest[rows, best], face[rows, best], weights[rows, best]
        facing = ~away[rows, best]
        device = points.device
        return nearest.to(points), face.to(device), weights.to(points), facing.to(device)


def closest_barycentric(points: Tensor, triangles: Tensor) -> Tensor:
    """Barycentric coordinates of the point of each triangle closest to each point.

    Args:
        points: (..., 3).
        triangles: (..., 3, 3) corners.

    Returns:
        (..., 3) weights in [0, 1] that sum to one. A triangle without area is treated as its edges.
    """
    a, b, c = triangles.unbind(-2)
    u, v, w = b - a, c - a, points - a
    uu, uv, vv, uw, vw = _dot(u, u), _dot(u, v), _dot(v, v), _dot(u, w), _dot(v, w)
    det = uu * vv - uv * uv
    safe = torch.where(det > 0, det, 1)
    s, t = (vv * uw - uv * vw) / safe, (uu * vw - uv * uw) / safe
    inside = (det > 0) & (s >= 0) & (t >= 0) & (s + t <= 1)
    plane = torch.stack([1 - s - t, s, t], dim=-1)
    # outside, the closest point is on an edge: the nearest of three clamped projections
    tiny = torch.finfo(points.dtype).tiny
    on_ab = (uw / uu.clamp(min=tiny)).clamp(0, 1)
    on_ac = (vw / vv.clamp(min=tiny)).clamp(0, 1)
    e, x = c - b, points - b
    on_bc = (_dot(x, e) / _dot(e, e).clamp(min=tiny)).clamp(0, 1)
    gap_ab, gap_ac, gap_bc = w - on_ab[..., None] * u, w - on_ac[..., None] * v, x - on_bc[..., None] * e
    gaps = torch.stack([_dot(gap_ab, gap_ab), _dot(gap_ac, gap_ac), _dot(gap_bc, gap_bc)], dim=-1)
    edge = gaps.argmin(-1, keepdim=True)
    zero = torch.zeros_like(on_ab)
    options = torch.stack([1 - on_ab, on_ab, zero, 1 - on_ac, zero, on_ac, zero, 1 - on_bc, on_bc], dim=-1)
    border = options.gather(-1, edge * 3 + torch.arange(3, device=edge.device))
    return torch.where(inside[..., None], plane, border)


def _dot(u: Tensor, v: Tensor) -> Tensor:
    return torch.einsum("...i,...i->...", u, v)


def _lattice(triangles: Tensor, spacing: float, limit: int) -> tuple[Tensor, Tensor]:
    """Points on the faces at most about ``spacing`` from each other, at most about ``limit``, and their faces."""
    edges = triangles - triangles.roll(-1, dims=1)
    longest = torch.linalg.vector_norm(edges, dim=2).amax(1)
    steps = (longest / spacing).ceil().clamp(min=1)
    while float(steps.square().sum()) > max(limit, len(steps)):
        spacing *= 1.5
        steps = (longest / spacing).ceil().clamp(min=1)
    points, owner = [], []
    for n in torch.unique(steps).long().tolist():  # faces of one fineness together
        face = (steps == n).nonzero().squeeze(1)
        weights = _centroids(n).to(triangles.dtype)
        points.append((weights @ triangles[face]).reshape(-1, 3))
        owner.append(face.repeat_interleave(len(weights)))
    return torch.cat(points), torch.cat(owner)


def _centroids(n: int) -> Tensor:
    """(n * n, 3) barycentric coordinates of the centroids of a triangle cut into n * n alike ones."""
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    upright, inverted = (i + j < n), (i + j < n - 1)
    first = torch.cat([i[upright] + 1 / 3, i[inverted] + 2 / 3])
    second = torch.cat([j[upright] + 1 / 3, j[inverted] + 2 / 3])
    return torch.stack([n - first - second, first, second], dim=1) / n
