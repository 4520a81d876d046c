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

    def are_seen(self, points: Tensor, enough: int) -> Tensor:
        """(P,) bool: which of the points (P, 3) at least ``enough`` views see before the mesh."""
        seen = torch.zeros(len(points), dtype=torch.bool)
        index, count = torch.arange(len(points)), torch.zeros(len(points), dtype=torch.int16)
        for rotation in self._rotations:
            drawn = torch.stack(self._project(self._mesh.verts, rotation), dim=1)
            depth = rasterize(drawn[None], self._mesh.faces, (self._size, self._size), barycentric=False).depth
            u, v, z = self._project(points, rotation)
            # what falls beside the picture falls on its border, where there is nothing
            row, column = v.long().clamp_(0, self._size - 1), u.long().clamp_(0, self._size - 1)
            count += z < depth.reshape(-1)[row.mul_(self._size).add_(column)]
            done = count >= enough
            if 8 * int(done.sum()) > len(done):  # put aside, once they are many
                seen[index[done]] = True
                points, index, count = (x[~done] for x in (points, index, count))
        seen[index[count >= enough]] = True
        return seen

    def _project(self, points: Tensor, rotation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixel u, pixel v, and depth, which is positive on the mesh: each (P,)."""
        middle = torch.tensor([0.5 * self._size, 0.5 * self._size, 2 * self._radius])
        scale = torch.tensor([[1 / self._pixel], [1 / self._pixel], [1.0]])
        turn = rotation * scale
        u, v, z = torch.addmm((middle - turn @ self._center).float()[:, None], turn.float(), points.T)
        return u, v, z


def spread_rotations(count: int) -> Tensor:
    """(count, 3, 3) float64 rotations whose third rows, the viewing directions, are spread evenly over the sphere."""
    number = torch.arange(count, dtype=torch.float64)
    z = 1 - (2 * number + 1) / count
    turn = number * math.pi * (3 - math.sqrt(5))
    flat = (1 - z * z).sqrt()
    forward = torch.stack([flat * turn.cos(), flat * turn.sin(), z], dim=1)
    right = torch.stack([-turn.sin(), turn.cos(), torch.zeros_like(z)], dim=1)
    return torch.stack([right, torch.linalg.cross(forward, right), forward], dim=1)
