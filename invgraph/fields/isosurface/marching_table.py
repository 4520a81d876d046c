"""Tables of marching tetrahedra, derived from the order of the corners alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import torch
from torch import Tensor

TETRAHEDRON = ((0, 1, 2, 3),)
TETRAHEDRON_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


class MarchingTable(NamedTuple):
    """The polygons in a cell, for each case: bit n of a case says that corner n of the cell is inside."""

    triangles: Tensor
    """(cases, T, 3) edges of the cell, counter-clockwise seen from outside; -1 where there is none."""

    quads: Tensor
    """(cases, Q, 4) the same."""

    def polygons(self, cases: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
        """Triangles (F, 3) and quads (Q, 4) of cells.

        Args:
            cases: (A,) case of each cell.
            edges: (A, E) number of the vertex on each edge of the cell; any number where there is none.
        """
        return _pick(self.triangles, cases, edges), _pick(self.quads, cases, edges)


def _pick(table: Tensor, cases: Tensor, edges: Tensor) -> Tensor:
    rows = table.index_select(0, cases)
    cell, slot = (rows[:, :, 0] >= 0).nonzero().unbind(1)
    return edges[cell[:, None], rows[cell, slot]]


@lru_cache(maxsize=8)
def marching_table(
    tetrahedra: tuple[tuple[int, ...], ...], edges: tuple[tuple[int, int], ...], device: torch.device
) -> MarchingTable:
    """The table of a cell made of positively oriented ``tetrahedra`` whose edges are numbered as in ``edges``."""
    number = {frozenset(edge): index for index, edge in enumerate(edges)}
    corners = 1 + max(corner for tetrahedron in tetrahedra for corner in tetrahedron)
    cases: list[list[list[int]]] = []
    for case in range(1 << corners):
        inside = [bool(case >> corner & 1) for corner in range(corners)]
        polygons = [_polygon(tetrahedron, inside) for tetrahedron in tetrahedra]
        cases.append([[number[frozenset(edge)] for edge in polygon] for polygon in polygons])
    return MarchingTable(_padded(cases, 3).to(device), _padded(cases, 4).to(device))


def _polygon(tetrahedron: Sequence[int], inside: Sequence[bool]) -> list[tuple[int, int]]:
    """Edges cut by the surface, counter-clockwise seen from outside.

    Take the corners in an even order i, j, k, l, those inside first. With i alone inside, the edges ij, ik, il turn
    counter-clockwise seen from j, k and l; with i and j inside, ik, il, jl, jk seen from k and l; with l alone outside,
    li, lj, lk seen from l.
    """
    count = sum(inside[corner] for corner in tetrahedron)
    i, j, k, l = next(
        order
        for order in permutations(tetrahedron)
        if _even(order, tetrahedron) and all(inside[corner] == (n < count) for n, corner in enumerate(order))
    )
    return [
        [],
        [(i, j), (i, k), (i, l)],
        [(i, k), (i, l), (j, l), (j, k)],
        [(l, i), (l, j), (l, k)],
        [],
    ][count]


def _even(order: Sequence[int], reference: Sequence[int]) -> bool:
    place = [list(reference).index(corner) for corner in order]
    return sum(place[a] > place[b] for a in range(4) for b in range(a + 1, 4)) % 2 == 0


def _padded(cases: list[list[list[int]]], sides: int) -> Tensor:
    picked = [[polygon for polygon in case if len(polygon) == sides] for case in cases]
    most = max(len(case) for case in picked)
    return torch.tensor([case + [[-1] * sides] * (most - len(case)) for case in picked], dtype=torch.int64)
