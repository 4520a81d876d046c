"""The dual mesh without positions: cells that a surface crosses, in how many patches, and how these are joined."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .cell import AROUND, EDGES, corner_of_cells, strides
from .cube_table import cube_table


@dataclass(frozen=True)
class DualCells:
    """A vertex for each patch of surface in a cell, a quad for each edge that the surface crosses."""

    num_vertices: int
    cells: Tensor
    """(A,) ascending cells that the surface crosses."""

    cell: Tensor
    """(P,) place in ``cells``, for each pair of a cell and an edge of it that is crossed."""

    edge: Tensor
    """(P,) the edge, 0 to 11."""

    ends: Tensor
    """(P, 2) the corners of the cell at the edge's ends, 0 to 7: inside, then outside."""

    nodes: Tensor
    """(P, 2) the nodes there."""

    vertex: Tensor
    """(P,) vertex of the cell's patch that crosses the edge."""

    quads: Tensor
    """(Q, 4) vertices, counter-clockwise seen from outside."""

    quad_cells: Tensor
    """(Q, 4) place in ``cells`` of the vertices."""


def dual_cells(inside: Tensor) -> DualCells:
    """The dual mesh of ``inside (X+1, Y+1, Z+1)`` bool, which no node on the box is."""
    device = inside.device
    table = cube_table(device)
    shape = [n - 1 for n in inside.shape]
    case = torch.zeros(shape, dtype=torch.uint8, device=device)
    for corner in range(8):
        case |= corner_of_cells(inside, corner).to(torch.uint8) << corner
    step, node_step = strides(shape, device), strides(inside.shape, device)

    place = ((case > 0) & (case < 255)).nonzero()
    cells = (place * step).sum(1)
    variant = _variants(case.view(-1), cells, step)
    counts = table.num_patches[variant]
    first = counts.cumsum(0) - counts
    vertex_of = torch.where(table.patch[variant] >= 0, first[:, None] + table.patch[variant], -1)

    cell, edge = (vertex_of >= 0).nonzero().unbind(1)
    ends = torch.tensor(EDGES, device=device)[edge]
    starts_inside = (variant[cell] & 255) >> ends[:, 0] & 1
    ends = torch.where(starts_inside[:, None] == 1, ends, ends.flip(1))
    octant = torch.stack([ends >> 2 & 1, ends >> 1 & 1, ends & 1], 2)
    nodes = ((place[cell][:, None] + octant) * node_step).sum(2)

    at = torch.empty(case.numel(), dtype=torch.int64, device=device)
    at[cells] = torch.arange(len(cells), device=device)
    quad_cells = [_cells_around(d, inside, step, at) for d in range(3)]
    local = [torch.arange(4 * d, 4 * d + 4, device=device).expand_as(near) for d, (near, _) in enumerate(quad_cells)]
    near = torch.cat([near for near, _ in quad_cells])
    forward = torch.cat([forward for _, forward in quad_cells])[:, None]
    quads = vertex_of[near, torch.cat(local)]
    return DualCells(
        num_vertices=int(counts.sum()),
        cells=cells,
        cell=cell,
        edge=edge,
        ends=ends,
        nodes=nodes,
        vertex=vertex_of[cell, edge],
        quads=torch.where(forward, quads, quads.flip(1)),
        quad_cells=torch.where(forward, near, near.flip(1)),
    )


def _variants(case: Tensor, cells: Tensor, step: Tensor) -> Tensor:
    """(A,) rows of the table: where two neighbours cross the face between them twice, both turn it."""
    table = cube_table(case.device)
    variant = case[cells].long()
    problem = table.problem[variant]
    at = (problem >= 0).nonzero()[:, 0]
    face = problem[at]
    # the face has nodes inside, so that it is not on the box and there is a neighbour
    neighbour = cells[at] + torch.where(face % 2 == 1, 1, -1) * step[face // 2]
    turned = at[table.problem[case[neighbour].long()] == face ^ 1]
    variant[turned] += 256
    return variant


def _cells_around(d: int, inside: Tensor, step: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """(Q, 4) cells around the edges along axis d that are crossed, counter-clockwise about d; (Q,) whether the surface
    faces along d."""
    length = inside.shape[d] - 1
    place = (inside.narrow(d, 0, length) ^ inside.narrow(d, 1, length)).nonzero()
    axes = torch.tensor(AROUND, device=inside.device)
    back = axes @ torch.stack([step[(d + 1) % 3], step[(d + 2) % 3]])
    return at[(place * step).sum(1)[:, None] - back], inside[tuple(place.T)]
