"""Contact sheets: many pictures of one size in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .arrays import as_picture


def contact_sheet(
    images: Tensor | np.ndarray | Sequence[Tensor | np.ndarray],
    *,
    columns: int | None = None,
    gap: int = 4,
    background: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Tensor:
    """Pictures in a grid, row by row.

    Args:
        images: (N, H, W), (N, H, W, 1), (N, H, W, 3) or (N, H, W, 4, straight alpha), or a sequence of N such
            pictures of one height and width; grey and colour may be mixed.
        columns: pictures in a row; None makes the sheet about as wide as high.
        gap: pixels between and around the pictures.
        background: colour of the gaps, of empty places and behind transparent pixels.

    Returns:
        (H', W', 3) float32 in [0, 1], on the CPU.

    Raises:
        ValueError: no pictures, shapes that differ, or a count of columns or gap that makes no sense.
    """
    if len(images) == 0:
        raise ValueError("images: expected at least one picture, got none")
    base = torch.tensor(background, dtype=torch.float32)
    pictures = [_colour(as_picture(image, f"images[{i}]"), base, i) for i, image in enumerate(images)]
    sizes = {tuple(picture.shape[:2]) for picture in pictures}
    if len(sizes) > 1:
        raise ValueError(f"images: expected one height and width, got {sorted(sizes)}")
    if gap < 0 or (columns is not None and columns < 1):
        raise ValueError(f"columns, gap: expected at least 1 and 0, got {columns} and {gap}")
    height, width = pictures[0].shape[:2]
    if columns is None:
        columns = max(1, round(math.sqrt(len(pictures) * height / width)))
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = base.repeat(rows * (height + gap) + gap, columns * (width + gap) + gap, 1)
    for i, picture in enumerate(pictures):
        top, left = (i // columns) * (height + gap) + gap, (i % columns) * (width + gap) + gap
        sheet[top : top + height, left : left + width] = picture
    return sheet


def _colour(picture: Tensor, background: Tensor, index: int) -> Tensor:
    if picture.ndim == 2:
        picture = picture[..., None]
    if picture.ndim != 3 or picture.shape[-1] not in (1, 3, 4):
        raise ValueError(f"images[{index}]: expected (H, W), or (H, W, C) with C = 1, 3, 4; got {tuple(picture.shape)}")
    if picture.shape[-1] == 4:
        return picture[..., :3] * picture[..., 3:] + background * (1 - picture[..., 3:])
    return picture.expand(-1, -1, 3)
