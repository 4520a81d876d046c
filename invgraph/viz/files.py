"""Pictures as files."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from torch import Tensor

from ..atomic import write_atomically
from ..errors import InputError
from .arrays import as_picture, to_bytes


def save_picture(path: str | os.PathLike[str], image: Tensor | np.ndarray) -> None:
    """Write one picture as a png of 8 bits a channel, rounded to nearest, without any curve.

    The file is written beside its destination and then renamed: whatever was there stays until the new one is whole.

    Args:
        path: file ending in .png, in a folder that exists.
        image: ``(H, W)`` or ``(H, W, 1)`` grey, ``(H, W, 3)`` red, green and blue, ``(H, W, 4)`` with straight alpha;
            in [0, 1], beyond it is clamped. Bool and 8-bit values are taken as they are.

    Raises:
        TypeError: ``image`` is neither a tensor nor an array.
        ValueError: it has another shape, no pixels, or values that are not finite.
        InputError: another ending, or a folder that is missing or cannot be written.
    """
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: expected a picture file ending in .png")
    picture = as_picture(image, "image")
    if picture.ndim == 3 and picture.shape[-1] == 1:
        picture = picture[..., 0]
    if not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[-1] in (3, 4))) or 0 in picture.shape:
        raise ValueError(f"image: expected (H, W), or (H, W, C) with C = 1, 3, 4, not empty; got {tuple(image.shape)}")
    data = io.BytesIO()
    Image.fromarray(to_bytes(picture)).save(data, format="png")
    write_atomically(path, data.getvalue())
