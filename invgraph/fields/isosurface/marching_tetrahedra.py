"""Marching tetrahedra on any tetrahedra, differentiable in the values and in the nodes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from ...geometry import Mesh
from .crossing import Inside, check_grid, edge_points, negative_inside
from .marching_table import TETRAHEDRON, TETRAHEDRON_EDGES, marching_table


def marching_tetrahedra(
    nodes: Tensor,
    tetrahedra: Tensor,
    values: Tensor,
    *,
    inside: Inside = "below",
    boundary: Tensor | None = None,
) -> Mesh:
    """The zero set of a function given at the nodes of tetrahedra, linear within each (DMTet, Shen et al. 2021).

    A closed, oriented manifold in front of the boundary, whatever the values. Its vertices are where edges of the
    tetrahedra change sign; gradients go to the values and the nodes at their ends. A value of exactly zero is outside.
    For a grid that fills a box, :meth:`TetrahedralGrid.surface` does the same several times faster.

    Args:
        nodes: (N, 3) positions.
        tetrahedra: (T, 4) integer nodes, positively oriented: ``det(b - a, c - a, d - a) > 0``. Nodes may be moved;
            the surface stays closed even where that turns tetrahedra inside out.
        values: (N,) of the dtype of ``nodes``; infinite ones stand for the largest number.
        inside: where values are "below" (signed distance) or "above" (occupancy logits) zero.
        boundary: (B,) nodes that count as outside; None: those on faces of a single tetrahedron, found at the first
            call for ``tetrahedra`` and kept as long as it lives (:func:`boundary_nodes`).

    Returns:
        The mesh; empty (no vertices, no faces) where no edge changes sign.

    Raises:
        TypeError, ValueError: wrong shapes, dtypes or indices, NaN values.
    """
    check_grid(nodes, values)
    _check_tetrahedra(tetrahedra, len(nodes))
    if boundary is None:
        boundary = boundary_nodes(tetrahedra)
    values = negative_inside(values, inside, boundary)
    is_inside = values.detach() < 0
    corners = is_inside.to(torch.uint8).index_select(0, tetrahedra.reshape(-1)).view(-1, 4)
    cases = corners[:, 0] + 2 * corners[:, 1] + 4 * corners[:, 2] + 8 * corners[:, 3]
    active = ((cases > 0) & (cases < 15)).nonzero()[:, 0]
    ends = tetrahedra[active].long()[:, torch.tensor(TETRAHEDRON_EDGES, device=nodes.device)]  # (A, 6, 2)
    crossed = is_inside[ends[..., 0]] != is_inside[ends[..., 1]]
    ends = ends[crossed].sort(1).values
    keys, of_crossed = torch.unique(ends[:, 0] * len(nodes) + ends[:, 1], return_inverse=True)
    edge_of = torch.zeros(crossed.shape, dtype=torch.int64, device=nodes.device)
    edge_of[crossed] = of_crossed
    table = marching_table(TETRAHEDRON, TETRAHEDRON_EDGES, nodes.device)
    triangles, quads = table.polygons(cases[active].long(), edge_of)
    return surface_on_edges(nodes, values, torch.stack([keys // len(nodes), keys % len(nodes)], 1), triangles, quads)


def surface_on_edges(nodes: Tensor, values: Tensor, edges: Tensor, triangles: Tensor, quads: Tensor) -> Mesh:
    """The mesh with a vertex on each of ``edges (X, 2)``, whose ends differ in sign, and these polygons.

    A quad lies in a plane, as the function is linear in its tetrahedron, and is cut along its shorter diagonal: better
    triangles, the same surface.
    """
    first_inside = values.detach().index_select(0, edges[:, 0]) < 0
    inner = torch.where(first_inside, edges[:, 0], edges[:, 1])
    outer = torch.where(first_inside, edges[:, 1], edges[:, 0])
    # index_select and not indexing, whose gradient is summed by several threads in no fixed order
    start, end = nodes.index_select(0, inner), nodes.index_select(0, outer)
    verts = edge_points(start, end, values.index_select(0, inner), values.index_select(0, outer))
    a, b, c, d = verts.detach().index_select(0, quads.reshape(-1)).view(-1, 4, 3).unbind(1)
    along = torch.where(((a - c).square().sum(1) <= (b - d).square().sum(1))[:, None], quads, quads.roll(-1, 1))
    return Mesh(verts, torch.cat([triangles, along[:, [0, 1, 2]], along[:, [0, 2, 3]]]))


_boundaries: WeakTensorKeyDictionary = WeakTensorKeyDictionary()


def boundary_nodes(tetrahedra: Tensor) -> Tensor:
    """(B,) ascending nodes on faces that belong to one tetrahedron only; kept as long as ``tetrahedra`` lives."""
    version = tetrahedra._version
    known = _boundaries.get(tetrahedra)
    if known is None or known[0] != version:
        known = version, _boundary_nodes(tetrahedra.long())
        _boundaries[tetrahedra] = known
    return known[1]


def _boundary_nodes(tetrahedra: Tensor) -> Tensor:
    if not len(tetrahedra):
        return tetrahedra.new_empty(0)
    faces = tetrahedra[:, torch.tensor([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])].view(-1, 3).sort(1).values
    faces = faces[faces[:, 2].sort(stable=True).indices]  # by the last node, then by the first two
    faces = faces[(faces[:, 0] * (int(tetrahedra.max()) + 1) + faces[:, 1]).sort(stable=True).indices]
    alone = torch.ones(len(faces), dtype=torch.bool, device=faces.device)
    same = (faces[1:] == faces[:-1]).all(1)
    alone[1:] &= ~same
    alone[:-1] &= ~same
    return faces[alone].unique()


def _check_tetrahedra(tetrahedra: Tensor, count: int) -> None:
    if not isinstance(tetrahedra, Tensor) or tetrahedra.is_floating_point() or tetrahedra.dtype == torch.bool:
        kind = getattr(tetrahedra, "dtype", type(tetrahedra).__name__)
        raise TypeError(f"tetrahedra: expected integers of shape (T, 4), got {kind}")
    if tetrahedra.ndim != 2 or tetrahedra.shape[1] != 4:
        raise ValueError(f"tetrahedra: expected shape (T, 4), got {tuple(tetrahedra.shape)}")
    if len(tetrahedra):
        low, high = (int(x) for x in torch.aminmax(tetrahedra))
        if low < 0 or high >= count:
            raise ValueError(f"tetrahedra: expected indices in [0, {count}), got a range of [{low}, {high}]")
