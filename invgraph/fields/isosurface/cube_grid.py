"""A box filled with cubes: the grid of FlexiCubes."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from ...geometry import Mesh
from .box import lattice
from .box_grid import BoxGrid
from .crossing import Inside
from .flexicubes import flexicubes


class CubeGrid(BoxGrid):
    """Nodes at the corners of the cells of a box, z fastest.

    Args:
        resolution: cells along each axis, or one number for all three; a power of two suits :func:`sparse_values`.
        bounds: lowest and highest corner of the box, (2, 3).
        dtype: of the nodes; None: torch's default.
        device: of the nodes; None: that of ``bounds``, or the CPU.

    Raises:
        ValueError: not a resolution or box.
        InputError: a grid that cannot fit in memory.
    """

    @cached_property
    def nodes(self) -> Tensor:
        """(N, 3) positions, z fastest."""
        return lattice([n + 1 for n in self.cells], *self.bounds)

    def crossing_edges(self, is_inside: Tensor) -> Tensor:
        """(X, 2) nodes of the edges whose ends disagree in ``is_inside (N,)`` bool."""
        shape = [n + 1 for n in self.cells]
        inside = is_inside.view(shape)
        number = torch.arange(self.num_nodes, device=is_inside.device).view(shape)
        ends = []
        for d, n in enumerate(self.cells):
            crossed = inside.narrow(d, 0, n) ^ inside.narrow(d, 1, n)
            ends.append(torch.stack([number.narrow(d, 0, n)[crossed], number.narrow(d, 1, n)[crossed]], 1))
        return torch.cat(ends)

    def surface(self, values: Tensor, *, nodes: Tensor | None = None, inside: Inside = "below") -> Mesh:
        """The mesh of :func:`flexicubes` without weights.

        Args:
            values: (N,) at the nodes.
            nodes: (N, 3) positions that take the place of the grid's own, differentiable; None: those.
            inside: where values are "below" (signed distance) or "above" (occupancy logits) zero.
        """
        return flexicubes(self.nodes if nodes is None else nodes, self.cells, values, inside=inside).mesh
