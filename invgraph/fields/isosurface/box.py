"""The box that a grid fills, and whether the grid fits in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from ...errors import InputError
from ..memory import available_memory

Resolution = int | Sequence[int]
Bounds = Tensor | Sequence[Sequence[float]]
UNIT = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
_BYTES_A_NODE = 64  # positions, values, their gradients, signs and numbers


def as_cells(resolution: Resolution) -> tuple[int, int, int]:
    """Cells along x, y and z; one number stands for all three.

    Raises:
        ValueError: not one or three whole numbers >= 1.
    """
    counts = tuple(resolution) if isinstance(resolution, Sequence) else (resolution,) * 3
    if len(counts) != 3 or any(isinstance(n, bool) or n != int(n) or n < 1 for n in counts):
        raise ValueError(f"resolution: expected one or three numbers of cells >= 1, got {resolution}")
    x, y, z = (int(n) for n in counts)
    return x, y, z


def as_bounds(bounds: Bounds, dtype: torch.dtype, device: torch.device | str | None) -> Tensor:
    """(2, 3) lowest and highest corner.

    Raises:
        ValueError: not two finite corners, the first below the second.
    """
    box = torch.as_tensor(bounds, dtype=dtype, device=device).detach()
    if box.shape != (2, 3) or not bool((box.isfinite() & (box[0] < box[1])).all()):
        raise ValueError(f"bounds: expected two corners (2, 3), the first below the second, got {box.tolist()}")
    return box


def check_memory(nodes: int, resolution: object) -> None:
    """Refuse a grid that cannot fit in memory, before it is tried.

    Raises:
        InputError: says what the grid would take and what there is.
    """
    needed, there = nodes * _BYTES_A_NODE, available_memory()
    if there is not None and needed > there:
        raise InputError(
            f"resolution: {resolution} makes {nodes:,} nodes, which would take about {needed / 1e9:,.1f} GB of memory, "
            f"where {there / 1e9:,.1f} GB are available"
        )


def lattice(shape: Sequence[int], low: Tensor, high: Tensor) -> Tensor:
    """(X Y Z, 3) positions of a lattice of ``shape`` nodes from ``low`` to ``high``, z fastest."""
    axes = [torch.linspace(float(a), float(b), n, dtype=low.dtype) for a, b, n in zip(low, high, shape)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).view(-1, 3).to(low.device)


@lru_cache(maxsize=8)
def box_nodes(cells: tuple[int, int, int], device: torch.device) -> Tensor:
    """(B,) ascending indices of the nodes on the box."""
    on_box = torch.ones([n + 1 for n in cells], dtype=torch.bool)
    on_box[1:-1, 1:-1, 1:-1] = False
    return on_box.view(-1).nonzero()[:, 0].to(device)
