"""Pictures at the size that a network takes."""

from __future__ import annotations

import torch
from torch import Tensor

_WHITE = 0.95


def resized(images: Tensor, size: int) -> Tensor:
    """Square pictures (B, 3 or 4, H, H) in [0, 1] at (B, 3 or 4, size, size).

    Bilinear, without aliases; where there is alpha, which is straight, colours are averaged by it.
    """
    if images.shape[-1] == size:
        return images
    alpha = images[:, 3:]
    layers = torch.cat([images[:, :3] * alpha, alpha], 1) if images.shape[1] == 4 else images
    layers = torch.nn.functional.interpolate(layers, (size, size), mode="bilinear", antialias=True).clamp(0, 1)
    if images.shape[1] == 3:
        return layers
    alpha = layers[:, 3:]
    colours = torch.where(alpha > 0, layers[:, :3] / alpha.clamp_min(1 / 255), 0.0).clamp(0, 1)
    return torch.cat([colours, alpha], 1)


def on_white(images: Tensor) -> Tensor:
    """RGB pictures (B, 3, H, W) as they are, straight RGBA ones (B, 4, H, W) over white."""
    if images.shape[1] == 3:
        return images
    return images[:, :3] * images[:, 3:] + 1 - images[:, 3:]


def with_alpha(images: Tensor) -> Tensor:
    """Pictures (B, 4, H, W); those (B, 3, H, W) get an alpha of 1 wherever they are not white, as far as jpg tells."""
    if images.shape[1] == 4:
        return images
    return torch.cat([images, (images.amin(1, keepdim=True) < _WHITE).to(images)], 1)
