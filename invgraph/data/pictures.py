"""Picture files -> tensors: decoded in parallel, checked against the camera file, undistorted, scaled down."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .frames import BadFile, Frame, Scan
from .views import area_resize

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG", ".tif", ".tiff", ".webp", ".bmp")


@dataclass
class Picture:
    """A decoded frame, on its final pixel grid.

    Attributes:
        frame: the frame it belongs to.
        K: (3, 3) float64, of the picture as it is now (scaled down or not), without distortion.
        color: (H, W, 3) in [0, 1], or None where it was not kept.
        alpha: (H, W) in [0, 1] where the image file has an alpha channel, or None.
        mask: (H, W) in [0, 1] from the mask file, or None.
        known: (H, W) bool, False on the border that undistortion leaves; None where all pixels are known.
    """

    frame: Frame
    K: np.ndarray
    color: Tensor | None
    alpha: Tensor | None
    mask: Tensor | None
    known: Tensor | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        layer = next(x for x in (self.color, self.mask, self.alpha) if x is not None)
        return layer.shape[0], layer.shape[1]


def decode(scan: Scan, masks: Sequence[Path | None], max_size: int | None, *, keep_color: bool) -> list[Picture]:
    """All frames of a scan that can be decoded, in order; the others become errors among the scan's findings.

    Args:
        masks: for each frame the mask file to read, or None.
        max_size: pictures whose longer side exceeds this many pixels are area-averaged down to it.
        keep_color: False drops the colour of a picture as soon as a mask or alpha says where the object is.
    """

    def one(job: tuple[Frame, Path | None]) -> Picture | BadFile:
        try:
            picture = _decode(*job, max_size)
        except BadFile as e:
            return e
        if not keep_color and (picture.mask is not None or informative(picture.alpha)):
            picture.color = None
        return picture

    # decoding releases the GIL; torch's own threads below would multiply with these, hence the modest number
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        results = list(pool.map(one, zip(scan.frames, masks)))
    scan.findings += [result.finding for result in results if isinstance(result, BadFile)]
    return [result for result in results if isinstance(result, Picture)]


def informative(alpha: Tensor | None) -> bool:
    """Whether an alpha channel tells object from background at all: some pixel is not opaque."""
    return alpha is not None and bool((alpha < 0.5).any())


def _decode(frame: Frame, mask_file: Path | None, max_size: int | None) -> Picture:
    color, alpha = read_image(frame.image)
    mask = read_mask(mask_file) if mask_file is not None else None
    H, W = size = color.shape[0], color.shape[1]
    if frame.size is not None and size != frame.size:
        raise BadFile(frame.image, f"the image is {W}x{H} pixels, the camera file says {frame.size[1]}x{frame.size[0]}")
    if mask_file is not None and mask is not None and tuple(mask.shape) != size:
        raise BadFile(mask_file, f"the mask is {mask.shape[1]}x{mask.shape[0]} pixels, its image {W}x{H}")
    picture = Picture(frame, frame.K.copy(), color, alpha, mask, None)
    if frame.distortion is not None:
        _undistort(picture, frame.distortion)
    if max_size is not None and max(size) > max_size:
        _shrink(picture, max_size)
    return picture


def _layers(picture: Picture) -> Tensor:
    """(C, H, W): colour, alpha and mask on top of each other, those that there are."""
    color = () if picture.color is None else picture.color.unbind(-1)
    return torch.stack([x for x in (*color, picture.alpha, picture.mask) if x is not None])


def _set_layers(picture: Picture, layers: Tensor) -> None:
    rest = list(layers.clamp(0, 1).unbind(0))
    if picture.color is not None:
        picture.color, rest = torch.stack(rest[:3], -1), rest[3:]
    if picture.alpha is not None:
        picture.alpha = rest.pop(0)
    if picture.mask is not None:
        picture.mask = rest.pop(0)


def _undistort(picture: Picture, coefficients: np.ndarray) -> None:
    """Resample onto the pinhole image with the same K (bilinear); what came from outside the picture is unknown.

    So is what lies beyond the fold of a lens polynomial: there it runs back inwards and would show the middle twice.
    """
    from kornia.geometry import undistort_image
    from kornia.geometry.calibration import distort_points

    K = torch.from_numpy(picture.K).clone()
    K[:2, 2] -= 0.5  # kornia, like OpenCV, puts the centre of the first pixel at 0
    lens = torch.from_numpy(coefficients)
    H, W = picture.size
    v, u = torch.meshgrid(torch.arange(H).double(), torch.arange(W).double(), indexing="ij")
    source = distort_points(torch.stack([u, v], -1).reshape(1, -1, 2), K[None], lens[None]).reshape(H, W, 2)
    (xv, xu), (yv, yu) = (torch.gradient(axis) for axis in source.unbind(-1))
    folded = xu * yv - xv * yu <= 0
    layers = _layers(picture)
    stack = torch.cat([layers, torch.ones_like(layers[:1])]).double()
    stack = undistort_image(stack[None], K[None], lens[None])[0].float()
    known = (stack[-1] > 0.999) & ~folded
    _set_layers(picture, stack[:-1] * known)
    picture.known = known


def _shrink(picture: Picture, max_size: int) -> None:
    H, W = picture.size
    scale = max_size / max(H, W)
    h, w = max(1, round(H * scale)), max(1, round(W * scale))
    _set_layers(picture, area_resize(_layers(picture), (h, w)))
    if picture.known is not None:
        # a pixel is known where all that it averages is
        picture.known = area_resize(picture.known.float()[None], (h, w))[0] > 0.999
    picture.K[:2] *= [[w / W], [h / H]]


def picture_size(path: Path) -> tuple[int, int] | None:
    """(height, width) from the picture's header, or None where it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.height, picture.width
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def read_image(path: Path) -> tuple[Tensor, Tensor | None]:
    """(H, W, 3) colour and, where the file has one, (H, W) alpha; float32 in [0, 1]. Raises `BadFile`."""
    pixels = _pixels(path)
    color = pixels[..., :1].expand(-1, -1, 3) if pixels.shape[-1] < 3 else pixels[..., :3]
    return color.contiguous(), pixels[..., -1].contiguous() if pixels.shape[-1] in (2, 4) else None


def read_mask(path: Path) -> Tensor:
    """(H, W) float32 in [0, 1] from a grey, colour (brightest channel) or RGBA (alpha, unless opaque) mask file.

    Raises `BadFile`. A file whose pixels are all 0 or 1 out of 255 holds labels, and 1 is the object.
    """
    pixels = _pixels(path)
    channels = pixels.shape[-1]
    if channels in (2, 4) and bool((pixels[..., -1] < 1).any()):
        return pixels[..., -1].contiguous()
    mask = pixels[..., : 3 if channels >= 3 else 1].amax(-1)
    label = 1 / 255
    return (mask / label).round() if 0 < float(mask.max()) <= label * 1.001 else mask


def _pixels(path: Path) -> Tensor:
    """(H, W, C) float32 in [0, 1] with C = 1 (grey), 2 (grey, alpha), 3 or 4."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith("I") or picture.mode == "F":
                deep = np.array(picture, dtype=np.float32)
                return torch.from_numpy(deep / (65535.0 if deep.max(initial=0) > 1 else 1.0)).clamp(0, 1)[..., None]
            palette_alpha = "transparency" in picture.info
            grey = picture.mode in ("1", "L", "LA") and not palette_alpha
            has_alpha = palette_alpha or picture.mode in ("LA", "RGBA", "PA", "La", "RGBa")
            mode = ("LA" if has_alpha else "L") if grey else ("RGBA" if has_alpha else "RGB")
            array = np.array(picture.convert(mode))
    except FileNotFoundError as e:
        raise BadFile(path, "the image file does not exist") from e
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as e:
        raise BadFile(path, f"the image file cannot be decoded: {e}") from e
    pixels = torch.from_numpy(array).float() / 255.0
    return pixels if pixels.ndim == 3 else pixels[..., None]
