"""How much light a surface sends to the eye: diffuse after Lambert, highlights after Blinn and Phong.

Everything is linear: colours are multiplied and added as they are, and no curve is applied to the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .lights import AmbientLight, Light, SphericalHarmonics

Number = Tensor | float | Sequence[float]


@dataclass(frozen=True, eq=False)
class Lambert:
    """A matt surface, as bright from everywhere: ``albedo * sum_lights irradiance(n)`` (Lambert, Photometria, 1760)."""


@dataclass(frozen=True, eq=False)
class Phong:
    """A matt surface under a coat: Lambert's term, and for each directional or point light the highlight

        ``specular * color * max(0, n . h)^shininess``   where n . l > 0,   ``h = (l + v) / |l + v|``

    with the directions l to the light and v to the eye (Blinn, Models of Light Reflection for Computer Synthesized
    Pictures, SIGGRAPH 1977, after Phong). Not normalized: shininess changes the highlight's size and not its peak.

    Attributes:
        specular: strength of the highlight: a number or ``(3,)``.
        shininess: exponent, > 0: a number, or a tensor of one.
    """

    specular: Number = 0.3
    shininess: Number = 32.0


Material = Lambert | Phong


def shade(
    albedo: Tensor,
    normal: Tensor,
    position: Tensor,
    view: Tensor,
    image: Tensor,
    lights: Sequence[Light],
    material: Material,
) -> Tensor:
    """Colours of M surface points.

    Args:
        albedo: ``(M, 3)`` or ``(M, 1)``, the share of light that is sent back.
        normal: ``(M, 3)`` unit, in the world frame. A surface is lit on the side that its normal points to.
        position: ``(M, 3)`` in the world.
        view: ``(M, 3)`` unit, towards the eye.
        image: ``(M,)`` int64, the camera that sees each point, for lights with a set for each camera.
        lights: any number, whose light is added.
        material: :class:`Lambert` or :class:`Phong`.

    Returns:
        ``(M, 3)``, differentiable with respect to everything that is a tensor of floats; not clamped.
    """
    diffuse = albedo.new_zeros(1, 3)
    highlight = albedo.new_zeros(1, 3)
    for light in lights:
        if isinstance(light, (AmbientLight, SphericalHarmonics)):
            diffuse = diffuse + light.irradiance(normal, image)
            continue
        direction, color = light.beam(position, image)
        cosine = (normal * direction).sum(-1, keepdim=True)
        diffuse = diffuse + color * cosine.clamp_min(0)
        if isinstance(material, Phong):
            half = (normal * F.normalize(direction + view, dim=-1)).sum(-1, keepdim=True).clamp_min(0)
            specular = _number("specular", material.specular, (1, 3), albedo)
            shininess = _number("shininess", material.shininess, (1,), albedo)
            highlight = highlight + torch.where(cosine > 0, specular * color * half**shininess, 0.0)
    return albedo * diffuse + highlight


def _number(name: str, value: Number, sizes: tuple[int, ...], like: Tensor) -> Tensor:
    given = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    if given.ndim > 1 or (given.ndim == 1 and len(given) not in sizes):
        expected = " or ".join(["a number", *(f"shape ({size},)" for size in sizes if size > 1)])
        raise ValueError(f"{name}: expected {expected}, got shape {tuple(given.shape)}")
    return given
