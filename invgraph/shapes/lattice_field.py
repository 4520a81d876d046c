"""A field that is its values at the nodes of a lattice."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ..fields.field import Field, FieldKind

LOGITS_A_CELL = 2.0  # of an occupancy, by which it changes across a cell
_SPREADS = 2  # passes of the averaging that spreads a node's step to its neighbours


class LatticeField(Field):
    """Free values at the nodes of a lattice over a box, trilinear in between; outside of the box as at its faces.

    The values are ``start + unit * spread(step)``: only ``step`` is a parameter, a length, and ``spread`` averages it
    over about two nodes around. A silhouette's gradient reaches the nodes at the surface alone; a surface that moved to
    nodes that had not moved with it would crumple. It is to a lattice what preconditioning is to a mesh (Nicolet et al.
    2021, "Large Steps in Inverse Rendering of Geometry").

    Args:
        kind: "occupancy" or "sdf".
        values: (X, Y, Z) at the nodes, at least 2 along each axis; the first along an axis lies on the box.
        bounds: lowest and highest corner of the box.

    Attributes:
        cell: edge length of a cell, the longest if they differ.
        unit: what a unit of signed distance is in values: 1 for signed distances; for the logits of an occupancy such
            that they change by two from node to node. Softer, rays past the object would see much of it.
    """

    node_values: Tensor
    unit: Tensor

    def __init__(self, kind: FieldKind, values: Tensor, bounds: Tensor) -> None:
        super().__init__(kind, bounds=bounds)
        if values.ndim != 3 or min(values.shape) < 2 or not values.is_floating_point():
            got = f"{tuple(values.shape)} {values.dtype}"
            raise ValueError(f"values: expected floating-point nodes (X, Y, Z), at least 2 along each axis, got {got}")
        self.bounds = self.bounds.to(values)
        cells = torch.tensor(values.shape, device=values.device) - 1
        self.cell = float(((self.bounds[1] - self.bounds[0]) / cells).max())
        self.register_buffer("unit", values.new_tensor(1.0 if kind == "sdf" else -LOGITS_A_CELL / self.cell))
        self.node_values = nn.Parameter(values.detach().clone())
        parametrize.register_parametrization(self, "node_values", _Spread(values, float(self.unit)))

    @classmethod
    def from_distances(cls, kind: FieldKind, distances: Tensor, bounds: Tensor) -> LatticeField:
        """The field of either kind that says of nodes (X, Y, Z) that they are that far from the surface."""
        field = cls(kind, distances, bounds)
        field.node_values = distances * field.unit
        return field

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        self.check(points, code)
        low, high = self.bounds
        scale = 2 / (high - low)
        place = (points * scale - (low * scale + 1)).flip(
            -1
        )  # in [-1, 1], the last axis first, as grid_sample wants it
        grid = place.reshape(1, -1, 1, 1, 3)
        found = F.grid_sample(self.node_values[None, None], grid, padding_mode="border", align_corners=True)
        return found.view(points.shape[:-1])

    def middles(self) -> Tensor:
        """(X - 1, Y - 1, Z - 1) values in the middles of the cells: the means of their corners."""
        return F.avg_pool3d(self.node_values[None, None], 2, stride=1)[0, 0]


class _Spread(nn.Module):
    """step -> start + unit times its average over the nodes around, by binomial weights; made for ``parametrize``."""

    start: Tensor

    def __init__(self, values: Tensor, unit: float) -> None:
        super().__init__()
        self.unit = unit
        self.register_buffer("start", values.detach().clone())

    def forward(self, step: Tensor) -> Tensor:
        for _ in range(_SPREADS):
            for axis in range(3):
                step = binomial(step, axis)
        return self.start + self.unit * step

    def right_inverse(self, values: Tensor) -> Tensor:
        self.start = values.detach().clone()
        return torch.zeros_like(values)


def binomial(x: Tensor, axis: int) -> Tensor:
    """Values of any shape averaged along an axis by weights 1/4, 1/2, 1/4; those on the border repeat outward."""
    n = x.shape[axis]
    wide = torch.cat([x.narrow(axis, 0, 1), x, x.narrow(axis, n - 1, 1)], axis)
    return 0.5 * x + 0.25 * (wide.narrow(axis, 0, n) + wide.narrow(axis, 2, n))
