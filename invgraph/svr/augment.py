"""Pictures that differ from those of the data set: in colour and light, as ordinary ones do, or mirrored."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..cameras import Cameras

STRENGTHS = (0.4, 0.4, 0.1)
"""How far brightness and saturation go from 1 at strength 1, as factors, and hue from 0, in turns."""


def colour_factors(count: int, generator: torch.Generator) -> Tensor:
    """(count, 3) in [-1, 1]: how far each picture is moved along each of :data:`STRENGTHS`."""
    return 2 * torch.rand(count, len(STRENGTHS), generator=generator) - 1


def jitter_colours(images: Tensor, factors: Tensor, strength: float = 1.0) -> Tensor:
    """Change brightness, saturation and hue of each picture by its own factors.

    Silhouettes stay as they are: alpha is left alone, and so is what lies outside of it.

    Args:
        images: (N, 3 or 4, H, W) in [0, 1]; the fourth channel is alpha.
        factors: (N, 3), of :func:`colour_factors`.
        strength: 0 for none; at most 2.

    Returns:
        The same shape, in [0, 1].
    """
    from kornia.enhance import adjust_contrast, adjust_hue, adjust_saturation

    brightness, saturation, hue = (strength * factors.to(images) * images.new_tensor(STRENGTHS)).unbind(1)
    rgb = adjust_hue(adjust_saturation(images[:, :3], 1 + saturation), 2 * math.pi * hue)
    rgb = adjust_contrast(rgb, 1 + brightness)  # kornia's "contrast" is a factor
    if images.shape[1] == 3:
        return rgb
    alpha = images[:, 3:]
    return torch.cat([torch.where(alpha > 0, rgb, images[:, :3]), alpha], 1)


def mirrored_cameras(cameras: Cameras) -> Cameras:
    """The cameras of mirrored pictures, in which the world's x points the other way: a mirrored shape, seen by them.

    ``R' = M R M`` and ``t' = M t`` with ``M = diag(-1, 1, 1)``; ``K'`` takes a pixel's u to ``width - u``.
    """
    M = torch.diag(cameras.t.new_tensor([-1.0, 1.0, 1.0]))
    flip = M.clone()
    flip[0, 2] = cameras.image_size[1]
    return Cameras(M @ cameras.R @ M, cameras.t @ M, flip @ cameras.K @ M, cameras.image_size, cameras.projection)


def with_mirrored(cameras: Cameras) -> Cameras:
    """Cameras, and after them those of their mirrored pictures: what numbers of views mean in batches."""
    both = cameras, mirrored_cameras(cameras)
    R, t, K = (torch.cat([getattr(some, name) for some in both]) for name in ("R", "t", "K"))
    return Cameras(R, t, K, cameras.image_size, cameras.projection)
