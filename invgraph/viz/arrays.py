"""Pictures in any usual form (tensor, array, bool, 8 bit) as float32 tensors on the CPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def as_picture(value: Tensor | np.ndarray, name: str) -> Tensor:
    """``value`` as a float32 CPU tensor in [0, 1], without gradient; bool and 8-bit values are scaled, others clamped.

    Raises:
        TypeError: ``value`` is neither a tensor nor an array.
        ValueError: it holds NaN or infinity.
    """
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(np.ascontiguousarray(value))
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: expected a tensor or an array, got {type(value).__name__}")
    scale = 255.0 if value.dtype == torch.uint8 else 1.0
    value = value.detach().to("cpu", torch.float32) / scale
    if not bool(torch.isfinite(value).all()):
        raise ValueError(f"{name}: expected finite values, got NaN or infinity")
    return value.clamp(0, 1)


def to_bytes(picture: Tensor) -> np.ndarray:
    """8-bit values of a picture in [0, 1], rounded to nearest."""
    return (picture * 255).round().to(torch.uint8).numpy()
