"""Multi-resolution isosurface extraction: a fine grid of which only the cells at the surface are looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..geometry.marching_cubes import CORNERS, Floats, Integers, mixed_cells

_NODES = np.array([[i // 9, i // 3 % 3, i % 3] for i in range(27)])  # of a cell and its eight children
_CHILDREN = np.array([[int((c + o) @ [9, 3, 1]) for o in CORNERS] for c in CORNERS])  # (8, 8) into _NODES


def surface_cells(
    ask: Callable[[Integers], Floats],
    resolution: int,
    subdivisions: int,
    check: Callable[[int, int], None],
) -> tuple[Integers, Floats]:
    """The cells of a fine grid that the surface meets, found from coarse to fine.

    Mescheder et al. 2019 ("Occupancy Networks", section 3.3): all nodes of a coarse grid are evaluated, cells whose
    corners disagree are cut into eight, and so on. Besides, the surface is followed at every level: a cell shares the
    faces where corners disagree with its neighbours, so that a neighbour beyond them joins whether its parent was cut
    or not. Each connected piece of the surface that disagrees in one coarse cell is therefore found whole, exactly as
    if all nodes of the fine grid had been evaluated; a piece that hides from all coarse nodes is not.

    The grid is surrounded by cells that reach beyond it, where values are ``-inf``: they close the surface.

    Args:
        ask: maps nodes of the fine grid, as :class:`GridValues` numbers them, to values; asked once for each node.
        resolution: cells along each side of the coarse grid.
        subdivisions: how often cells are halved.
        check: called after each level with the number of cells found, and the subdivisions to come; it may raise.

    Returns:
        Lowest corners (C, 3) in ascending order and corner values (C, 8), as
        :func:`~invgraph.geometry.marching_cubes.march_cells` takes them.
    """
    at = GridValues(ask, resolution << subdivisions)
    stride = 1 << subdivisions
    lowest, values = mixed_cells(at.every(stride))
    lowest -= 1  # the layer beyond
    check(len(lowest), subdivisions)
    for level in range(1, subdivisions + 1):
        stride >>= 1
        table = at((2 * lowest[:, None] + _NODES) * stride)
        values = table[:, _CHILDREN].reshape(-1, 8)
        cut = _disagree(values)
        lowest = (2 * lowest[:, None] + CORNERS).reshape(-1, 3)[cut]
        lowest, values = _follow(at, lowest, values[cut], resolution << level, stride)
        check(len(lowest), subdivisions - level)
    return lowest, values


class GridValues:
    """Values on the nodes of a cubic grid, each asked for once; ``-inf`` (outside) beyond the grid.

    Node ``(i, j, k)`` has the number ``(i * (cells + 1) + j) * (cells + 1) + k``.

    Args:
        ask: maps numbers (P,) of nodes to values (P,), positive inside, finite.
        cells: cells along each side of the grid.
    """

    def __init__(self, ask: Callable[[Integers], Floats], cells: int) -> None:
        self._ask = ask
        self._cells = cells
        self._step = np.array([(cells + 1) ** 2, cells + 1, 1])
        self._keys: Integers = np.zeros(0, np.int64)  # nodes asked for so far, ascending
        self._values: Floats = np.zeros(0)

    def every(self, stride: int) -> Floats:
        """Values (N, N, N) of every ``stride``-th node along each side, and of a layer of nodes beyond the grid."""
        line = np.arange(0, self._cells + 1, stride)
        x, y, z = np.ix_(*(line * step for step in self._step))
        self._keys = (x + y + z).reshape(-1)
        self._values = self._ask(self._keys)
        return np.pad(self._values.reshape((len(line),) * 3), 1, constant_values=-np.inf)

    def __call__(self, nodes: Integers) -> Floats:
        """Values (...) at nodes (..., 3)."""
        within = ((nodes >= 0) & (nodes <= self._cells)).all(-1)
        keys, index = np.unique(nodes[within] @ self._step, return_inverse=True)
        missing = keys[~_contains(self._keys, keys)]
        if len(missing):
            place = np.searchsorted(self._keys, missing)
            self._values = np.insert(self._values, place, self._ask(missing))
            self._keys = np.insert(self._keys, place, missing)
        values = np.full(within.shape, -np.inf)
        values[within] = self._values[np.searchsorted(self._keys, keys)][index]
        return values


def _follow(at: GridValues, lowest: Integers, values: Floats, side: int, stride: int) -> tuple[Integers, Floats]:
    """The cells, and all others that the surface runs on into; sorted."""
    step = np.array([(side + 3) ** 2, side + 3, 1])  # numbers the cells from -1 to side along each axis
    known = np.sort((lowest + 1) @ step)
    parts = [(lowest, values)]
    while len(lowest):
        beyond = np.unique(np.concatenate(list(_neighbours(lowest, values))) @ step + step.sum())
        fresh = beyond[~_contains(known, beyond)]
        known = np.insert(known, np.searchsorted(known, fresh), fresh)
        lowest = np.stack([fresh // step[0], fresh // step[1] % step[1], fresh % step[1]], axis=1) - 1
        values = at((lowest[:, None] + CORNERS) * stride)
        parts.append((lowest, values))
    lowest, values = (np.concatenate(p) for p in zip(*parts))
    order = np.argsort((lowest + 1) @ step)
    return lowest[order], values[order]


def _neighbours(lowest: Integers, values: Floats) -> Iterator[Integers]:
    """The cells beyond each of the six faces, of those whose corners disagree on that face."""
    for axis in range(3):
        for end in (0, 1):
            disagree = _disagree(values[:, CORNERS[:, axis] == end])
            yield lowest[disagree] + (2 * end - 1) * np.eye(3, dtype=np.int64)[axis]


def _disagree(values: Floats) -> NDArray[np.bool_]:
    """(C,) which cells have values inside and values outside."""
    inside = (values > 0).sum(1)
    return (inside > 0) & (inside < values.shape[1])


def _contains(ascending: Integers, keys: Integers) -> NDArray[np.bool_]:
    """(K,) which keys are among the ascending ones."""
    return np.append(ascending, -1)[np.searchsorted(ascending, keys)] == keys
