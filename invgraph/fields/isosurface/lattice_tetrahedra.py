"""The tetrahedra of a box of the body-centred cubic lattice, as a list."""

from __future__ import annotations

import torch
from torch import Tensor

from .cell import AROUND


def all_tetrahedra(cells: tuple[int, int, int]) -> Tensor:
    """(T, 4) int64, positively oriented: of nodes numbered as in :class:`TetrahedralGrid`."""
    x, y, z = cells
    corners = torch.arange((x + 1) * (y + 1) * (z + 1)).view(x + 1, y + 1, z + 1)
    middles = torch.arange(x * y * z).view(cells) + corners.numel()
    tetrahedra = []
    for d in range(3):
        e, f = (d + 1) % 3, (d + 2) % 3
        around = [corners.narrow(e, a, cells[e]).narrow(f, b, cells[f]) for a, b in AROUND]
        count = cells[d] - 1
        below, above = middles.narrow(d, 0, count), middles.narrow(d, 1, count)
        inner = [x.narrow(d, 1, count) for x in around]
        for k in range(4):
            tetrahedra.append([below, above, inner[k], inner[(k + 1) % 4]])
        for side in (0, 1):  # pyramids on the box
            middle = middles.narrow(d, side * count, 1)
            face = [x.narrow(d, side * cells[d], 1) for x in (around if side else around[::-1])]
            tetrahedra += [[middle, face[0], face[1], face[2]], [middle, face[0], face[2], face[3]]]
    return torch.cat([torch.stack([node.reshape(-1) for node in four], 1) for four in tetrahedra])
