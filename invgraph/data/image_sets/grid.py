"""The grid of voxels that shapes of a data set are compared on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..shapes.records import Voxels
from .nmr_frame import RESOLUTION, SIDE


@dataclass(frozen=True)
class Grid:
    """A cube of ``resolution`` voxels along an axis; by default that of SoftRas and NMR.

    Attributes:
        resolution: voxels along an axis.
        center: of the cube, in the frame of the cameras.
        side: its length there.
    """

    resolution: int = RESOLUTION
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    side: float = SIDE

    @staticmethod
    def of(voxels: Voxels) -> Grid:
        """The cube of voxels, without the rounding of its files' numbers."""
        x, y, z = (round(value, 6) for value in (voxels.low + voxels.side / 2).tolist())
        return Grid(len(voxels.filled), (x, y, z), round(voxels.side, 6))

    def placed(self, filled: Tensor) -> Voxels:
        """Voxels (R, R, R) of this grid with their place."""
        return Voxels(filled, torch.tensor(self.center, dtype=torch.float64) - self.side / 2, self.side)

    def centers(self) -> Tensor:
        """(R^3, 3) float64: the middles of the voxels, z fastest."""
        axis = ((torch.arange(self.resolution, dtype=torch.float64) + 0.5) / self.resolution - 0.5) * self.side
        middles = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
        return middles + torch.tensor(self.center, dtype=torch.float64)

    def at(self, filled: Tensor, points: Tensor) -> Tensor:
        """(P,) bool: whether points (P, 3) lie in filled voxels (R, R, R)."""
        index, within = self._cells(points)
        return filled.flatten()[index] & within

    def of_points(self, points: Tensor, inside: Tensor) -> Tensor:
        """(R, R, R) bool: voxels most of whose points (P, 3) are inside; ones without any are as those around them."""
        index, within = self._cells(points)
        cells = self.resolution**3
        total = torch.zeros(cells).index_add_(0, index[within], torch.ones(int(within.sum())))
        solid = torch.zeros(cells).index_add_(0, index[within], inside[within].float())
        total, solid = (x.view(1, 1, *(self.resolution,) * 3) for x in (total, solid))
        for _ in range(self.resolution):
            empty = total == 0
            if not bool(empty.any()):
                break
            near_total, near_solid = (torch.nn.functional.avg_pool3d(x, 3, 1, 1) for x in (total, solid))
            total, solid = torch.where(empty, near_total, total), torch.where(empty, near_solid, solid)
        return (2 * solid > total)[0, 0]

    def _cells(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Flat index of each point's voxel, and whether it has one."""
        place = (points.double() - torch.tensor(self.center, dtype=torch.float64)) / self.side + 0.5
        cell = (place * self.resolution).floor().long()
        within = ((cell >= 0) & (cell < self.resolution)).all(1)
        x, y, z = cell.clamp(0, self.resolution - 1).unbind(1)
        return (x * self.resolution + y) * self.resolution + z, within
