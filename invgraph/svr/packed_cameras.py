"""Cameras as one tensor, for batches and for files."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras import Cameras


def pack(cameras: Cameras) -> Tensor:
    """(N, 3, 7): R, t and K side by side."""
    return torch.cat([cameras.R, cameras.t[..., None], cameras.K], -1)


def unpack(packed: Tensor, image_size: tuple[int, int]) -> Cameras:
    """Perspective cameras of :func:`pack`'s (N, 3, 7), of pictures of (height, width) pixels.

    Raises:
        ValueError: what is packed is no camera, see :class:`~invgraph.cameras.Cameras`.
    """
    return Cameras(packed[..., :3], packed[..., 3], packed[..., 4:], image_size)
