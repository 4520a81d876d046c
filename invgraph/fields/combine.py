"""Signed distance fields made of others: set operations and motions.

Formulas after I. Quilez, "Distance functions" and "Smooth minimum" (iquilezles.org).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .analytic import AnalyticField, Bounds, Vector, numbers
from .field import Field


class _Combination(AnalyticField):
    """What is made of several signed distance fields without a code."""

    def __init__(self, fields: tuple[Field, ...], low: Tensor, high: Tensor, bounds: Bounds | None) -> None:
        super().__init__(low, high, torch.stack([low, high]) if bounds is None else bounds)
        self.fields = nn.ModuleList(fields)

    def distances(self, points: Tensor) -> Tensor:
        """(K, ...) distances of each of the K fields."""
        return torch.stack([field(points) for field in self.fields])


class Union(_Combination):
    """Every point that lies in any of the fields: the least of their distances."""

    def __init__(self, *fields: Field, bounds: Bounds | None = None) -> None:
        super().__init__(fields, *_around(fields), bounds)

    def distance(self, points: Tensor) -> Tensor:
        return self.distances(points).amin(0)


class Intersection(_Combination):
    """The points that lie in all of the fields: the greatest of their distances. Its bounds are the first field's."""

    def __init__(self, *fields: Field, bounds: Bounds | None = None) -> None:
        super().__init__(fields, *_around(fields[:1], of=fields), bounds)

    def distance(self, points: Tensor) -> Tensor:
        return self.distances(points).amax(0)


class Difference(_Combination):
    """The points of the first field that lie in none of the others. Its bounds are the first field's."""

    def __init__(self, *fields: Field, bounds: Bounds | None = None) -> None:
        super().__init__(fields, *_around(fields[:1], of=fields), bounds)

    def distance(self, points: Tensor) -> Tensor:
        distances = self.distances(points)
        return torch.cat([distances[:1], -distances[1:]]).amax(0)


class SmoothUnion(_Combination):
    """A union whose seams are filled: the quadratic polynomial smooth minimum, taken field by field in their order.

    Args:
        fields: at least one.
        radius: distance over which two surfaces blend, above 0; where their distances differ by more, it is the union.
    """

    radius: Tensor

    def __init__(self, *fields: Field, radius: float | Tensor = 0.1, bounds: Bounds | None = None) -> None:
        r = numbers("radius", radius, (), positive=True)
        low, high = _around(fields)
        bulge = r.detach() / 4  # as far as two surfaces that coincide move outward
        super().__init__(fields, low - bulge, high + bulge, bounds)
        self.hold(radius=r)

    def distance(self, points: Tensor) -> Tensor:
        radius = self.radius.to(points)
        least, *others = self.distances(points)
        for other in others:
            blend = (radius - (least - other).abs()).clamp(min=0) / radius
            least = torch.minimum(least, other) - blend * blend * radius / 4
        return least


class Moved(AnalyticField):
    """A field scaled about the origin, then rotated, then translated; distances stay distances.

    Args:
        field: signed distances without a code.
        translation: (3,).
        rotation: (3, 3), orthonormal.
        scale: one factor for all axes, above 0.
    """

    translation: Tensor
    rotation: Tensor
    scale: Tensor

    def __init__(
        self,
        field: Field,
        *,
        translation: Vector = (0.0, 0.0, 0.0),
        rotation: Tensor | None = None,
        scale: float | Tensor = 1.0,
        bounds: Bounds | None = None,
    ) -> None:
        t, s = numbers("translation", translation, (3,)), numbers("scale", scale, (), positive=True)
        r = numbers("rotation", torch.eye(3, dtype=t.dtype, device=t.device) if rotation is None else rotation, (3, 3))
        error = float((r @ r.T - torch.eye(3, dtype=r.dtype, device=r.device)).detach().abs().amax())
        if error > 1e-4:
            raise ValueError(f"rotation: expected an orthonormal matrix, got one whose R R^T is off by {error:.2g}")
        low, high = _around((field,))
        corners = torch.cartesian_prod(*torch.stack([low, high], 1)).to(r) * s.detach() @ r.detach().T + t.detach()
        low, high = corners.amin(0), corners.amax(0)
        super().__init__(low, high, torch.stack([low, high]) if bounds is None else bounds)
        self.field = field
        self.hold(translation=t, rotation=r, scale=s)

    def distance(self, points: Tensor) -> Tensor:
        scale = self.scale.to(points)
        local = (points - self.translation.to(points)) @ self.rotation.to(points) / scale
        values: Tensor = self.field(local)
        return values * scale


def _around(fields: tuple[Field, ...], of: tuple[Field, ...] | None = None) -> tuple[Tensor, Tensor]:
    """Lowest and highest corner of the fields' bounds, once all of them (``of``) are known to combine."""
    if not fields:
        raise ValueError("fields: expected at least one, got none")
    for field in fields if of is None else of:
        if not isinstance(field, Field) or field.kind != "sdf" or field.code_size:
            got = f"{field.kind}, code_size={field.code_size}" if isinstance(field, Field) else type(field).__name__
            raise ValueError(f"fields: expected signed distances without a code, got {got}")
    return torch.stack([f.bounds[0] for f in fields]).amin(0), torch.stack([f.bounds[1] for f in fields]).amax(0)
