"""FlexiCubes: dual marching cubes whose vertices can be moved within their cells by weights."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ...geometry import Mesh
from .box import Resolution, as_cells, box_nodes
from .crossing import Inside, check_grid, edge_points, negative_inside
from .dual_cells import DualCells, dual_cells


class FlexiCubesResult(NamedTuple):
    """What :func:`flexicubes` gives."""

    mesh: Mesh

    regularizer: Tensor
    """(): mean over the vertices of how unequal their distances to the crossings around them are (mean absolute
    deviation, L_dev of the paper, there a sum), in units of the nodes. Added to an objective it keeps vertices
    in the middle of their patches."""


def flexicubes(
    nodes: Tensor,
    resolution: Resolution,
    values: Tensor,
    *,
    alpha: Tensor | None = None,
    beta: Tensor | None = None,
    gamma: Tensor | None = None,
    inside: Inside = "below",
    training: bool = False,
) -> FlexiCubesResult:
    """The zero set of a function given at the nodes of a grid of cubes (FlexiCubes, Shen et al. 2023).

    A closed, oriented manifold whatever the values: a vertex in each patch of the surface in a cell, a quad for each
    edge of the grid that changes sign. It is differentiable in nodes, values and weights, which let vertices move
    towards features that the values alone cannot place. Nodes on the box count as outside. Cells are numbered z
    fastest, their corners ``4 x + 2 y + z``, their edges ``4 d + k``: along axis d, at the offsets (0, 0), (1, 0),
    (1, 1), (0, 1) along the two axes after d (x, y, z in turn). Only cells that the surface crosses cost memory.

    Args:
        nodes: ((X+1) (Y+1) (Z+1), 3) positions, z fastest, as :attr:`CubeGrid.nodes`; they may be moved, by less than
            half a cell if the surface should not fold.
        resolution: cells along each axis, or one number for all three.
        values: (N,) of the dtype of ``nodes``. Zero is outside; infinite values stand for the largest number.
        alpha: (cells, 8) positive: weights of the values at each cell's corners, which move its crossings along edges;
            None: 1.
        beta: (cells, 12) positive: weights of the crossings on each cell's edges in its vertices; None: 1.
        gamma: (cells,) positive: quads are cut towards the vertices of cells with larger weights; None: in ``training``
            1, otherwise quads are cut along the shorter diagonal. Weights that are to be optimized are best kept in
            bounds: ``1 + 0.99 tanh(x)``.
        inside: where values are "below" (signed distance) or "above" (occupancy logits) zero.
        training: cut each quad in four about a point between its diagonals, placed by ``gamma``, which so has a
            gradient; otherwise in two along the diagonal with the larger product of weights.

    Returns:
        Mesh and regularizer; where no edge changes sign, an empty mesh and zero.

    Raises:
        TypeError, ValueError: wrong shapes or dtypes, NaN values, weights that are not positive at the surface.
    """
    check_grid(nodes, values)
    counts = as_cells(resolution)
    shape = [n + 1 for n in counts]
    if len(nodes) != shape[0] * shape[1] * shape[2]:
        raise ValueError(f"nodes: expected {' x '.join(map(str, shape))} for resolution {resolution}, got {len(nodes)}")
    values = negative_inside(values, inside, box_nodes(counts, values.device))
    dual = dual_cells((values.detach() < 0).view(shape))
    alpha, beta, gamma = (
        _weights(name, weights, counts, columns, dual.cells, values)
        for name, weights, columns in (("alpha", alpha, (8,)), ("beta", beta, (12,)), ("gamma", gamma, ()))
    )
    crossings = _crossings(nodes, values, alpha, dual)
    verts = _weighted_mean(crossings, None if beta is None else _pick(beta, dual.cell, dual.edge), dual)
    regularizer = _deviation(crossings, verts, dual)
    return FlexiCubesResult((_four_each if training else _two_each)(verts, gamma, dual), regularizer)


def _weights(
    name: str,
    weights: Tensor | None,
    counts: tuple[int, int, int],
    columns: tuple[int, ...],
    cells: Tensor,
    like: Tensor,
) -> Tensor | None:
    """Weights of the cells that the surface crosses."""
    if weights is None:
        return None
    expected = (counts[0] * counts[1] * counts[2], *columns)
    if not isinstance(weights, Tensor) or weights.dtype != like.dtype or weights.device != like.device:
        got = f"{weights.dtype} on {weights.device}" if isinstance(weights, Tensor) else type(weights).__name__
        raise TypeError(f"{name}: expected a tensor of dtype {like.dtype} on {like.device}, got {got}")
    if weights.shape != expected:
        raise ValueError(f"{name}: expected shape {expected}, got {tuple(weights.shape)}")
    weights = weights.index_select(0, cells)
    at = weights.detach()
    if not bool(((at > 0) & at.isfinite()).all()):
        raise ValueError(f"{name}: expected positive numbers, got {at.min().item():.6g} to {at.max().item():.6g}")
    return weights


def _pick(weights: Tensor, row: Tensor, column: Tensor) -> Tensor:
    # index_select and not indexing, whose gradient is summed by several threads in no fixed order
    return weights.reshape(-1).index_select(0, row * weights.shape[1] + column)


def _crossings(nodes: Tensor, values: Tensor, alpha: Tensor | None, dual: DualCells) -> Tensor:
    """(P, 3) where the surface crosses the cells' edges."""
    inside, outside = dual.nodes.unbind(1)
    inner, outer = values.index_select(0, inside), values.index_select(0, outside)
    if alpha is not None:
        inner = inner * _pick(alpha, dual.cell, dual.ends[:, 0])
        outer = outer * _pick(alpha, dual.cell, dual.ends[:, 1])
    return edge_points(nodes.index_select(0, inside), nodes.index_select(0, outside), inner, outer)


def _weighted_mean(crossings: Tensor, beta: Tensor | None, dual: DualCells) -> Tensor:
    """(V, 3) vertices: means of the crossings around."""
    if beta is None:
        beta = torch.ones_like(crossings[:, 0])
    total = crossings.new_zeros(dual.num_vertices).index_add(0, dual.vertex, beta)
    share = beta / total.index_select(0, dual.vertex)
    return crossings.new_zeros((dual.num_vertices, 3)).index_add(0, dual.vertex, share[:, None] * crossings)


def _deviation(crossings: Tensor, verts: Tensor, dual: DualCells) -> Tensor:
    distance = torch.linalg.vector_norm(crossings - verts.index_select(0, dual.vertex), dim=1)
    count = torch.bincount(dual.vertex, minlength=dual.num_vertices).to(distance)

    def mean(x: Tensor) -> Tensor:
        return distance.new_zeros(dual.num_vertices).index_add(0, dual.vertex, x) / count

    deviation = mean((distance - mean(distance).index_select(0, dual.vertex)).abs())
    return deviation.sum() / max(dual.num_vertices, 1)


def _corners(verts: Tensor, quads: Tensor) -> tuple[Tensor, ...]:
    return verts.index_select(0, quads.reshape(-1)).view(-1, 4, 3).unbind(1)


def _diagonal_weights(gamma: Tensor, dual: DualCells) -> tuple[Tensor, Tensor]:
    """(Q,) products of the weights at the ends of the diagonals 0 to 2 and 1 to 3."""
    a, b, c, d = gamma.index_select(0, dual.quad_cells.reshape(-1)).view(-1, 4).unbind(1)
    return a * c, b * d


def _two_each(verts: Tensor, gamma: Tensor | None, dual: DualCells) -> Mesh:
    quads = dual.quads
    if gamma is None:
        a, b, c, d = _corners(verts.detach(), quads)
        first = (a - c).square().sum(1) <= (b - d).square().sum(1)
    else:
        along, across = _diagonal_weights(gamma.detach(), dual)
        first = along >= across
    quads = torch.where(first[:, None], quads, quads.roll(-1, 1))
    return Mesh(verts, torch.cat([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]))


def _four_each(verts: Tensor, gamma: Tensor | None, dual: DualCells) -> Mesh:
    """A vertex within each quad, between the middles of its diagonals."""
    a, b, c, d = _corners(verts, dual.quads)
    along, across = (a + c) / 2, (b + d) / 2
    if gamma is None:
        centre = (along + across) / 2
    else:
        weight, other = _diagonal_weights(gamma, dual)
        centre = torch.lerp(across, along, (weight / (weight + other))[:, None])
    number = torch.arange(dual.num_vertices, dual.num_vertices + len(dual.quads), device=verts.device)
    faces = [torch.stack([dual.quads[:, n], dual.quads[:, (n + 1) % 4], number], 1) for n in range(4)]
    return Mesh(torch.cat([verts, centre]), torch.cat(faces))
