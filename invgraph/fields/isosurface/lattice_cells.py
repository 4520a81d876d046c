"""The surface's polygons in a body-centred cubic lattice: between neighbouring cells, and at the box."""

from __future__ import annotations

import torch
from torch import Tensor

from .cell import AROUND, strides
from .lattice_edges import OCTANTS, LatticeEdges
from .marching_table import marching_table

# The four tetrahedra about a face between two cells, as one: 0 and 1 are the cells' middles along axis d, 2 to 5 the
# face's corners, counter-clockwise about d.
_TETRAHEDRA = ((0, 1, 2, 3), (0, 1, 3, 4), (0, 1, 4, 5), (0, 1, 5, 2))
_EDGES = (
    *((0, 1), (0, 2), (0, 3), (0, 4), (0, 5)),
    *((1, 2), (1, 3), (1, 4), (1, 5)),
    *((2, 3), (3, 4), (5, 4), (2, 5)),
)


def face_polygons(corners: Tensor, middles: Tensor, edges: LatticeEdges) -> tuple[Tensor, Tensor]:
    """Triangles (F, 3) and quads (Q, 4) of the tetrahedra between neighbouring cells, as numbers of edges.

    Args:
        corners, middles: (X+1, Y+1, Z+1) and (X, Y, Z) bool: which nodes are inside.
        edges: those that change sign.
    """
    parts = [_across(d, corners, middles, edges) for d in range(3)]
    cases, numbers = (torch.cat(part) for part in zip(*parts))
    return marching_table(_TETRAHEDRA, _EDGES, corners.device).polygons(cases, numbers)


def _across(d: int, corners: Tensor, middles: Tensor, edges: LatticeEdges) -> tuple[Tensor, Tensor]:
    """Cases (A,) and edge numbers (A, 13) of the faces across axis d that the surface comes near."""
    e, f = (d + 1) % 3, (d + 2) % 3
    cells = middles.shape
    count = cells[d] - 1
    signs = [middles.narrow(d, 0, count), middles.narrow(d, 1, count)]
    face = corners.narrow(d, 1, count)
    signs += [face.narrow(e, a, cells[e]).narrow(f, b, cells[f]) for a, b in AROUND]
    case = torch.zeros(signs[0].shape, dtype=torch.uint8, device=corners.device)
    for bit, sign in enumerate(signs):
        case |= sign.to(torch.uint8) << bit
    place = ((case > 0) & (case < 63)).nonzero()

    step, corner_step = strides(cells, corners.device), strides(corners.shape, corners.device)
    below = corners.numel() + (place * step).sum(1)
    first = (place * corner_step).sum(1) + corner_step[d]
    owners = torch.stack([below, below + step[d], first, first + corner_step[e], first + corner_step[f]], 1)

    weight = [4, 2, 1]
    octants = [a * weight[e] + b * weight[f] for a, b in AROUND]
    owner = [0] * 5 + [1] * 4 + [2, 3, 4, 2]
    which = [OCTANTS + d, *(weight[d] + octant for octant in octants), *octants, e, f, e, f]
    numbers = edges.number(owners[:, owner], torch.tensor(which, device=corners.device))
    return case[tuple(place.T)].long(), numbers


def boundary_polygons(middles: Tensor, edges: LatticeEdges) -> Tensor:
    """(F, 3) triangles in the pyramids between middles that are inside and the box, whose corners are all outside."""
    triangles = []
    cells = middles.shape
    step = strides(cells, middles.device)
    weight = [4, 2, 1]
    for d in range(3):
        for side in (0, 1):
            place = middles.narrow(d, side * (cells[d] - 1), 1).nonzero()
            place[:, d] += side * (cells[d] - 1)
            owner = (cells[0] + 1) * (cells[1] + 1) * (cells[2] + 1) + (place * step).sum(1)
            around = AROUND if side else AROUND[::-1]  # counter-clockwise seen from outside the box
            octants = [side * weight[d] + a * weight[(d + 1) % 3] + b * weight[(d + 2) % 3] for a, b in around]
            numbers = edges.number(owner[:, None], torch.tensor(octants, device=owner.device))
            triangles += [numbers[:, [0, 1, 2]], numbers[:, [0, 2, 3]]]
    return torch.cat(triangles)
