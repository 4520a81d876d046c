"""How the corners, edges and faces of a cell are numbered."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

AROUND = ((0, 0), (1, 0), (1, 1), (0, 1))
"""Offsets along the two axes that follow axis d (x, y, z in turn), counter-clockwise about d."""


def _corner(d: int, along: int, k: int) -> int:
    """Corner ``4 x + 2 y + z`` at ``along`` on axis d, place k around it."""
    place = [0, 0, 0]
    place[d], place[(d + 1) % 3], place[(d + 2) % 3] = along, *AROUND[k]
    return 4 * place[0] + 2 * place[1] + place[2]


EDGES = tuple((_corner(d, 0, k), _corner(d, 1, k)) for d in range(3) for k in range(4))
"""The corners at the ends of edge ``4 d + k``: along axis d, at place k of :data:`AROUND`."""

FACES = tuple(tuple(_corner(d, side, k) for k in range(4)) for d in range(3) for side in (0, 1))
"""The corners around face ``2 d + side``, across axis d."""


def corner_of_cells(corners: Tensor, octant: int) -> Tensor:
    """(X, Y, Z) what ``corners (X+1, Y+1, Z+1)`` holds at one corner of each cell, number ``4 x + 2 y + z``."""
    x, y, z = (n - 1 for n in corners.shape)
    a, b, c = octant >> 2 & 1, octant >> 1 & 1, octant & 1
    return corners[a : a + x, b : b + y, c : c + z]


def strides(shape: Sequence[int], device: torch.device) -> Tensor:
    """(3,) by which the number of a node or cell grows along x, y and z, z fastest."""
    return torch.tensor([shape[1] * shape[2], shape[2], 1], device=device)
