"""Made shapes without end: solids put together of analytic ones, and points on their surfaces."""

from __future__ import annotations

import torch
from torch import Tensor

from .analytic import AnalyticField, Box, Capsule, Sphere, Torus
from .combine import Difference, Moved, SmoothUnion, Union
from .field import Field

_REACH = 0.8  # largest coordinate of a random shape
_SHELL = 0.05  # as a share of the bounds' longest side: candidates for the surface lie this close to it


def random_shape(generator: torch.Generator) -> AnalyticField:
    """A solid of two to five spheres, boxes, capsules and tori in random poses, as a signed distance field.

    The parts are united, with sharp or filled seams, and from some shapes one part is cut. The solid is centred, its
    longest side is 1.6 and its bounds are [-1, 1]^3; it fills at least 2% of them, and may have handles, cavities and
    more than one component. The same state of the generator gives the same shape.
    """
    while True:
        shape = _assembled(generator)
        points = _lattice(shape.bounds, 40)
        inside = points[shape(points) < 0]
        if len(inside) < 100:
            continue
        low, high = inside.amin(0), inside.amax(0)
        scale = 2 * _REACH / float((high - low).amax())
        shape = Moved(shape, scale=scale, translation=-scale * (low + high) / 2, bounds=[[-1.0] * 3, [1.0] * 3])
        if (shape(_lattice(shape.bounds, 24)) < 0).float().mean() >= 0.02:
            return shape


def sample_zero_set(field: Field, count: int, generator: torch.Generator, code: Tensor | None = None) -> Tensor:
    """Points (count, 3) on the surface of a signed distance field within its bounds, nearly uniform by area.

    Points uniform in space that are close to the surface are moved onto it by Newton steps along the gradient; those
    that do not arrive (where the field is no distance, as at the seams of a difference) are drawn again.

    Raises:
        ValueError: an occupancy field, or no surface was found within the bounds.
    """
    if field.kind != "sdf":
        raise ValueError(f"field: expected signed distances, got {field.kind}")
    low, high = field.bounds
    side = (high - low).amax()
    found: list[Tensor] = []
    for draw in range(1000):
        points = low + (high - low) * torch.rand(max(4 * count, 4096), 3, generator=generator).to(low)
        with torch.no_grad():
            points = points[field(points, code).abs() < _SHELL * side]
        for _ in range(4):
            points = points.detach().requires_grad_()
            with torch.enable_grad():
                value = field(points, code)
                (slope,) = torch.autograd.grad(value.sum(), points)
            points = points.detach() - (value.detach() / slope.square().sum(1).clamp(min=1e-6))[:, None] * slope
        with torch.no_grad():
            arrived = (field(points, code).abs() < 1e-4 * side) & ((points >= low) & (points <= high)).all(1)
        found.append(points[arrived])
        have = sum(map(len, found))
        if have >= count:
            return torch.cat(found)[:count]
        if draw == 9 and have == 0:
            break
    raise ValueError(f"field: expected a surface within its bounds, found {have} of {count} points on it")


def _assembled(generator: torch.Generator) -> AnalyticField:
    parts = [_part(generator, 0.35) for _ in range(int(_number(generator, 2, 6)))]
    filled, cut = _number(generator, 0, 1) < 0.4, _number(generator, 0, 1) < 0.4
    whole = SmoothUnion(*parts, radius=_number(generator, 0.1, 0.3)) if filled else Union(*parts)
    return Difference(whole, _part(generator, 0.35)) if cut else whole


def _part(generator: torch.Generator, spread: float) -> AnalyticField:
    """A primitive of size about 0.5 in a random pose, its centre within ``spread`` of the origin along each axis."""

    def number(low: float, high: float) -> float:
        return _number(generator, low, high)

    kind = int(number(0, 4))
    part: AnalyticField
    if kind == 0:
        part = Sphere(number(0.2, 0.45))
    elif kind == 1:
        part = Box([number(0.12, 0.45) for _ in range(3)])
    elif kind == 2:
        half = number(0.2, 0.6)
        part = Capsule((0.0, -half, 0.0), (0.0, half, 0.0), number(0.1, 0.25))
    else:
        part = Torus(number(0.3, 0.5), number(0.08, 0.18))
    q = torch.randn(4, generator=generator)  # a uniform rotation is a normal quaternion's
    w, x, y, z = (q / q.norm()).tolist()
    rotation = torch.tensor(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    return Moved(part, rotation=rotation, translation=[number(-spread, spread) for _ in range(3)])


def _number(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _lattice(bounds: Tensor, resolution: int) -> Tensor:
    """(resolution^3, 3) points that fill the box."""
    axes = [torch.linspace(low, high, resolution) for low, high in bounds.T.tolist()]
    return torch.cartesian_prod(*axes)
