"""Error overlays: where a silhouette agrees with its mask, where it misses some and where it has too much."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .arrays import as_picture

# told apart also without red-green vision, and by brightness in print
MISSING = (0.22, 0.52, 1.0)
EXTRA = (0.96, 0.30, 0.22)
AGREEMENT = (0.60, 0.60, 0.60)
UNKNOWN = (0.30, 0.25, 0.13)
BACKGROUND = (0.071, 0.078, 0.094)


def overlay(
    mask: Tensor | np.ndarray, alpha: Tensor | np.ndarray, *, known: Tensor | np.ndarray | None = None
) -> Tensor:
    """Colour the error of a silhouette: missing blue, extra red, agreement grey, unknown pixels ochre, on near-black.

    Soft values mix the colours in proportion: agreement ``min(m, a)``, missing ``max(m - a, 0)``, extra
    ``max(a - m, 0)``, background the rest.

    Args:
        mask: (..., H, W) true coverage in [0, 1].
        alpha: (..., H, W) rendered coverage in [0, 1].
        known: (..., H, W) bool, False where the truth is unknown; None = all known.

    Returns:
        (..., H, W, 3) float32 in [0, 1], on the CPU.
    """
    m, a = as_picture(mask, "mask"), as_picture(alpha, "alpha")
    if m.shape != a.shape or m.ndim < 2:
        raise ValueError(f"alpha: expected the shape (..., H, W) of mask {tuple(m.shape)}, got {tuple(a.shape)}")
    parts = torch.stack([torch.minimum(m, a), (m - a).clamp(min=0), (a - m).clamp(min=0), 1 - torch.maximum(m, a)], -1)
    picture = parts @ torch.tensor([AGREEMENT, MISSING, EXTRA, BACKGROUND])
    if known is None:
        return picture
    k = as_picture(known, "known")
    if k.shape != m.shape:
        raise ValueError(f"known: expected the shape of mask {tuple(m.shape)}, got {tuple(k.shape)}")
    return torch.where(k[..., None] > 0.5, picture, torch.tensor(UNKNOWN))
