"""What the readers of mesh files hand over, before it is checked and becomes a Mesh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..ops.texture import Wrap


@dataclass
class RawMesh:
    """Vertices and faces as a file has them, and at most one kind of appearance besides."""

    verts: np.ndarray
    """``(V, 3)``."""
    faces: np.ndarray
    """``(F, 3)`` int64."""
    vertex_colors: np.ndarray | None = None
    """``(V, C)`` float32."""
    face_colors: np.ndarray | None = None
    """``(F, C)`` float32."""
    uv: np.ndarray | None = None
    """``(T, 2)`` float32, (0, 0) at the bottom left."""
    uv_faces: np.ndarray | None = None
    """``(F, 3)`` int64."""
    image: np.ndarray | None = None
    """``(Ht, Wt, C)`` float32."""
    wrap: Wrap = "repeat"


def read_picture(file: Path) -> np.ndarray:
    """A picture file as ``(H, W, 3)`` float32 in [0, 1]."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            return picture_array(picture)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InputError(f"{file}: not a readable picture ({str(error)[:120]})") from error


def picture_array(picture: Any) -> np.ndarray:
    """A PIL picture as ``(H, W, 3)`` float32 in [0, 1], without transparency."""
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits of grey
        grey = np.asarray(picture, np.float32) / np.float32(65535)
        return np.repeat(grey[..., None].clip(0, 1), 3, axis=-1)
    return as_floats(picture.convert("RGB"))


def as_floats(colors: Any) -> np.ndarray:
    """Bytes ``(..., 3 or more)`` as float32 in [0, 1]; alpha is left out, as surfaces are drawn opaque."""
    return np.ascontiguousarray(np.asarray(colors)[..., :3], np.float32) / np.float32(255)
