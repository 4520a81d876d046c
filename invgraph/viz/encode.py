"""Pictures and videos as data URIs, for pages that carry everything in themselves."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import torch
from torch import Tensor

from .arrays import to_bytes


def picture_uri(picture: Tensor, *, photograph: bool) -> str:
    """A picture (H, W) or (H, W, 3) in [0, 1] as a data URI: JPEG for photographs and shading, PNG for flat colours."""
    from PIL import Image

    image = Image.fromarray(to_bytes(picture))
    buffer = io.BytesIO()
    if photograph:
        image.save(buffer, "JPEG", quality=84, optimize=True)
        return _uri("image/jpeg", buffer.getvalue())
    if image.mode == "RGB":
        # an overlay mixes four colours: 64 show it without visible steps in a third of the bytes
        image = image.quantize(64, dither=Image.Dither.NONE)
    image.save(buffer, "PNG", optimize=True)
    return _uri("image/png", buffer.getvalue())


def video_uri(path: Path) -> str:
    """An MP4 file as a data URI."""
    return _uri("video/mp4", path.read_bytes())


def fitted(picture: Tensor, side: int) -> Tensor:
    """(H, W) or (H, W, C) area-averaged down so that its longer side is at most ``side``; never enlarged."""
    height, width = picture.shape[:2]
    if max(height, width) <= side:
        return picture
    scale = side / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    planes = picture[None, None] if picture.ndim == 2 else picture.movedim(-1, 0)[None]
    small = torch.nn.functional.adaptive_avg_pool2d(planes, size)[0]
    return small[0] if picture.ndim == 2 else small.movedim(0, -1)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
