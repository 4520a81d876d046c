"""A batch's geometry as the kernels take it, its bins, and its gradients gathered to points."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from ._launch import address, kernels, place
from ._memo import corner_order, remembered

TILE = 16  # pixels a side, as kTile in csrc/cuda/tile.h
LIMIT = 2**31  # of tiles and of pairs of face and tile: the kernels count them in 32 bits


class Batch(NamedTuple):
    """Faces that images draw over rows (points, attributes) that are their corners'."""

    faces: Tensor
    ranges: Tensor | None
    images: int
    rows: int
    """Rows an image; packed: all rows."""
    shared_rows: bool = False
    """Whether all images use the same rows (attributes alone may do that)."""

    @property
    def slots(self) -> int:
        """Faces drawn, or all faces if packed."""
        return len(self.faces) if self.ranges is not None else self.images * len(self.faces)

    @property
    def native(self) -> tuple[int, int, int, int, int]:
        """FaceBatch."""
        step = 0 if self.shared_rows else self.rows
        return address(self.faces), address(self.ranges), self.images, len(self.faces), step


def batch_of(points: Tensor, faces: Tensor, ranges: Tensor | None) -> Batch:
    """The batch that draws ``points``, without a look at the indices."""
    images = len(points) if ranges is None else len(ranges)
    return Batch(faces.contiguous(), None if ranges is None else ranges.contiguous(), images, points.shape[-2])


def check_batch(faces: Tensor, ranges: Tensor | None, rows: int) -> None:
    """Check indices and ranges as the CPU kernels' callers do, once a tensor.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """
    if len(faces) >= 2**30:
        raise ValueError(f"faces: expected fewer than 2^30, got {len(faces)}")
    check_bounds("faces", faces, 0, rows, "indices ")
    if ranges is None or ranges.numel() == 0:
        return

    def check() -> None:
        flat = ranges.flatten()
        ends = torch.stack([flat[0], flat[-1], (flat[1:] < flat[:-1]).any().long()]).tolist()
        if ends[0] < 0 or ends[1] > len(faces) or ends[2]:
            raise ValueError(f"ranges: expected ascending, not overlapping ranges within 0..{len(faces)}")

    remembered(ranges, ("ranges", len(faces)), check)


def check_bounds(name: str, index: Tensor, low: int, end: int, what: str = "") -> None:
    """Check that an index tensor is within ``low .. end - 1``, once a tensor."""

    def check() -> None:
        least, most = torch.stack(torch.aminmax(index)).tolist()
        if least < low or most >= end:
            raise ValueError(f"{name}: expected {what}within {low}..{end - 1}, got {least if least < low else most}")

    if index.numel():
        remembered(index, ("bounds", low, end), check)


def bin_faces(name: str, points: Tensor, batch: Batch, margin: float, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The faces that touch each tile, in face order: ``begin (images * tiles + 1)`` int64 and ``faces`` int32.

    Raises:
        ValueError: more than 2^31 tiles, or pairs of face and tile.
        MemoryError: the pairs do not fit in the device's memory.
    """
    tiles = batch.images * math.ceil(height / TILE) * math.ceil(width / TILE)
    if tiles >= LIMIT:
        raise ValueError(f"{name}: expected fewer than 2^31 tiles of {TILE}^2 pixels, got {tiles}")
    arguments = (
        points.dtype == torch.float64,
        place(points),
        batch.native,
        batch.slots,
        address(points),
        points.shape[-1],
        margin,
        height,
        width,
    )
    counts = points.new_empty(batch.slots, dtype=torch.int32)
    kernels().count_tiles(*arguments, address(counts))
    pairs = f"pairs of face and {TILE}^2 tile"
    ends, total = prefix_sum(name, pairs, counts)
    with memory_for(name, pairs, total, points.device):
        tile, face = points.new_empty(2, total, dtype=torch.int32)
        kernels().emit_tiles(*arguments, address(ends), address(tile), address(face))
        return sort_into_bins(tile, face, tiles)


def prefix_sum(name: str, what: str, counts: Tensor) -> tuple[Tensor, int]:
    """The inclusive sums of counts, and their total: the one number that a pass waits for.

    Raises:
        ValueError: more than 2^31 in all.
    """
    ends = counts.cumsum(0)
    total = int(ends[-1]) if len(counts) else 0
    if total >= LIMIT:
        raise ValueError(
            f"{name}: expected fewer than 2^31 {what}, got {total}: draw fewer images at a time, or with less reach"
        )
    return ends, total


@contextmanager
def memory_for(name: str, what: str, total: int, device: torch.device) -> Iterator[None]:
    """Names what did not fit, as a MemoryError, when the device's memory runs out."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(
            f"{name}: {total} {what} do not fit in the memory of {device}: draw fewer images at a time, "
            "or with less reach"
        ) from error


def sort_into_bins(key: Tensor, item: Tensor, bins: int) -> tuple[Tensor, Tensor]:
    """Items by their keys, in their order where keys are equal: ``begin (bins + 1)`` int64, and the items."""
    key, order = torch.sort(key, stable=True)
    begin = torch.searchsorted(key, torch.arange(bins + 1, dtype=key.dtype, device=key.device))
    return begin, item[order]


def gather(values: Tensor, index: Tensor, out: Tensor, *, images: int = 1, repeats: int = 1) -> Tensor:
    """Add the numbers of the corners to the points that they are, in fixed order.

    Args:
        values: ``(images * repeats, corners, N)``.
        index: the points that the corners are, ``corners`` numbers: the same for all images and repeats.
        out: ``(images, groups, >= N)``, any shape of that many numbers; its first N columns are written.
    """
    width, numbers = out.shape[-1], values.shape[-1]
    groups = out.numel() // max(1, images * width)
    order, begin = corner_order(index, groups)
    kernels().gather(
        values.dtype == torch.float64,
        place(values),
        address(order),
        address(begin),
        images,
        groups,
        repeats,
        index.numel(),
        numbers,
        width,
        address(values),
        address(out),
    )
    return out
