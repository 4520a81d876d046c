"""Shapes with a formula, as signed distance fields: test cases, initial fields, and what they build together.

The distances are those that I. Quilez lists in "Distance functions" and "Smooth minimum" (iquilezles.org). They are
exact for sphere, box, torus, capsule and for motions of them; of a union outside of it, of an intersection inside of
it; elsewhere, and for differences and smooth unions, their size is a lower bound, which ray marching needs, and the
sign is right everywhere. Parameters may be numbers, tensors that require a gradient, or ``nn.Parameter``, which
:meth:`~torch.nn.Module.parameters` then lists. The default bounds are a box around the shape as it is at the start,
padded by a tenth of its longest side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .field import Field

Vector = Tensor | Sequence[float]
Bounds = Tensor | Sequence[Sequence[float]]

_PADDING = 0.1


class AnalyticField(Field):
    """A signed distance that :meth:`distance` computes from the points alone."""

    def __init__(self, low: Tensor, high: Tensor, bounds: Bounds | None) -> None:
        box = torch.stack([low, high]).detach()
        padding = _PADDING * (box[1] - box[0]).amax()
        super().__init__("sdf", bounds=torch.stack([box[0] - padding, box[1] + padding]) if bounds is None else bounds)

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Signed distances (...) of points (..., 3), negative inside."""
        self.check(points, code)
        return self.distance(points)

    def distance(self, points: Tensor) -> Tensor:
        """(...) signed distances of points (..., 3) that have been checked."""
        raise NotImplementedError(f"{type(self).__name__} does not define distance()")

    def hold(self, **values: Tensor) -> None:
        """Keep each value under its name, as a parameter if it is one and as a buffer otherwise."""
        for name, value in values.items():
            if isinstance(value, nn.Parameter):
                self.register_parameter(name, value)
            else:
                self.register_buffer(name, value)


class Sphere(AnalyticField):
    """A ball.

    Args:
        radius: above 0.
        center: (3,).
    """

    radius: Tensor
    center: Tensor

    def __init__(
        self, radius: float | Tensor = 0.5, center: Vector = (0.0, 0.0, 0.0), *, bounds: Bounds | None = None
    ) -> None:
        r, c = _size("radius", radius), numbers("center", center, (3,))
        super().__init__(c - r, c + r, bounds)
        self.hold(radius=r, center=c)

    def distance(self, points: Tensor) -> Tensor:
        return _length(points - self.center.to(points)) - self.radius.to(points)


class Box(AnalyticField):
    """A box along the axes.

    Args:
        half_sizes: (3,) half of its extent along each axis, above 0.
        center: (3,).
    """

    half_sizes: Tensor
    center: Tensor

    def __init__(
        self,
        half_sizes: Vector = (0.5, 0.5, 0.5),
        center: Vector = (0.0, 0.0, 0.0),
        *,
        bounds: Bounds | None = None,
    ) -> None:
        h, c = numbers("half_sizes", half_sizes, (3,), positive=True), numbers("center", center, (3,))
        super().__init__(c - h, c + h, bounds)
        self.hold(half_sizes=h, center=c)

    def distance(self, points: Tensor) -> Tensor:
        beyond = (points - self.center.to(points)).abs() - self.half_sizes.to(points)
        return _length(beyond.clamp(min=0)) + beyond.amax(-1).clamp(max=0)


class Torus(AnalyticField):
    """A torus around the y axis.

    Args:
        major: radius of the circle at the heart of the tube, above 0.
        minor: radius of the tube, above 0.
        center: (3,).
    """

    major: Tensor
    minor: Tensor
    center: Tensor

    def __init__(
        self,
        major: float | Tensor = 0.5,
        minor: float | Tensor = 0.2,
        center: Vector = (0.0, 0.0, 0.0),
        *,
        bounds: Bounds | None = None,
    ) -> None:
        a, b, c = _size("major", major), _size("minor", minor), numbers("center", center, (3,))
        reach = torch.stack([a + b, b, a + b])
        super().__init__(c - reach, c + reach, bounds)
        self.hold(major=a, minor=b, center=c)

    def distance(self, points: Tensor) -> Tensor:
        x, y, z = (points - self.center.to(points)).unbind(-1)
        to_circle = torch.stack([_length(torch.stack([x, z], -1)) - self.major.to(points), y], -1)
        return _length(to_circle) - self.minor.to(points)


class Capsule(AnalyticField):
    """All points within ``radius`` of a segment.

    Args:
        start, end: (3,) ends of the segment, which may coincide.
        radius: above 0.
    """

    start: Tensor
    end: Tensor
    radius: Tensor

    def __init__(
        self,
        start: Vector = (0.0, -0.5, 0.0),
        end: Vector = (0.0, 0.5, 0.0),
        radius: float | Tensor = 0.25,
        *,
        bounds: Bounds | None = None,
    ) -> None:
        a, b, r = numbers("start", start, (3,)), numbers("end", end, (3,)), _size("radius", radius)
        super().__init__(torch.minimum(a, b) - r, torch.maximum(a, b) + r, bounds)
        self.hold(start=a, end=b, radius=r)

    def distance(self, points: Tensor) -> Tensor:
        a, b = self.start.to(points), self.end.to(points)
        along, offset = b - a, points - a
        square = (along * along).sum().clamp(min=torch.finfo(points.dtype).tiny)
        part = ((offset * along).sum(-1) / square).clamp(0, 1)
        return _length(offset - part[..., None] * along) - self.radius.to(points)


def numbers(
    name: str, value: Tensor | Sequence[float] | float, shape: tuple[int, ...], positive: bool = False
) -> Tensor:
    """The value as a tensor of that shape, finite and, if asked for, above 0; an error that names it otherwise."""
    tensor = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=torch.get_default_dtype())
    if not tensor.is_floating_point():
        raise TypeError(f"{name}: expected floating point numbers, got {tensor.dtype}")
    if tensor.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, got {tuple(tensor.shape)}")
    if not bool((tensor.isfinite() & ((tensor > 0) | (not positive))).all()):
        raise ValueError(f"{name}: expected finite numbers{' above 0' if positive else ''}, got {tensor.tolist()}")
    return tensor


def _size(name: str, value: float | Tensor) -> Tensor:
    return numbers(name, value, (), positive=True)


def _length(vectors: Tensor) -> Tensor:
    """Norm whose derivatives of every order are 0, not NaN, at the origin."""
    square = (vectors * vectors).sum(-1)
    safe = torch.where(square > 0, square, 1)
    return torch.where(square > 0, safe.sqrt(), 0)
