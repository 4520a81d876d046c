"""An occupancy field that the code conditions: the decoder of Occupancy Networks."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from ..fields import Field, OccupancyDecoder, extract_mesh
from ..fields.conditioning import as_batch
from ..fields.extract import FieldLike, NoSurfaceError
from ..fields.isosurface import TetrahedralGrid, field_surface
from ..fields.isosurface.box import lattice
from ..geometry import Mesh
from .coded_lattice import NODES, CodedLattice, read_lattice
from .decoders import SIDE, Decoder, DecoderKind
from .pixel_aligned import PixelAlignedField
from .sight import Sight

_PADDING = 1.1  # the cube that the field is trained in, over the longest side: Occupancy Networks'
_RADIUS, _SLOPE = 0.35, 10.0  # of the ball that every shape begins as
_CODES = 8  # whose points are looked at together: memory
_COARSEST = 16  # cells along an axis, of the grid whose cells are halved where the surface is


class BallField(Field):
    """Logits of being inside: those of a ball, where shapes begin, and what the code adds to them.

    Args:
        code_size: length of a code.
        hidden: channels of an :class:`~invgraph.fields.OccupancyDecoder`, whose logits are added; 0 for none.
        lattice: channels of a :class:`CodedLattice`, between whose nodes logits are interpolated; 0 for none.
        bounds: see :class:`Field`.
        sight: in its place, a :class:`PixelAlignedField` of so many channels, and codes are longer; None: no picture is
            seen.
    """

    def __init__(
        self,
        code_size: int,
        hidden: int,
        lattice: int,
        bounds: Sequence[Sequence[float]],
        sight: Sight | None = None,
    ) -> None:
        super().__init__("occupancy", code_size if sight is None else sight.length, bounds)
        if not (hidden or lattice):
            raise ValueError("hidden, lattice: expected channels of one or both, got 0 and 0")
        self._coded = code_size
        self.network = OccupancyDecoder(code_size, hidden=hidden, bounds=bounds) if hidden else None
        self.lattice = CodedLattice(code_size, lattice) if lattice and sight is None else None
        self.aligned = None if sight is None else PixelAlignedField(sight, lattice, self.bounds)

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Logits (...) at points (..., 3); see :meth:`Field.forward`."""
        self.check(points, code)
        logits = _ball(points)
        if self.network is not None:
            logits = logits + self.network(points, None if code is None else code[..., : self._coded])
        rows, codes = as_batch(points, code)
        if self.lattice is not None:
            values = self.lattice(codes).to(rows.dtype)  # places need more digits than mixed precision has
            logits = logits + read_lattice(values, self.bounds.expand(len(rows), 2, 3), rows).view_as(logits)
        if self.aligned is not None and codes is not None:  # there are always codes then, see check
            logits = logits + self.aligned(rows, codes).view_as(logits)
        return logits

    def at_nodes(self, code: Tensor) -> Tensor:
        """Logits (B, NODES, NODES, NODES) of codes (B, code_size) at the nodes of a lattice over the bounds.

        Without a network's; where there is a lattice, they are all that it says.
        """
        nodes = lattice([NODES] * 3, *self.bounds)
        if self.lattice is not None:
            added = self.lattice(code)
        elif self.aligned is not None:
            some = [self.aligned(nodes.expand(len(part), -1, 3), part) for part in code.split(_CODES)]
            added = torch.cat(some).unflatten(1, (NODES,) * 3)
        else:
            raise ValueError("lattice: expected a field with one, got one of a network alone")
        return added + _ball(nodes).view((NODES,) * 3)


def _ball(points: Tensor) -> Tensor:
    return _SLOPE * (_RADIUS - torch.linalg.vector_norm(points, dim=-1))


class FieldDecoder(Decoder):
    """The code chooses an occupancy field: by conditional batch normalisation (Mescheder et al. 2019), on a lattice.

    The network of Occupancy Networks knows no resolution, and takes long to learn; a lattice of 32^3 logits costs a
    fraction, and learns in the time that a laptop has. Both may be there: their logits are added.

    Three ways to train it: by occupancies at points (:meth:`logits`), through its surface (:meth:`forward`), and along
    rays (:func:`invgraph.fields.ray_alpha` of ``field`` with a code). Surfaces use the running statistics of the
    normalisation, in training too: they ask at other points than a training's. Only :meth:`logits` in training mode
    moves the statistics; without it they stay 0 and 1, and the layers are affine maps that the code chooses.

    Args:
        code_size: length of a code.
        hidden: channels of the network's blocks; 0: no network.
        lattice: channels of the lattice's coarsest nodes, a multiple of 4; 0: no lattice.
        resolution: cells along each axis of the grid that surfaces are extracted on; a power of two is fastest.
        threshold: probability of being inside that the surface has. Of what a network is unsure of, occupancies teach
            it the probability, and at 1/2 thin parts would be lost: Occupancy Networks take 0.2. Silhouettes teach the
            surface at 1/2.
        sight: what codes hold of the picture, where points see it, and the lattice gives features; None: nothing.
    """

    kind: DecoderKind = "occupancy"

    def __init__(
        self,
        code_size: int = 512,
        hidden: int = 256,
        lattice: int = 0,
        resolution: int = 32,
        threshold: float = 0.5,
        sight: Sight | None = None,
    ) -> None:
        super().__init__(code_size if sight is None else sight.length)
        if not 0 < threshold < 1:
            raise ValueError(f"threshold: expected a probability between 0 and 1, got {threshold}")
        self.sight = sight
        self.level = math.log(threshold / (1 - threshold))
        half = _PADDING * SIDE
        self.field = BallField(code_size, hidden, lattice, [[-half] * 3, [half] * 3], sight)
        self.resolution = resolution

    def logits(self, points: Tensor, code: Tensor) -> Tensor:
        """(B, P) logits of being inside, at points (B, P, 3) of the canonical frame, for codes (B, code_size)."""
        self.check(code)
        return self.field(points, code)

    def decode(self, code: Tensor, terms: Collection[str] | None = None) -> tuple[list[Mesh], dict[str, Tensor]]:
        """One mesh a code, empty where the field has no surface; no terms."""
        return self.forward(code), {}

    def forward(self, code: Tensor) -> list[Mesh]:
        """One mesh a code (B, code_size).

        Where gradients are enabled, of the tetrahedral grid; otherwise by marching cubes, with a quarter of the
        vertices and half of the time: see :func:`~invgraph.fields.extract_mesh`.
        """
        self.check(code)
        was_training = self.field.training
        self.field.eval()
        try:
            if torch.is_grad_enabled():
                grid = TetrahedralGrid(self.resolution, self.field.bounds)
                return [field_surface(self.field, grid, code=one, level=self.level) for one in code]
            return [self._extracted(one) for one in code]
        finally:
            self.field.train(was_training)

    def _extracted(self, code: Tensor) -> Mesh:
        halved = int(self.resolution % 2 == 0 and self.resolution >= 2 * _COARSEST)
        grid = {"resolution": self.resolution >> halved, "subdivisions": halved}
        return extracted(self.field, self.field.bounds, code=code, level=self.level, **grid)


def extracted(field: FieldLike, bounds: Tensor, **how: Any) -> Mesh:
    """The mesh of :func:`~invgraph.fields.extract_mesh` within a box (2, 3); an empty one where there is no surface."""
    try:
        return extract_mesh(field, bounds=bounds, **how).mesh
    except NoSurfaceError:
        return Mesh(bounds.new_zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64, device=bounds.device))
