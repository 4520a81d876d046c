"""Texture look-up: pictures at texture coordinates, with wrap modes and mip levels."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from .rasterize import Fragments

Wrap = Literal["repeat", "mirror", "clamp"]
Filter = Literal["linear", "nearest", "mipmap"]


def texture(
    image: Tensor,
    uv: Tensor,
    *,
    footprint: Tensor | None = None,
    wrap: Wrap = "repeat",
    filter: Filter = "linear",
    max_level: int | None = None,
) -> Tensor:
    """Look colours up in a picture.

    Texture coordinates are those of obj and OpenGL files: (0, 0) is the picture's bottom-left corner, (1, 1) its
    top-right one, v grows upwards, and row 0 of ``image`` is the top. The centre of the texel in row i and column j is
    ``u = (j + 0.5) / Wt``, ``v = 1 - (i + 0.5) / Ht``.

    ``"mipmap"`` is trilinear: each level halves the one before by area, and between the two levels at
    ``log2 max(|d(u Wt, v Ht)/dx|, |d(u Wt, v Ht)/dy|)`` values are blended linearly (OpenGL 4.6 specification, section
    8.14; Williams, Pyramidal Parametrics, 1983).

    Args:
        image: ``(B, Ht, Wt, C)``, or ``(Ht, Wt, C)`` for all pictures.
        uv: ``(B, H, W, 2)`` of the image's dtype; a coordinate that is not finite looks up 0.
        footprint: ``(B, H, W, 2, 2)`` from :func:`uv_footprint`, for ``"mipmap"``; no gradient flows to it.
        wrap: beyond [0, 1]: ``"repeat"`` (seamless, also for the filter), ``"mirror"`` or ``"clamp"``.
        filter: ``"linear"``, ``"nearest"`` or ``"mipmap"``.
        max_level: highest mip level, 0 is the image itself; None: down to one texel.

    Returns:
        ``(B, H, W, C)``, differentiable with respect to ``image`` and (but for ``"nearest"``, where it is 0) ``uv``.
        On a CPU the gradients are the same bytes on every run and for any number of threads: the work is torch's
        ``grid_sample``, which adds to each picture from one thread. On CUDA torch adds with atomics, in any order.
    """
    if image.dim() not in (3, 4) or 0 in image.shape[-3:-1]:
        raise ValueError(f"image: expected shape (B, Ht, Wt, C) or (Ht, Wt, C), not empty, got {tuple(image.shape)}")
    if not image.is_floating_point():
        raise TypeError(f"image: expected floating point (bytes are / 255), got {image.dtype}")
    if uv.dim() != 4 or uv.shape[-1] != 2 or (image.dim() == 4 and image.shape[0] != uv.shape[0]):
        count = "B" if image.dim() == 3 else image.shape[0]
        raise ValueError(f"uv: expected shape ({count}, H, W, 2), got {tuple(uv.shape)}")
    if uv.dtype != image.dtype:
        raise TypeError(f"uv: expected {image.dtype} as the image is, got {uv.dtype}")
    if uv.device != image.device:
        raise ValueError(f"uv: expected on {image.device} as the image is, got {uv.device}")
    if wrap not in get_args(Wrap):
        raise ValueError(f"wrap: expected one of {get_args(Wrap)}, got {wrap!r}")
    if filter not in get_args(Filter):
        raise ValueError(f"filter: expected one of {get_args(Filter)}, got {filter!r}")
    if max_level is not None and max_level < 0:
        raise ValueError(f"max_level: expected 0 or more, got {max_level}")

    batch, height, width, _ = uv.shape
    if image.dim() == 3:  # one picture, looked up once: its gradient is not made for each of B and then added
        image, uv = image[None], uv.reshape(1, batch * height, width, 2)
        footprint = None if footprint is None else footprint.reshape(1, batch * height, width, 2, 2)
    uv = _wrapped(uv.nan_to_num(0.0, 0.0, 0.0), wrap)
    if filter != "mipmap":
        atlas = _padded(image.movedim(-1, 1), wrap)
        found = _look_up(atlas, uv, image.shape[1:3], 0, filter)
    else:
        if footprint is None or footprint.shape != (*uv.shape[:3], 2, 2):
            got = None if footprint is None else tuple(footprint.shape)
            raise ValueError(f'footprint: expected shape ({batch}, {height}, {width}, 2, 2) for "mipmap", got {got}')
        found = _trilinear(image.movedim(-1, 1), uv, footprint.detach(), wrap, max_level)
    return found.movedim(1, -1).reshape(batch, height, width, image.shape[-1])


def uv_footprint(
    uv: Tensor,
    corners: Tensor,
    faces: Tensor,
    points: Tensor,
    point_faces: Tensor,
    fragments: Fragments,
    *,
    ranges: Tensor | None = None,
) -> Tensor:
    """How far texture coordinates move from a pixel to the next one, exactly: their derivative on the visible face.

    On a face u / z, v / z and 1 / z are affine in the image plane (perspective-correct interpolation), so that
    ``du/dx = z (d(u/z)/dx - u d(1/z)/dx)``: six numbers a face.

    Args:
        uv: ``(B, H, W, 2)``, interpolated at the pixels.
        corners: ``(B, T, 2)``, ``(T, 2)`` or, with ``ranges``, packed ``(T, 2)``: what was interpolated.
        faces: ``(F, 3)`` int64, rows of ``corners``.
        points: ``(B, V, 3)`` or, with ``ranges``, ``(P, 3)``: as given to :func:`rasterize`.
        point_faces: ``(F, 3)`` int64, as given to :func:`rasterize`.
        fragments: of :func:`rasterize`.
        ranges: ``(B, 2)`` int64, as given to :func:`rasterize`.

    Returns:
        ``(B, H, W, 2, 2)``: row u or v, column pixel x or y, without gradient; 0 on background and on faces that have
        no area in the picture.
    """
    with torch.no_grad():
        seen = fragments.face_id >= 0
        face = torch.where(seen, fragments.face_id.long(), 0)
        if not len(faces):
            return uv.new_zeros(*uv.shape, 2)
        inverse_z = 1 / points[..., 2].index_select(-1, point_faces.reshape(-1)).unflatten(-1, (-1, 3, 1))
        place = points[..., :2].index_select(-2, point_faces.reshape(-1)).unflatten(-2, (-1, 3))  # (.., F, 3, 2)
        value = corners.index_select(-2, faces.reshape(-1)).unflatten(-2, (-1, 3)) * inverse_z
        slope = _slopes(place, torch.cat([value, inverse_z.expand_as(value[..., :1])], -1))  # (.., F, 3, 2)
        flat = slope.reshape(-1, 6)
        if ranges is not None:
            face = torch.where(seen, face + ranges[:, 0, None, None], 0)
        elif slope.dim() == 4:
            face = face + torch.arange(len(face), device=face.device)[:, None, None] * len(faces)
        at = flat.index_select(0, face.reshape(-1)).reshape(*face.shape, 3, 2)
        depth = torch.where(seen, fragments.depth, 0.0)[..., None, None]
        return (at[..., :2, :] - uv[..., None] * at[..., 2:, :]) * depth


def _slopes(place: Tensor, value: Tensor) -> Tensor:
    """Derivatives of affine functions given at three corners: ``(.., 3, 2), (.., 3, C) -> (.., C, 2)``."""
    (x1, y1), (x2, y2) = ((place[..., k, :] - place[..., 0, :]).unbind(-1) for k in (1, 2))
    area = x1 * y2 - x2 * y1
    inverse = torch.where(area == 0, 0.0, 1 / area)[..., None]
    first, second = (value[..., k, :] - value[..., 0, :] for k in (1, 2))
    by_x = (first * y2[..., None] - second * y1[..., None]) * inverse
    by_y = (second * x1[..., None] - first * x2[..., None]) * inverse
    return torch.stack([by_x, by_y], -1)


def _wrapped(uv: Tensor, wrap: Wrap) -> Tensor:
    """Coordinates within [0, 1] that stand for the same place; v turned to grow downwards."""
    if wrap == "repeat":
        uv = uv - uv.detach().floor()
    elif wrap == "mirror":
        uv = uv - 2 * (uv.detach() / 2).floor()
        uv = torch.where(uv > 1, 2 - uv, uv)
    else:
        uv = uv.clamp(0, 1)
    return torch.cat([uv[..., :1], 1 - uv[..., 1:]], -1)


def _padded(image: Tensor, wrap: Wrap) -> Tensor:
    """``(B, C, Ht, Wt)`` with the texel beyond each border, so that filtering across it needs no special case."""
    # a mirrored or clamped picture repeats its own outermost texels
    return F.pad(image, (1, 1, 1, 1), mode="circular" if wrap == "repeat" else "replicate")


def _look_up(
    atlas: Tensor, uv: Tensor, size: tuple[Tensor | int, Tensor | int] | torch.Size, top: Tensor | int, filter: Filter
) -> Tensor:
    """Sample padded pictures of (height, width) ``size`` whose padding begins in row ``top`` of the atlas."""
    rows, columns = atlas.shape[-2:]
    x = (uv[..., 0] * size[1] + 1) * (2 / columns) - 1  # grid_sample's [-1, 1] spans the atlas from border to border
    y = (uv[..., 1] * size[0] + (top + 1)) * (2 / rows) - 1
    mode = "nearest" if filter == "nearest" else "bilinear"
    return F.grid_sample(atlas, torch.stack([x, y], -1), mode=mode, padding_mode="border", align_corners=False)


def _trilinear(image: Tensor, uv: Tensor, footprint: Tensor, wrap: Wrap, max_level: int | None) -> Tensor:
    """All levels lie one below the other in one atlas, so that each pixel looks up its two wherever they are."""
    levels = [image]
    while max(levels[-1].shape[-2:]) > 1 and (max_level is None or len(levels) <= max_level):
        height, width = levels[-1].shape[-2:]
        levels.append(F.adaptive_avg_pool2d(levels[-1], (max(1, height // 2), max(1, width // 2))))
    columns = image.shape[-1] + 2
    padded = [_padded(level, wrap) for level in levels]
    atlas = torch.cat([F.pad(level, (0, columns - level.shape[-1])) for level in padded], 2)
    heights, widths = (torch.tensor([level.shape[d] for level in levels]).to(uv) for d in (-2, -1))
    tops = torch.cat([heights.new_zeros(1), (heights + 2).cumsum(0)[:-1]])

    texels = footprint * footprint.new_tensor([image.shape[-1], image.shape[-2]])[:, None]
    longest = torch.linalg.vector_norm(texels, dim=-2).amax(-1).nan_to_num(0.0)
    level = longest.clamp_min(1).log2().clamp_max(len(levels) - 1)
    lower = level.floor().clamp_max(max(0, len(levels) - 2))
    values = []
    for offset in range(min(2, len(levels))):
        index = (lower + offset).long()
        values.append(_look_up(atlas, uv, (heights[index], widths[index]), tops[index], "linear"))
    return values[0] if len(values) == 1 else torch.lerp(values[0], values[1], (level - lower)[:, None])
