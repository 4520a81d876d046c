"""What the grids over a box have in common: cells, bounds and how many nodes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from .box import UNIT, Bounds, Resolution, as_bounds, as_cells, box_nodes, check_memory


class BoxGrid:
    """Cubic cells over a box, with nodes at their corners and perhaps in their middles.

    Args:
        resolution: cells along each axis, or one number for all three.
        bounds: lowest and highest corner of the box, (2, 3).
        dtype: of the nodes; None: torch's default.
        device: of the nodes; None: that of ``bounds``, or the CPU.

    Raises:
        ValueError: not a resolution or box.
        InputError: a grid that cannot fit in memory.
    """

    has_middles: ClassVar[bool] = False

    def __init__(
        self,
        resolution: Resolution,
        bounds: Bounds = UNIT,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        self.cells = as_cells(resolution)
        x, y, z = self.cells
        self.num_corners = (x + 1) * (y + 1) * (z + 1)
        self.num_nodes = self.num_corners + (x * y * z if self.has_middles else 0)
        check_memory(self.num_nodes, resolution)
        self.bounds = as_bounds(bounds, dtype or torch.get_default_dtype(), device)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(cells={self.cells}, nodes={self.num_nodes}, bounds={self.bounds.tolist()})"

    @property
    def boundary(self) -> Tensor:
        """(B,) ascending indices of the nodes on the box, which count as outside."""
        return box_nodes(self.cells, self.bounds.device)
