"""Features of the points of a cloud that know their neighbours in the same cell of a grid."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .resnet import ResNetBlock


class LocalPointNet(nn.Module):
    """Residual blocks on each point, between them the maximum over the points of a cell (Peng 2020, section 3.1).

    Args:
        channels: of a point's features.
        blocks: how many blocks; the maximum is taken between any two.
    """

    def __init__(self, channels: int, blocks: int = 5) -> None:
        super().__init__()
        self.lift = nn.Linear(6, 2 * channels)
        self.blocks = nn.ModuleList([ResNetBlock(2 * channels, channels) for _ in range(blocks)])
        self.out = nn.Linear(channels, channels)
        for layer in (self.lift, self.out):  # features of unit size: smaller ones are for long the same everywhere
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")

    def forward(self, points: Tensor, grids: Sequence[tuple[Tensor, int]]) -> Tensor:
        """Features (P, channels) of points (P, 3).

        Args:
            points: (P, 3), of all clouds.
            grids: for each grid (P,) int64 cell of each point, and the number of cells. Clouds have their own cells.
                The maxima over the cells of several grids are added.
        """
        x = self.blocks[0](self.lift(points))
        for block in self.blocks[1:]:
            pooled = torch.stack([max_in_cells(x, cells, count)[cells] for cells, count in grids]).sum(0)
            x = block(torch.cat([x, pooled], -1))
        return self.out(x)


def max_in_cells(x: Tensor, cells: Tensor, count: int) -> Tensor:
    """Maximum (count, C) of the rows of x (P, C) in each cell (P,); 0 in a cell without a point."""
    index = cells[:, None].expand_as(x)
    return x.new_zeros(count, x.shape[1]).scatter_reduce(0, index, x, "amax", include_self=False)


def mean_in_cells(x: Tensor, cells: Tensor, count: int) -> Tensor:
    """Mean (count, C) of the rows of x (P, C) in each cell (P,); 0 in a cell without a point."""
    points = torch.bincount(cells, minlength=count).clamp(min=1).to(x)
    return x.new_zeros(count, x.shape[1]).index_add(0, cells, x) / points[:, None]
