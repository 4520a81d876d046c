"""Lights: frozen dataclasses of tensors, each of which may need gradients.

A colour is the light's strength on each channel: a white surface (albedo 1) that faces a light of colour 1 shines with
1, so that the factor 1 / pi of a diffuse surface is part of the light. Directions and positions are in the world frame.
Parameters are given as tensors or as numbers; they follow the dtype and device of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import get_args

import torch
import torch.nn.functional as F
from torch import Tensor

Numbers = Tensor | float | Sequence[float]


@dataclass(frozen=True, eq=False)
class AmbientLight:
    """The same light from everywhere: ``irradiance = color``.

    Attributes:
        color: a number, ``(3,)``, or ``(N, 3)`` with one for each camera.
    """

    color: Numbers = 1.0

    def irradiance(self, normal: Tensor, image: Tensor) -> Tensor:
        """``(M, 3)`` or ``(1, 3)`` light that arrives at surfaces with ``normal (M, 3)`` in pictures ``image (M,)``."""
        return _per_pixel("color", self.color, 3, normal, image)


@dataclass(frozen=True, eq=False)
class DirectionalLight:
    """Light from far away: ``irradiance = color max(0, n . d)``.

    Attributes:
        direction: towards the light, of any length: ``(3,)``, or ``(N, 3)`` with one for each camera.
        color: a number, ``(3,)`` or ``(N, 3)``.
    """

    direction: Numbers = (0.0, 1.0, 0.0)
    color: Numbers = 1.0

    def beam(self, position: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors towards the light and its colour at ``position (M, 3)``, each ``(M, 3)`` or ``(1, 3)``."""
        direction = _per_pixel("direction", self.direction, 3, position, image)
        return F.normalize(direction, dim=-1), _per_pixel("color", self.color, 3, position, image)


@dataclass(frozen=True, eq=False)
class PointLight:
    """Light from a point at distance r in direction d: ``irradiance = color max(0, n . d)``, over ``r^2`` with falloff.

    Attributes:
        position: in the world, ``(3,)``, or ``(N, 3)`` with one for each camera.
        color: a number, ``(3,)`` or ``(N, 3)``; with falloff: at distance 1.
        falloff: whether light thins with the squared distance, as it does.
    """

    position: Numbers = (0.0, 0.0, 0.0)
    color: Numbers = 1.0
    falloff: bool = False

    def beam(self, position: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`DirectionalLight.beam`."""
        offset = _per_pixel("position", self.position, 3, position, image) - position
        color = _per_pixel("color", self.color, 3, position, image)
        if self.falloff:
            square = (offset * offset).sum(-1, keepdim=True)
            color = color / square.clamp_min(torch.finfo(square.dtype).tiny)
        return F.normalize(offset, dim=-1), color


@dataclass(frozen=True, eq=False)
class SphericalHarmonics:
    """A distant environment, by the nine real spherical harmonics up to second order of its radiance.

    The irradiance of a diffuse surface is a quadratic polynomial of its normal (Ramamoorthi & Hanrahan, An Efficient
    Representation for Irradiance Environment Maps, SIGGRAPH 2001, eq. 13), here over pi:

        ``pi irradiance = c4 L00 + 2 c2 (L11 x + L1-1 y + L10 z) + 2 c1 (L2-2 xy + L21 xz + L2-1 yz)
        + c3 L20 z^2 - c5 L20 + c1 L22 (x^2 - y^2)``

    with ``c1 .. c5 = 0.429043, 0.511664, 0.743125, 0.886227, 0.247708``. A constant environment of radiance 1 has
    ``L00 = sqrt(4 pi)`` and irradiance 1. Within 3% of the true irradiance of any environment, on average.

    Attributes:
        coefficients: ``(9, 3)`` (or ``(9, 1)``, or ``(N, 9, 3)`` with one set for each camera) in the order L00, L1-1,
            L10, L11, L2-2, L2-1, L20, L21, L22.
    """

    coefficients: Tensor | Sequence[Sequence[float]]

    def irradiance(self, normal: Tensor, image: Tensor) -> Tensor:
        """``(M, 3)``, as :meth:`AmbientLight.irradiance`. Negative where the environment is (after truncation)."""
        given = torch.as_tensor(self.coefficients, dtype=normal.dtype, device=normal.device)
        if given.ndim not in (2, 3) or given.shape[-2] != 9 or given.shape[-1] not in (1, 3):
            raise ValueError(f"coefficients: expected shape (9, 3), (9, 1) or (N, 9, 3), got {tuple(given.shape)}")
        basis = _irradiance_basis(normal)
        if given.ndim == 2:
            return basis @ given
        return (basis[..., None] * given.index_select(0, image)).sum(-2)


Light = AmbientLight | DirectionalLight | PointLight | SphericalHarmonics


def _irradiance_basis(normal: Tensor) -> Tensor:
    """``(M, 9)``: the irradiance over pi that each coefficient gives."""
    x, y, z = normal.unbind(-1)
    c1, c2, c3, c4, c5 = (
        v / math.pi for v in (0.42904276540489, 0.51166335397324, 0.74312386838768, 0.88622692545276, 0.24770795608096)
    )
    terms = (
        torch.full_like(x, c4),
        2 * c2 * y,
        2 * c2 * z,
        2 * c2 * x,
        2 * c1 * x * y,
        2 * c1 * y * z,
        c3 * z * z - c5,
        2 * c1 * x * z,
        c1 * (x * x - y * y),
    )
    return torch.stack(terms, -1)


def _per_pixel(name: str, value: Numbers, channels: int, like: Tensor, image: Tensor) -> Tensor:
    """A light's parameter at each pixel: ``(1, C)``, or ``(M, C)`` where every camera has its own."""
    given = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if given.ndim == 0 or given.shape == (1,):
        return given.expand(1, channels)
    if given.ndim > 2 or given.shape[-1] != channels:
        raise ValueError(f"{name}: expected shape ({channels},) or (N, {channels}), got {tuple(given.shape)}")
    if given.ndim == 1:
        return given[None]
    return given.index_select(0, image)


def as_lights(lights: Light | Sequence[Light] | None, count: int) -> list[Light] | None:
    """A list of lights, each checked: what it holds for each camera, it holds for ``count``."""
    if lights is None:
        return None
    found: list[Light] = [lights] if isinstance(lights, Light) else list(lights)
    for light in found:
        if not isinstance(light, Light):
            raise TypeError(f"lights: expected {', '.join(kind.__name__ for kind in get_args(Light))}, got {light!r}")
        for field in fields(light):
            value = torch.as_tensor(getattr(light, field.name))
            per_camera = value.ndim > (2 if field.name == "coefficients" else 1)
            if per_camera and len(value) != count:
                raise ValueError(f"lights: expected {field.name} for {count} cameras, got {tuple(value.shape)}")
    return found
