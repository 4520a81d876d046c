"""Meshes of fields: the surface between inside and outside, closed and oriented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..geometry import Mesh
from ..geometry.marching_cubes import Floats, Integers, march_cells
from .descend import Progress
from .memory import available_memory
from .mise import surface_cells
from .oriented import BoundsLike, FieldLike, Inside, Oriented

_BYTES_A_NODE = 40  # of the coarse grid, while it is searched
_BYTES_A_CELL = 800  # that the surface meets on the fine grid, while it becomes triangles
_FAR = 1e300  # what infinite values are taken for


class NoSurfaceError(InputError):
    """A field that is nowhere inside, or nowhere outside."""


@dataclass(frozen=True)
class Extraction:
    """The surface of a field.

    Attributes:
        mesh: closed, counter-clockwise seen from outside, in the coordinates of the field's points.
        evaluations: how many points the field was asked at.
        nodes: how many nodes the fine grid has, which all would be asked without subdivision.
    """

    mesh: Mesh
    evaluations: int
    nodes: int

    @property
    def saved(self) -> int:
        """Evaluations that were not needed."""
        return self.nodes - self.evaluations


def extract_mesh(
    field: FieldLike,
    *,
    code: Tensor | None = None,
    bounds: BoundsLike | None = None,
    resolution: int = 32,
    subdivisions: int = 2,
    level: float = 0.0,
    inside: Inside | None = None,
    batch: int = 2**16,
    progress: Progress | None = None,
) -> Extraction:
    """Mesh of the surface where a field has the value ``level``.

    Multi-resolution isosurface extraction (Mescheder et al. 2019) finds the cells of a fine grid that the surface
    meets, and asks the field hardly anywhere else: with the default 32 cells and two subdivisions, at about a twentieth
    of the nodes of the grid of 128 cells. Marching cubes makes the triangles, with vertices placed by linear
    interpolation in float64. The mesh is the one that all nodes would give, but for pieces of the surface that are
    smaller than a coarse cell and lie between its nodes; raise ``resolution`` for those. Where the inside reaches the
    bounds the mesh is cut and closed exactly there. Memory goes with the surface, not with the volume.

    A module is asked in evaluation mode and without gradients.

    Args:
        field: a :class:`Field`, or a callable from points (P, 3), and the code if there is one, to values (P,).
        code: (code_size,) the shape, for fields of many.
        bounds: lowest and highest corner (2, 3) of the box that is searched; by default the field's, or [-1, 1]^3.
        resolution: cells along each side of the coarse grid, at least 1.
        subdivisions: how often cells are halved; the fine grid has ``resolution * 2**subdivisions + 1`` nodes a side.
            0 asks all nodes.
        level: the value on the surface.
        inside: which values are inside, those "above" or "below" the level; by default as the field's kind says, and
            "above" for a callable. Values at the level are outside, infinite ones are very far from it.
        batch: points that the field is asked at a time.
        progress: called after each batch with the evaluations so far, those known to be needed so far, and no terms
            (an :class:`invgraph.progress.Bar`, for example).

    Returns:
        The mesh, of the dtype and on the device of the field's bounds (for a callable, of ``bounds``), and what it
        took.

    Raises:
        NoSurfaceError: the field is nowhere inside or nowhere outside; an InputError.
        InputError: it has NaN somewhere, or the grid does not fit into memory, which is said before it is tried.
        ValueError, TypeError: arguments or values of the field that are not as described.
    """
    for name, number, least in (("resolution", resolution, 1), ("subdivisions", subdivisions, 0), ("batch", batch, 1)):
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f"{name}: expected a whole number, got {number!r}")
        if number < least:
            raise ValueError(f"{name}: expected at least {least}, got {number}")
    function = Oriented(field, code, level, inside, bounds)
    cells = resolution << subdivisions
    grid = f"resolution {resolution} with {subdivisions} subdivisions" if subdivisions else f"resolution {resolution}"

    nodes = (resolution + 1) ** 3
    ask = _Nodes(function, cells, batch, progress)

    def check(count: int, to_come: int) -> None:
        ask.check_crossing()
        count *= 4**to_come  # each subdivision meets about four times as many cells
        _check_memory(count * _BYTES_A_CELL, f"{grid} makes about {count:.2g} cells at the surface")

    _check_memory(nodes * _BYTES_A_NODE, f"resolution {resolution} asks at {nodes:.2g} nodes")
    with torch.no_grad(), function.evaluating():
        corners, values = surface_cells(ask, resolution, subdivisions, check)
    verts, faces = march_cells(corners, values)
    box = function.bounds
    low, high = box.double().cpu().numpy()
    fraction = verts / cells
    position = torch.from_numpy(low * (1 - fraction) + high * fraction).to(
        box
    )  # on the bounds exactly where it meets them
    return Extraction(Mesh(position, torch.from_numpy(faces).to(box.device)), ask.evaluations, (cells + 1) ** 3)


def check_resolution(cells: int) -> None:
    """Refuse a grid of so many cells along each side that not even a small surface in it would fit into memory.

    Raises:
        InputError: two planes across the box would not.
    """
    least = 2 * cells**2
    _check_memory(least * _BYTES_A_CELL, f"a grid of {cells} cells a side has some {least:.2g} at a surface")


class _Nodes:
    """A field on the numbered nodes of a grid over its bounds, asked in batches; what it said is watched."""

    def __init__(
        self,
        function: Oriented,
        cells: int,
        batch: int,
        progress: Progress | None,
    ) -> None:
        self.evaluations = 0
        self._function = function
        self._cells = cells
        self._batch = batch
        self._progress = progress
        self._lowest, self._highest = np.inf, -np.inf

    def __call__(self, numbers: Integers) -> Floats:
        """Values (P,) at the nodes, positive inside, finite."""
        values = np.empty(len(numbers))
        needed = self.evaluations + len(numbers)
        for start in range(0, len(numbers), self._batch):
            part = slice(start, start + self._batch)
            values[part] = self._values(numbers[part])
            self.evaluations += len(values[part])
            if self._progress is not None:
                self._progress(self.evaluations, needed, {})
        return values

    def _values(self, numbers: Integers) -> Floats:
        low, high = box = self._function.bounds
        side = self._cells + 1
        index = torch.from_numpy(np.stack([numbers // side**2, numbers // side % side, numbers % side], axis=1))
        fraction = index.to(box.device).double() / self._cells
        points = (low.double() * (1 - fraction) + high.double() * fraction).to(box.dtype)
        values = self._function(points).double()
        if bool(values.isnan().any()):
            where = [round(x, 6) for x in points[values.isnan()][0].tolist()]
            count = f"{int(values.isnan().sum())} of {len(values)} values"
            raise InputError(f"field: expected numbers, {self._function.name} gives NaN at {where} ({count} there)")
        least, most = torch.aminmax(values)
        self._lowest, self._highest = min(self._lowest, float(least)), max(self._highest, float(most))
        return values.clamp(-_FAR, _FAR).cpu().numpy()

    def check_crossing(self) -> None:
        """Refuse a field that is on one side of its level wherever it was asked."""
        if self._lowest <= 0 < self._highest:
            return
        level, above = self._function.level, self._function.inside == "above"
        least, most = (level + v if above else level - v for v in (self._lowest, self._highest))
        side = "inside" if self._lowest > 0 else "outside"
        raise NoSurfaceError(
            f"field: expected a surface at level {level:g} with the inside {self._function.inside} it, but "
            f"{self._function.name} is {side} at all {self.evaluations:,} points of the grid: its values range from "
            f"{min(least, most):.6g} to {max(least, most):.6g}"
        )


def _check_memory(needed: int, what: str) -> None:
    available = available_memory()
    if available is not None and needed > available:
        raise InputError(
            f"resolution: {what} and would take about {needed / 1e9:,.1f} GB of memory, "
            f"where {available / 1e9:,.1f} GB are available; take a lower resolution or fewer subdivisions"
        )
