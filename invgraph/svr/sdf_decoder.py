"""Distances on a grid, from transposed convolutions."""

from __future__ import annotations

from collections.abc import Collection

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..fields.isosurface import TetrahedralGrid
from ..geometry import Mesh
from ..shapes import lattice_energies
from ..shapes.lattice_field import binomial
from .decoders import SIDE, Decoder, DecoderKind

_WIDTHS = (128, 64, 32)  # at 4, 8 and 16 nodes along an axis
_NODES = 32
_TERMS = ("bending", "eikonal", "presence")
_SPREADS = 2  # passes of the averaging that spreads a step to the nodes around
_RADIUS = 0.35  # of the ball that every shape begins as


class DistanceDecoder(Decoder):
    """A linear layer and three transposed convolutions give distances at 32^3 nodes; the zero set is the surface.

    What the convolutions give is averaged over about two nodes around, as :class:`~invgraph.shapes.LatticeField` does,
    and added to the distances of a ball, in cells: every shape begins as the ball. Silhouettes move only the nodes at
    the surface, and without the average it would crumple.

    The grid of 31 cells along an axis leaves a cell free around the cube of the objects. The surface is that of
    :class:`~invgraph.fields.isosurface.TetrahedralGrid`, whose nodes in the middles of cells take the mean of the
    corners.

    Args:
        code_size: length of a code.
    """

    kind: DecoderKind = "sdf"
    ball: Tensor
    bounds: Tensor
    """(2, 3) lowest and highest node."""
    _spread: Tensor

    def __init__(self, code_size: int = 512) -> None:
        super().__init__(code_size)
        cells = _NODES - 1
        half = SIDE * cells / (cells - 2)
        self.cell = 2 * half / cells
        self.register_buffer("bounds", torch.tensor([[-half] * 3, [half] * 3]), persistent=False)
        self._grid = TetrahedralGrid(cells, self.bounds)
        corners = self._grid.nodes[: self._grid.num_corners].view(_NODES, _NODES, _NODES, 3)
        self.register_buffer("ball", torch.linalg.vector_norm(corners, dim=-1) - _RADIUS, persistent=False)
        spread = torch.eye(_NODES)
        for _ in range(_SPREADS):
            spread = binomial(spread, 0)
        self.register_buffer("_spread", spread, persistent=False)  # as a matrix it takes a quarter of the time
        self.lift = nn.Linear(code_size, _WIDTHS[0] * 4**3)
        layers: list[nn.Module] = []
        for before, width in zip(_WIDTHS, (*_WIDTHS[1:], 1)):
            layers += [nn.LeakyReLU(0.1), nn.ConvTranspose3d(before, width, 4, stride=2, padding=1)]
        self.grow = nn.Sequential(*layers)

    def distances(self, code: Tensor) -> Tensor:
        """(B, 32, 32, 32) signed distances at the nodes (x first, z fastest), canonical units, negative inside."""
        self.check(code)
        steps = self.grow(self.lift(code).unflatten(1, (-1, 4, 4, 4))).squeeze(1)
        spread = self._spread
        steps = spread @ (steps @ spread.mT)  # along y and z, then along x
        return self.ball + self.cell * (spread @ steps.flatten(2)).view_as(steps)

    def decode(self, code: Tensor, terms: Collection[str] | None = None) -> tuple[list[Mesh], dict[str, Tensor]]:
        """One mesh a code, empty where all distances are positive; three terms.

        ``bending`` and ``eikonal``: see :func:`~invgraph.shapes.lattice_energies`; ``presence``: by how many cells the
        deepest node is short of one cell inside, 0 for shapes that are there: without it an empty one could not come
        back.
        """
        distances, found = self.decode_lattice(code, terms)
        return self._surfaces(distances), found

    def decode_lattice(self, code: Tensor, terms: Collection[str] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """:meth:`distances` of codes and the terms of :meth:`decode`, for those who need no mesh."""
        distances = self.distances(code)
        wanted = _TERMS if terms is None else [name for name in _TERMS if name in terms]
        found: dict[str, Tensor] = {}
        if "bending" in wanted or "eikonal" in wanted:
            found = lattice_energies(distances, self.cell, eikonal="eikonal" in wanted)
        if "presence" in wanted:
            found["presence"] = F.relu(distances.flatten(1).amin(1) / self.cell + 1).mean()
        return distances, {name: found[name] for name in wanted}

    def forward(self, code: Tensor) -> list[Mesh]:
        """One mesh a code (B, code_size)."""
        return self._surfaces(self.distances(code))

    def _surfaces(self, distances: Tensor) -> list[Mesh]:
        if self._grid.bounds.device != distances.device:  # the module was moved; a grid is not a module
            self._grid = TetrahedralGrid(self._grid.cells, self._grid.bounds.to(distances.device))
        middles = F.avg_pool3d(distances[:, None], 2, stride=1)
        values = torch.cat([distances.flatten(1), middles.flatten(1)], 1)
        return [self._grid.surface(one) for one in values]
