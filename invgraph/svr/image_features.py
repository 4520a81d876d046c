"""What a picture looks like, as a vector, without a network: for retrieval."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_ORIENTATIONS, _CELLS, _PARTS = 8, 8, 16
_LUMA = (0.299, 0.587, 0.114)


def image_features(images: Tensor) -> Tensor:
    """The silhouette at 16x16, and histograms of oriented gradients in 8x8 cells (Dalal and Triggs, CVPR 2005).

    Both have unit length, so that they weigh the same.

    Args:
        images: (B, 4, H, W) straight RGBA in [0, 1].

    Returns:
        (B, 768) float32.

    Raises:
        ValueError: another shape.
    """
    if images.ndim != 4 or images.shape[1] != 4:
        raise ValueError(f"images: expected shape (B, 4, H, W), got {tuple(images.shape)}")
    images = images.float()
    alpha = images[:, 3:]
    silhouette = torch.nn.functional.adaptive_avg_pool2d(alpha, _PARTS).flatten(1)
    # before grey, so that dark and light surfaces both stand out against it
    luma = (images[:, :3] * images.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True) * alpha + 0.5 * (1 - alpha)
    padded = torch.nn.functional.pad(luma, (1, 1, 1, 1), mode="replicate")
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    turn = (torch.atan2(down, across) / math.pi % 1.0) * _ORIENTATIONS  # a direction and its opposite are one
    strength = (across.square() + down.square()).sqrt()
    layers = []
    for k in range(_ORIENTATIONS):  # each gradient is shared between its two nearest orientations
        apart = (turn - k).abs()
        layers.append(strength * (1 - torch.minimum(apart, _ORIENTATIONS - apart)).clamp_min(0))
    cells = torch.nn.functional.adaptive_avg_pool2d(torch.cat(layers, 1), _CELLS).flatten(1).sqrt()
    unit = torch.nn.functional.normalize
    return torch.cat([unit(silhouette), unit(cells)], 1)
