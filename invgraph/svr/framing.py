"""Where silhouettes lie in the pictures that a network learned from, and how to bring others there."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError

_COVERED = 0.5
_SLACK = 0.02  # of the picture's side: a pixel or so of 64
_SMALLEST = 0.02  # of the picture's side: no data set shows its objects smaller
_PIECE = 0.02  # smaller ones, by their share of the silhouette, are crumbs


@dataclass(frozen=True)
class Framing:
    """How large silhouettes are in square pictures, and where. Lengths are shares of the picture's side.

    Attributes:
        size: of the longer side of the silhouette's bounding box: least, median, most.
        offset: most that the middle of the box lies beside that of the picture, along either axis.
        area: of the picture that is covered: least, most.
        aspect: most of the box's longer side over its shorter one.
    """

    size: tuple[float, float, float] = (0.35, 0.70, 0.96)
    offset: float = 0.10
    area: tuple[float, float] = (0.015, 0.60)
    aspect: float = 7.0

    @staticmethod
    def of(alphas: Tensor) -> Framing:
        """The framing of pictures (N, H, H), uint8 or in [0, 1], without the extreme 1% of each figure."""
        masks = alphas >= (128 if alphas.dtype == torch.uint8 else _COVERED)
        if masks.ndim != 3 or not len(masks) or masks.shape[1] != masks.shape[2]:
            raise ValueError(f"alphas: expected shape (N, H, H), got {tuple(alphas.shape)}")
        boxes = [_Box.of(mask) for mask in masks if bool(mask.any())]
        if not boxes:
            raise ValueError("alphas: expected silhouettes, got none")
        side = masks.shape[1]
        size = torch.tensor([box.longest / side for box in boxes]).quantile(torch.tensor([0.01, 0.5, 0.99])).tolist()
        area = torch.tensor([box.area / side**2 for box in boxes]).quantile(torch.tensor([0.01, 0.99])).tolist()
        offset, aspect = (
            float(torch.tensor(values).quantile(0.99))
            for values in ([box.offset(side, side) / side for box in boxes], [box.aspect for box in boxes])
        )
        return Framing((size[0], size[1], size[2]), offset, (area[0], area[1]), aspect)

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Framing:
        """From what :meth:`plain` gave, as a checkpoint keeps it.

        Raises:
            InputError: something else.
        """
        try:
            size, area = (tuple(float(v) for v in values[name]) for name in ("size", "area"))
            offset, aspect = float(values["offset"]), float(values["aspect"])
            finite = all(map(math.isfinite, (*size, *area, offset, aspect)))
            if finite and len(size) == 3 and len(area) == 2 and _SMALLEST <= size[1] <= 1:
                return Framing((size[0], size[1], size[2]), offset, area, aspect)
        except (KeyError, TypeError, ValueError):
            pass
        raise InputError(f"framing: expected {', '.join(Framing().plain())}, got {values!r}")

    def plain(self) -> dict[str, Any]:
        """Plain values, by name."""
        values = dataclasses.asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True)
class Framed:
    """A picture as the network sees it."""

    image: Tensor
    """(4, S, S) straight RGBA in [0, 1], black where alpha is 0."""
    warnings: tuple[str, ...]
    """What is unlike the pictures that the network learned from, in words."""
    cropped: bool
    """Whether the picture was cropped or padded, to make its silhouette as large as theirs."""


def frame_picture(picture: Tensor, framing: Framing, image_size: int) -> Framed:
    """Crop, pad and resize a picture so that its silhouette lies as in the training set.

    A square picture whose silhouette already does is only resized.

    Args:
        picture: (H, W, 4) straight RGBA in [0, 1], of any size.
        framing: of the training set.
        image_size: pixels along a side of the result.

    Raises:
        InputError: a silhouette that is empty, or fills the whole picture.
    """
    if picture.ndim != 3 or picture.shape[-1] != 4:
        raise ValueError(f"picture: expected shape (H, W, 4), got {tuple(picture.shape)}")
    height, width = picture.shape[:2]
    mask = picture[..., 3] >= _COVERED
    if not bool(mask.any()):
        raise InputError("the mask is empty: no pixel of the object")
    if bool(mask.all()):
        raise InputError("the mask is full: no pixel of background, an alpha channel or mask must tell the object")
    box = _Box.of(mask)
    found = _oddities(mask, box, framing, image_size)
    share = box.longest / max(height, width)
    fits = height == width and framing.size[0] - _SLACK <= share <= framing.size[2] + _SLACK
    if fits and box.offset(height, width) <= (framing.offset + _SLACK) * height:
        window = (0, 0, height)
    else:
        side = max(1, round(box.longest / framing.size[1]))
        window = (round(box.middle[0] - side / 2), round(box.middle[1] - side / 2), side)
    image = _resized(_window(picture, *window), image_size)
    return Framed(image, tuple(found), cropped=window != (0, 0, height) or height != width)


@dataclass(frozen=True)
class _Box:
    """The bounding box of a silhouette, in pixels."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    area: int

    @staticmethod
    def of(mask: Tensor) -> _Box:
        rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
        return _Box((int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1), int(mask.sum()))

    @property
    def sides(self) -> tuple[int, int]:
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def longest(self) -> int:
        return max(self.sides)

    @property
    def aspect(self) -> float:
        return self.longest / min(self.sides)

    @property
    def middle(self) -> tuple[float, float]:
        return sum(self.rows) / 2, sum(self.columns) / 2

    def offset(self, height: int, width: int) -> float:
        return max(abs(self.middle[0] - height / 2), abs(self.middle[1] - width / 2))


def _oddities(mask: Tensor, box: _Box, framing: Framing, image_size: int) -> list[str]:
    """What is unlike the training set, whatever the crop."""
    from scipy import ndimage

    found = []
    # a thin object of few pixels may end beside the border; one that is cut off has many there
    edges = {"top": mask[0], "bottom": mask[-1], "left": mask[:, 0], "right": mask[:, -1]}
    cut = [name for name, edge in edges.items() if int(edge.sum()) > max(1, 0.05 * box.longest)]
    if cut:
        found.append(f"the object is cut off at the picture's border ({', '.join(cut)})")
    if box.longest < 0.5 * framing.size[1] * image_size:
        found.append(
            f"the object is only {box.longest} pixels long, the network sees {framing.size[1] * image_size:.0f}"
        )
    labels, _ = ndimage.label(mask.numpy(), structure=[[1] * 3] * 3)
    pieces = torch.from_numpy(labels).flatten().bincount()[1:]
    large = int((pieces > _PIECE * box.area).sum())
    if large > 1:
        found.append(f"the mask has {large} separate pieces: is it of one object alone?")
    if box.aspect > 1.2 * framing.aspect:
        found.append(
            f"the silhouette is {box.aspect:.1f} times as long as wide, in training at most {framing.aspect:.1f}"
        )
    filling = box.area / (box.longest / framing.size[1]) ** 2
    least, most = framing.area
    if not 0.8 * least <= filling <= 1.2 * most:
        found.append(
            f"the silhouette would cover {100 * filling:.1f}% of the picture, in training {100 * least:.1f}% to "
            f"{100 * most:.1f}%"
        )
    return found


def _window(picture: Tensor, top: int, left: int, side: int) -> Tensor:
    """A square part of a picture, (side, side, 4), transparent where it goes beyond it."""
    height, width = picture.shape[:2]
    part = picture.new_zeros((side, side, 4))
    first, begin = max(top, 0), max(left, 0)
    last, end = min(top + side, height), min(left + side, width)
    part[first - top : last - top, begin - left : end - left] = picture[first:last, begin:end]
    return part


def _resized(picture: Tensor, size: int) -> Tensor:
    """(S, S, 4) straight -> (4, size, size) straight: colours are averaged by their alpha."""
    picture = picture.float()
    layers = torch.cat([picture[..., :3] * picture[..., 3:], picture[..., 3:]], -1).movedim(-1, 0)[None]
    if layers.shape[-1] != size:
        layers = torch.nn.functional.interpolate(layers, (size, size), mode="bilinear", antialias=True)
    layers = layers[0].clamp(0, 1)
    alpha = layers[3:]
    return torch.cat([torch.where(alpha > 0, layers[:3] / alpha.clamp_min(1 / 255), 0.0).clamp(0, 1), alpha])
