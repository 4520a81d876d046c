"""Which points are seen from outside of a mesh, by depth maps from many directions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...geometry.mesh import Mesh
from ...ops.rasterize import rasterize


class DepthMaps:
    """Orthographic depth maps of a mesh from directions spread over the sphere.

    They are drawn each time they are asked, which takes less than keeping them would take memory.

    Args:
        mesh: one mesh; vertices of no face do not count.
        views: number of directions, on a Fibonacci spiral.
        pixel: side of a pixel. A point is judged by the pixel it falls into: by the depth at up to ``pixel / sqrt(2)``
            beside it.
    """

    def __init__(self, mesh: Mesh, views: int, pixel: float) -> None:
        used = mesh.verts[mesh.faces.unique()].double()
        self._center = 0.5 * (used.amin(0) + used.amax(0))
        self._radius = float(torch.linalg.vector_norm(used - self._center, dim=1).max())
        self._size = math.ceil(2 * self._radius / pixel) + 2
        self._pixel = pixel
        self._mesh = mesh
        self._rotations = spread_rotations(views)

    def count_seen(self, points: Tensor, enough: int) -> Tensor:
        """(P,) int64: by how many views each of the points (P, 3) is seen, counted up to ``enough``."""
        seen = torch.zeros(len(points), dtype=torch.int64)
        left = torch.arange(len(points))
        for rotation in self._rotations:
            if len(left) == 0:
                break
            drawn = self._project(self._mesh.verts, rotation)
            depth = rasterize(drawn[None], self._mesh.faces, (self._size, self._size), barycentric=False).depth[0]
            u, v, z = self._project(points[left], rotation).unbind(1)
            # what falls beside the picture falls on its border, where there is nothing
            pixel = v.long().clamp(0, self._size - 1) * self._size + u.long().clamp(0, self._size - 1)
            seen[left] += z < depth.reshape(-1)[pixel]
            left = left[seen[left] < enough]
        return seen

    def _project(self, points: Tensor, rotation: Tensor) -> Tensor:
        """(P, 3) float32: pixel u, pixel v, and depth, which is positive on the mesh."""
        turned = (points - self._center.to(points)) @ rotation.to(points).T
        u, v, z = turned.unbind(1)
        middle = 0.5 * self._size
        return torch.stack([u / self._pixel + middle, v / self._pixel + middle, z + 2 * self._radius], dim=1)


def spread_rotations(count: int) -> Tensor:
    """(count, 3, 3) float64 rotations whose third rows, the viewing directions, are spread evenly over the sphere."""
    number = torch.arange(count, dtype=torch.float64)
    z = 1 - (2 * number + 1) / count
    turn = number * math.pi * (3 - math.sqrt(5))
    flat = (1 - z * z).sqrt()
    forward = torch.stack([flat * turn.cos(), flat * turn.sin(), z], dim=1)
    right = torch.stack([-turn.sin(), turn.cos(), torch.zeros_like(z)], dim=1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], dim=1)
