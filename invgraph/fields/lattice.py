"""Features on the nodes of regular grids of several finenesses, interpolated trilinearly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..errors import InputError
from .corner_sums import corner_sums
from .memory import available_memory

_PRIMES = (1, 2654435761, 805459861)  # those of Instant-NGP, equation 4
_COPIES = 5  # of the table during a fit: values, gradient, Adam's two moments, and what the curvature makes
_MAX_ROWS = 2**31 - 1  # rows are numbered in int32, which is read twice as fast


class Lattice(nn.Module):
    """Trilinear features of several levels side by side: (P, 3) in [0, 1]^3 -> (P, L * features).

    A dense level keeps a row for each node. A hashed level (Müller et al., Instant Neural Graphics Primitives with a
    Multiresolution Hash Encoding, SIGGRAPH 2022) keeps ``2**hashed`` rows, which nodes share where their hashes meet;
    a level whose nodes fit in that many rows is dense.

    Args:
        cells: (L, 3) cells along each axis of each level, each at least 1.
        features: numbers a node.
        hashed: log2 of a hashed level's rows; 0 keeps every level dense.
        generator: source of the first features, uniform in +-1e-4 as in Instant-NGP; the global generator if None.
    """

    cells: Tensor
    offsets: Tensor

    def __init__(
        self,
        cells: Sequence[Sequence[int]],
        features: int,
        *,
        hashed: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        rows = [(x + 1) * (y + 1) * (z + 1) for x, y, z in cells]
        limit = 2**hashed if hashed else _MAX_ROWS
        self.dense = sum(n <= limit for n in rows)
        if any(n <= limit for n in rows[self.dense :]):
            raise ValueError(f"cells: expected levels from coarse to fine, got {list(map(tuple, cells))}")
        sizes = [min(n, limit) for n in rows]
        if sum(sizes) > _MAX_ROWS:
            raise ValueError(f"cells: expected at most 2^31 - 1 nodes in all, got {sum(rows):,}; hash the finer levels")
        needed, available = 4 * _COPIES * features * sum(sizes), available_memory()
        if available is not None and needed > available:
            raise InputError(
                f"cells: {sum(sizes):,} nodes of {features} features take about {needed / 1e9:,.1f} GB of memory, "
                f"where {available / 1e9:,.1f} GB are available; take coarser levels or hash the finer ones"
            )
        self.hashed = hashed
        self.features = features
        self.register_buffer(
            "cells", torch.tensor(cells, dtype=torch.int32).T[:, :, None].contiguous(), persistent=False
        )
        starts = torch.tensor([0, *sizes[:-1]]).cumsum(0).to(torch.int32)
        self.register_buffer("offsets", starts[:, None], persistent=False)
        table = torch.empty(sum(sizes), features)
        self.table = nn.Parameter(table.uniform_(-1e-4, 1e-4, generator=generator))

    def forward(self, points: Tensor, levels: int | None = None) -> Tensor:
        """(P, L * features), 0 for levels from ``levels`` on; points outside of the cube count as on its side."""
        levels = self.cells.shape[1] if levels is None else levels
        count = self.cells[:, :levels].to(points.dtype)
        x = points.T[:, None].clamp(0, 1) * count  # (3, levels, P)
        low = torch.minimum(x.detach().floor(), count - 1).nan_to_num(0)  # a NaN goes on through the weights
        index = self._rows(low.to(torch.int32), levels).view(-1, 8)
        sums = corner_sums(self.table.to(points.dtype), index, _weights(x - low).view(-1, 8))
        out = sums.view(levels, len(points), self.features).transpose(0, 1).flatten(1)
        missing = (self.cells.shape[1] - levels) * self.features
        return torch.nn.functional.pad(out, (0, missing)) if missing else out

    def curvature(self) -> Tensor:
        """Mean square of the features' second derivatives along the axes, summed over the levels.

        The unit of length is the cube's side, and a level counts for its cell's volume: at the same curvature the finer
        level weighs less, as its nodes are told apart by fewer samples. Which nodes share a row of a hashed level is
        chance, so its neighbours are taken for independent: second differences are six times the mean square then.
        """
        total = self.table.new_zeros(())
        for k in range(self.cells.shape[1]):
            cells = [int(n) for n in self.cells[:, k, 0]]
            start = int(self.offsets[k])
            if k >= self.dense:
                total = total + 6 * sum(cells) * self.table[start : start + 2**self.hashed].square().mean()
                continue
            nodes = [n + 1 for n in cells]
            grid = self.table[start : start + math.prod(nodes)].view(*nodes, self.features)
            for axis, n in enumerate(cells):
                if n > 1:
                    total = total + n * torch.diff(grid, n=2, dim=axis).square().mean()
        return total

    def _rows(self, low: Tensor, levels: int) -> Tensor:
        """(levels, P, 8) rows of the corners of the cells at ``low`` (3, levels, P), z fastest."""
        dense = min(self.dense, levels)
        (x, y, z), (_, ny, nz) = low[:, :dense], self.cells[:, :dense] + 1
        first = (x * ny + y) * nz + z + self.offsets[:dense]
        along_y, along_z = nz.expand_as(ny), torch.ones_like(nz)
        zero = torch.zeros_like(nz)
        yz = torch.stack([zero, along_z, along_y, along_y + along_z], -1)
        steps = torch.cat([yz, yz + (ny * nz)[..., None]], -1)  # (dense, 1, 8)
        rows = first[..., None] + steps
        if levels == dense:
            return rows
        mask = 2**self.hashed - 1
        x, y, z = (
            (low[k, dense:].long()[..., None] + torch.arange(2, device=low.device)) * _PRIMES[k] for k in range(3)
        )
        yz = y[..., :, None] ^ z[..., None, :]
        mixed = (x[..., :, None, None] ^ yz[..., None, :, :]).flatten(-3) & mask
        return torch.cat([rows, mixed.to(torch.int32) + self.offsets[dense:levels, :, None]])


def _weights(part: Tensor) -> Tensor:
    """(levels, P, 8) trilinear weights from the place within the cell (3, levels, P), in [0, 1]."""
    fx, fy, fz = part
    ex, ey, ez = 1 - part
    yz = (ey * ez, ey * fz, fy * ez, fy * fz)
    return torch.stack([*(ex * w for w in yz), *(fx * w for w in yz)], -1)
