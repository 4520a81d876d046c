"""Texture look-up: pictures at texture coordinates, with wrap modes and mip levels."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from ._precision import full_precision
from .rasterize import Fragments

Wrap = Literal["repeat", "mirror", "clamp"]
Filter = Literal["linear", "nearest", "mipmap"]


@full_precision
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
        found = _single(image.movedim(-1, 1), uv, wrap, filter)
    else:
        if footprint is None or footprint.shape != (*uv.shape[:3], 2, 2):
            got = None if footprint is None else tuple(footprint.shape)
            raise ValueError(f'footprint: expected shape ({batch}, {height}, {width}, 2, 2) for "mipmap", got {got}')
        found = _trilinear(image.movedim(-1, 1), uv, footprint.detach(), wrap, max_level)
    return found.movedim(1, -1).reshape(batch, height, width, image.shape[-1])


@full_precision
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


def _single(image: Tensor, uv: Tensor, wrap: Wrap, filter: Filter) -> Tensor:
    """One look-up in the picture itself, ``(B, C, Ht, Wt)``."""
    at = 2 * uv - 1  # grid_sample's [-1, 1] spans the picture from border to border
    if filter == "nearest":
        return F.grid_sample(image, at, mode="nearest", padding_mode="border", align_corners=False)
    if wrap != "repeat":  # beyond its border a mirrored or clamped picture goes on with its outermost texels
        return F.grid_sample(image, at, padding_mode="border", align_corners=False)
    # the four texels around a place near the border lie in up to four copies of the picture: look all of them up, of
    # which each gives what it has and 0 for what lies beyond it, instead of making a larger picture
    beside = torch.where(at.detach() < 0, at + 2, at - 2)
    places = [torch.stack([x[..., 0], y[..., 1]], -1) for x in (at, beside) for y in (at, beside)]
    found = F.grid_sample(image, torch.cat(places, 1), padding_mode="zeros", align_corners=False)
    return found.unflatten(2, (4, -1)).sum(2)


def _trilinear(image: Tensor, uv: Tensor, footprint: Tensor, wrap: Wrap, max_level: int | None) -> Tensor:
    """The levels above the picture lie one below the other in one atlas, where each pixel finds its own."""
    levels = [image]
    while max(levels[-1].shape[-2:]) > 1 and (max_level is None or len(levels) <= max_level):
        levels.append(_halved(levels[-1]))
    picture = _single(image, uv, wrap, "linear")
    if len(levels) == 1:
        return picture
    texels = footprint * footprint.new_tensor([image.shape[-1], image.shape[-2]])[:, None]
    longest = torch.linalg.vector_norm(texels, dim=-2).amax(-1).nan_to_num(0.0)
    level = longest.clamp_min(1).log2().clamp_max(len(levels) - 1)
    lower = level.floor().clamp_max(len(levels) - 2)

    del levels[0]
    columns = levels[0].shape[-1] + 2
    atlas = torch.cat([F.pad(_padded(x, wrap), (0, columns - x.shape[-1] - 2)) for x in levels], 2)
    heights, widths = (torch.tensor([x.shape[d] for x in levels]).to(uv) for d in (-2, -1))
    tops = (heights + 2).cumsum(0) - heights - 1  # of each level's own texels, below its padding
    places = []
    for index in (lower.long() - 1).clamp_min(0), lower.long():
        x = (uv[..., 0] * widths[index] + 1) * (2 / columns) - 1
        y = (uv[..., 1] * heights[index] + tops[index]) * (2 / atlas.shape[-2]) - 1
        places.append(torch.stack([x, y], -1))
    found = F.grid_sample(atlas, torch.cat(places, 1), padding_mode="border", align_corners=False)
    fine, coarse = found.chunk(2, 2)
    return torch.lerp(torch.where((lower < 1)[:, None], picture, fine), coarse, (level - lower)[:, None])


def _halved(image: Tensor) -> Tensor:
    """The next mip level: half the height and width, rounded down, by area."""
    height, width = image.shape[-2:]
    if height % 2 == 0 and width % 2 == 0:
        return F.avg_pool2d(image, 2)
    return F.adaptive_avg_pool2d(image, (max(1, height // 2), max(1, width // 2)))


def _padded(image: Tensor, wrap: Wrap) -> Tensor:
    """``(B, C, Ht, Wt)`` with the texel beyond each border, which keeps the levels of the atlas apart."""
    for dim in (-2, -1):
        size = image.shape[dim]
        index = torch.arange(-1, size + 1, device=image.device)
        index = index % size if wrap == "repeat" else index.clamp(0, size - 1)
        image = image.index_select(dim, index)
    return image
