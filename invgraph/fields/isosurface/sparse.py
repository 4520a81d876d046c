"""A field on a grid, asked only where its surface is: what makes isosurfaces of networks affordable."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry import Mesh
from ..oriented import FieldLike, Inside, Oriented
from .cell import corner_of_cells
from .cube_grid import CubeGrid
from .tetrahedral_grid import TetrahedralGrid


class SparseValues(NamedTuple):
    """A field's values on a grid, exact at the surface and of the right sign elsewhere."""

    values: Tensor
    """(N,) relative to the level, negative inside, whichever sign the field has: what ``grid.surface`` takes. Only
    nodes on edges that change sign have a gradient; no other node's value matters to the surface."""

    evaluations: int
    """Points that the field was asked at without gradients; those with gradients are among them."""


def field_surface(
    field: FieldLike,
    grid: TetrahedralGrid | CubeGrid,
    *,
    nodes: Tensor | None = None,
    code: Tensor | None = None,
    level: float = 0.0,
    inside: Inside | None = None,
    coarsest: int = 16,
    batch: int = 2**18,
) -> Mesh:
    """The surface of a field as a mesh, differentiable in all that the field is made of.

    ``grid.surface`` of :func:`sparse_values`, which says what the arguments are. Empty where the field does not change
    sign on the grid.
    """
    found = sparse_values(
        field, grid, nodes=nodes, code=code, level=level, inside=inside, coarsest=coarsest, batch=batch
    )
    return grid.surface(found.values, nodes=nodes)


def sparse_values(
    field: FieldLike,
    grid: TetrahedralGrid | CubeGrid,
    *,
    nodes: Tensor | None = None,
    code: Tensor | None = None,
    level: float = 0.0,
    inside: Inside | None = None,
    coarsest: int = 16,
    batch: int = 2**18,
) -> SparseValues:
    """A field's values at the nodes of a grid, asked hardly anywhere but at the surface.

    First without gradients: on a coarse lattice of the cells' corners, then on ever finer ones in the cells whose
    corners disagree, and wherever the surface leads from there, so that every edge that seems to change sign has been
    asked at both ends. Then once more, with gradients, at those ends alone. On 64 cells an object takes a tenth of the
    nodes for the signs, and somewhat fewer with gradients. Pieces of the surface that fit between the nodes of the
    coarse lattice are not found; ``coarsest=10**6`` asks everywhere.

    Args:
        field: a :class:`~invgraph.fields.Field`, or a callable from points (P, 3), and the code if there is one, to
            values (P,). It must say the same each time: modules are best in evaluation mode.
        grid: where. Its cells should be a multiple of a power of two along each axis, which bounds the coarse steps.
        nodes: (N, 3) positions that take the place of the grid's own, differentiable; None: those.
        code: (code_size,) the shape, for fields of many; differentiable.
        level: the value on the surface.
        inside: which values are inside, those "above" or "below" the level; None: as the field's kind says, and
            "above" for a callable.
        coarsest: cells along the shortest side that the coarse lattice has at least.
        batch: points that the field is asked at a time without gradients.

    Returns:
        :class:`SparseValues`.

    Raises:
        InputError: a weight of the field is not finite.
        TypeError, ValueError: arguments or values of the field that are not as described.
    """
    function = Oriented(field, code, level, inside, grid.bounds)
    nodes = grid.nodes if nodes is None else nodes
    if nodes.shape != (grid.num_nodes, 3):
        raise ValueError(f"nodes: expected shape ({grid.num_nodes}, 3), got {tuple(nodes.shape)}")
    if batch < 1:
        raise ValueError(f"batch: expected at least 1 point, got {batch}")
    search = _Search(lambda points: -function(points), nodes, grid, batch)
    with torch.no_grad():
        values, edges = search.run(coarsest)
    if torch.is_grad_enabled():
        at = torch.zeros(grid.num_nodes, dtype=torch.bool, device=nodes.device)
        at[edges.reshape(-1)] = True
        ends = at.nonzero()[:, 0]
        if len(ends):
            values = values.index_copy(0, ends, -function(nodes.index_select(0, ends)))
    return SparseValues(values, search.evaluations)


class _Search:
    """The nodes that have been asked, and what they said."""

    def __init__(
        self, ask: Callable[[Tensor], Tensor], nodes: Tensor, grid: TetrahedralGrid | CubeGrid, batch: int
    ) -> None:
        self.evaluations = 0
        self._ask, self._nodes, self._grid, self._batch = ask, nodes.detach(), grid, batch
        self._asked = torch.zeros(grid.num_nodes, dtype=torch.bool, device=nodes.device)

    def run(self, coarsest: int) -> tuple[Tensor, Tensor]:
        """Values (N,) with the right signs, and the edges (X, 2) that change sign, asked at both ends."""
        grid = self._grid
        number = torch.arange(grid.num_corners, device=self._nodes.device).view([n + 1 for n in grid.cells])
        stride = 1
        while math.gcd(*grid.cells) % (2 * stride) == 0 and min(grid.cells) >= 2 * stride * coarsest:
            stride *= 2
        level = CubeGrid([n // stride for n in grid.cells])
        every = number[::stride, ::stride, ::stride]
        values = self._answers(every.reshape(-1))
        while stride > 1:
            stride //= 2
            mixed = _mixed(values.view(every.shape) < 0)
            values = _finer(values.view(every.shape))
            level = CubeGrid([n // stride for n in grid.cells])
            every = number[::stride, ::stride, ::stride]
            self._update(values, every.reshape(-1), _nodes_of_cells(mixed).view(-1).nonzero()[:, 0])
            self._follow(values, every.reshape(-1), level)
        if grid.num_nodes > grid.num_corners:
            middles = F.avg_pool3d(values.view(number.shape)[None, None], 2, stride=1)
            values = torch.cat([values, middles.reshape(-1)])
        return values, self._follow(values, torch.arange(grid.num_nodes, device=values.device), grid)

    def _follow(self, values: Tensor, number: Tensor, grid: TetrahedralGrid | CubeGrid) -> Tensor:
        """Ask at the ends of edges that seem to change sign until all such ends have been asked; the edges."""
        while True:
            inside = values < 0
            inside[grid.boundary] = False
            edges = grid.crossing_edges(inside)
            ends = edges.reshape(-1)
            fresh = ends[~self._asked[number[ends]]]
            if not len(fresh):
                return edges
            self._update(values, number, fresh.unique())

    def _update(self, values: Tensor, number: Tensor, at: Tensor) -> None:
        """Replace ``values[at]`` by what the field says at the nodes ``number[at]``, where it was not asked before."""
        at = at[~self._asked[number[at]]]
        if len(at):
            values[at] = self._answers(number[at]).to(values.dtype)

    def _answers(self, nodes: Tensor) -> Tensor:
        self._asked[nodes] = True
        self.evaluations += len(nodes)
        values = torch.cat([self._ask(self._nodes[part]) for part in nodes.split(self._batch)])
        most = torch.finfo(values.dtype).max / 8  # means of infinite values would be no numbers
        return values.clamp(-most, most)


def _mixed(inside: Tensor) -> Tensor:
    """(X, Y, Z) bool: the corners (X+1, Y+1, Z+1) of the cell disagree."""
    corners = [corner_of_cells(inside, octant) for octant in range(8)]
    some, every = corners[0].clone(), corners[0].clone()
    for corner in corners[1:]:
        some |= corner
        every &= corner
    return some & ~every


def _finer(values: Tensor) -> Tensor:
    """(2X+1, 2Y+1, 2Z+1) values between those of (X+1, Y+1, Z+1), which stay as they are; flat."""
    fine = F.interpolate(
        values[None, None], size=[2 * n - 1 for n in values.shape], mode="trilinear", align_corners=True
    )
    fine = fine[0, 0]
    fine[::2, ::2, ::2] = values
    return fine.reshape(-1)


def _nodes_of_cells(cells: Tensor) -> Tensor:
    """(2X+1, 2Y+1, 2Z+1) bool: nodes of the finer lattice that are in or on one of ``cells (X, Y, Z)``."""
    nodes = torch.zeros([2 * n + 1 for n in cells.shape], dtype=torch.bool, device=cells.device)
    x, y, z = (2 * n for n in cells.shape)
    for a in range(3):
        for b in range(3):
            for c in range(3):
                nodes[a : a + x : 2, b : b + y : 2, c : c + z : 2] |= cells
    return nodes
