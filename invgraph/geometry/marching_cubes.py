"""Marching cubes over scattered cells: closed surfaces, and memory for the cells that the surface meets only.

scikit-image decides how the triangles of each cell run (Lewiner et al. 2003, "Efficient implementation of marching
cubes' cases with topological guarantees"); the vertices are placed here, in float64, where it works in float32.
The value ``-inf`` marks nodes beyond the grid, with which callers pad it: a surface that crosses to such a node lies
exactly on its neighbour within, so that a shape that leaves the grid is cut and closed there.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

CORNERS: Integers = np.array([[i >> 2 & 1, i >> 1 & 1, i & 1] for i in range(8)])
"""(8, 3): corner ``i`` of a cell has these offsets from its lowest corner."""

_SIDE = 32  # cells along each side of the block that is handed over at once: float32 tells 4e-6 of a cell apart there
_LEAST = 1e-4  # least magnitude of a value, relative to the largest, where the cases are decided
_APART = 1e-3  # vertices that would meet in a node stay this fraction of an edge away from it


def mixed_cells(values: Floats) -> tuple[Integers, Floats]:
    """Cells of a whole grid that the zero surface meets: those with corners inside (positive) and not inside.

    Args:
        values: (X, Y, Z), a node each.

    Returns:
        Lowest corners (C, 3) in ascending order, and values (C, 8) at ``CORNERS``.
    """
    inside = values > 0
    cells = [n - 1 for n in values.shape]
    some, every = np.zeros(cells, bool), np.ones(cells, bool)
    for offset in CORNERS:
        corner = inside[tuple(slice(o, o + n) for o, n in zip(offset, cells))]
        some |= corner
        every &= corner
    lowest = np.argwhere(some & ~every)
    at = lowest[:, None] + CORNERS
    return lowest, values[tuple(np.moveaxis(at, -1, 0))].astype(np.float64)


def march_cells(cells: Integers, values: Floats) -> tuple[Floats, Integers]:
    """The zero surface within cells of a grid.

    It is closed if the cells are all those that the surface meets. Vertices depend on the values beside them alone, and
    their order on the cells alone: cells found in another way, or given in another order, make the same vertices.

    Args:
        cells: (C, 3) lowest corners, in nodes; each cell has corners of both signs.
        values: (C, 8) at the corners, in the order of ``CORNERS``; positive inside; ``-inf`` beyond the grid.

    Returns:
        Vertices (V, 3) in nodes, and faces (F, 3), counter-clockwise seen from outside.
    """
    if not len(cells):
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    lowest = cells.min(0)
    extent = cells.max(0) - lowest + 2
    stride = np.array([extent[1] * extent[2], extent[2], 1])
    key = (cells - lowest) @ stride
    owner, where, triangles = _cases(_deciding(values, key[:, None] + CORNERS @ stride))

    # a vertex lies on an edge, along the one axis where it is between corners; or, rarely, in the middle of its cell
    between = (where > 0) & (where < 1)
    middle = between.sum(1) > 1
    axis = between.argmax(1)
    first = np.where(between, 0, where).astype(np.int64) @ [4, 2, 1]
    a, b = values[owner, first], values[owner, first + np.array([4, 2, 1])[axis]]
    node = key[owner] + CORNERS[first] @ stride
    over_a, over_b = np.isinf(a) & ~middle, np.isinf(b) & ~middle  # beyond the grid
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(over_a, 1.0, np.where(over_b, 0.0, a / (a - b)))

    # edges have a vertex each, but those that leave the grid share the one in their node within
    name = 8 * node + axis
    name[over_b] = 8 * node[over_b] + 3
    name[over_a] = 8 * (node + stride[axis])[over_a] + 3
    name[middle] = 8 * key[owner[middle]] + 4
    name, kept, vertex = np.unique(name, return_index=True, return_inverse=True)
    vertex = vertex.reshape(-1)
    t, node, axis, kind = t[kept], node[kept], axis[kept], name % 8
    end = np.where(t < _APART, node, np.where(t > 1 - _APART, node + stride[axis], -1))
    end[kind == 4] = -1
    _, group, count = np.unique(end, return_inverse=True, return_counts=True)
    crowded = (count[group] > 1) & (end >= 0) & (kind < 3)
    t[crowded] = t[crowded].clip(_APART, 1 - _APART)
    place = cells[owner[kept]] + CORNERS[first[kept]].astype(np.float64)
    place[np.arange(len(t)), axis] += t
    if middle.any():
        place[vertex[middle]] = _means(place[vertex[~middle]], owner[~middle], owner[middle])

    faces = vertex[triangles]
    flat = (faces == np.roll(faces, 1, axis=1)).any(1)  # shrunk to an edge where vertices became one beside the grid
    return place, faces[~flat]


def _means(points: Floats, group: Integers, wanted: Integers) -> Floats:
    """(W, 3) the mean of the points of each wanted group."""
    total = np.stack([np.bincount(group, x, minlength=wanted.max() + 1)[wanted] for x in points.T], axis=1)
    return total / np.bincount(group, minlength=wanted.max() + 1)[wanted, None]


def _deciding(values: Floats, nodes: Integers) -> NDArray[np.float32]:
    """Values (C, 8) by which the cases are decided, in [-1, 1] and never (nearly) zero.

    Where the signs of a face alternate, its diagonals are compared. A tie would be broken differently by the two cells
    beside the face, and leave a hole; a factor that depends on the node alone makes ties unlikely.
    """
    size = np.abs(values)
    largest = size[np.isfinite(size)].max()
    scatter = (nodes * 2654435761 % 2**32) / 2**32
    size = (size / largest).clip(_LEAST, 1) * (1 - 1e-3 * scatter)
    return np.where(values > 0, size, -size).astype(np.float32)


def _cases(values: NDArray[np.float32]) -> tuple[Integers, Floats, Integers]:
    """Triangles of each cell by itself.

    Returns:
        For each vertex the cell (V,) it belongs to and its place (V, 3) in the cell, in [0, 1]; triangles (F, 3).
    """
    from skimage.measure import marching_cubes

    owners, places, triangles, vertices = [], [], [], 0
    block = _SIDE**3
    for start in range(0, len(values), block):
        part = values[start : start + block]
        side = min(_SIDE, int(np.ceil(len(part) ** (1 / 3))))
        padded = np.ones((side**3, 8), np.float32)
        padded[: len(part)] = part
        # the cells side by side, none touching another: corner pairs alternate with the nodes of the next cell
        volume = padded.reshape(side, side, side, 2, 2, 2).transpose(0, 3, 1, 4, 2, 5).reshape((2 * side,) * 3)
        chosen = np.zeros_like(volume, bool)
        chosen[1::2, 1::2, 1::2] = True  # the mask names a cell by its highest corner
        verts, faces, _, _ = marching_cubes(volume, 0.0, mask=chosen, gradient_direction="ascent")
        cell = verts.astype(np.int64) // 2
        owners.append(start + cell @ [side * side, side, 1])
        places.append(verts.astype(np.float64) - 2 * cell)
        triangles.append(faces.astype(np.int64) + vertices)
        vertices += len(verts)
    return np.concatenate(owners), np.concatenate(places), np.concatenate(triangles)
