"""What every primitive checks and passes on: points, faces, and which faces belong to which image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import _native

MAX_SIZE = 32768  # pixels a side: tile numbers are 16 bits


def check_drawing(points: Tensor, faces: Tensor, ranges: Tensor | None, size: tuple[int, int], channels: int) -> None:
    """Check shapes and dtypes of a primitive's geometry; cheap, and traced away by ``torch.compile``.

    Raises:
        ValueError, TypeError: naming the argument, what was expected and what came.
    """
    for name, value in (("points", points), ("faces", faces), ("ranges", ranges)):
        if not isinstance(value, Tensor) and not (value is None and name == "ranges"):
            raise TypeError(f"{name}: expected a tensor, got {type(value).__name__}")
    names = "(u, v)" if channels == 2 else "(u, v, depth)"
    dims = 3 if ranges is None else 2
    layout = "(B, V, {})" if ranges is None else "(P, {}) with ranges"
    if points.dim() != dims or points.shape[-1] != channels:
        raise ValueError(
            f"points: expected shape {layout.format(channels)} holding {names} in pixels, got {tuple(points.shape)}"
        )
    if points.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"points: expected float32 or float64, got {points.dtype}")
    if faces.dim() != 2 or faces.shape[1] != 3:
        raise ValueError(f"faces: expected shape (F, 3), got {tuple(faces.shape)}")
    if faces.dtype != torch.int64:
        raise TypeError(f"faces: expected int64, got {faces.dtype}")
    if ranges is not None:
        if ranges.dim() != 2 or ranges.shape[1] != 2:
            raise ValueError(f"ranges: expected shape (B, 2), first and last + 1 face, got {tuple(ranges.shape)}")
        if ranges.dtype != torch.int64:
            raise TypeError(f"ranges: expected int64, got {ranges.dtype}")
    for name, tensor in (("faces", faces), ("ranges", ranges)):
        if tensor is not None and tensor.device != points.device:
            raise ValueError(f"{name}: expected on {points.device} as points are, got {tensor.device}")
    check_image_size(size)


def check_image_size(size: tuple[int, int]) -> None:
    """Two whole numbers of pixels within what tiles can count.

    Raises:
        ValueError, TypeError: anything else.
    """
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise TypeError(f"image_size: expected (height, width), got {size!r}")
    for pixels in size:
        if not hasattr(pixels, "__index__") or isinstance(pixels, bool):
            raise TypeError(f"image_size: expected two integers, got {size!r}")
        if not 1 <= pixels <= MAX_SIZE:
            raise ValueError(f"image_size: expected (height, width) within 1..{MAX_SIZE}, got {tuple(size)}")


def check_softness(name: str, value: float, points: Tensor, unit: str = "squared pixels") -> float:
    """A positive number, also in the points' own precision, in which the kernels divide by it.

    Raises:
        ValueError, TypeError: anything else, a tensor whose gradient would be lost too.
    """
    if not hasattr(value, "__float__") or (isinstance(value, Tensor) and value.requires_grad):
        raise TypeError(f"{name}: expected a number, which gets no gradient, got {value!r}")
    limits = torch.finfo(points.dtype)
    if not limits.tiny <= value <= limits.max:
        raise ValueError(f"{name}: expected a positive number of {unit}, in {points.dtype}, got {value}")
    return float(value)


def image_count(points: Tensor, ranges: Tensor | None) -> int:
    """Number of images that the batch draws."""
    return points.shape[0] if ranges is None else ranges.shape[0]


def native_batch(
    points: Tensor, faces: Tensor, ranges: Tensor | None, *, checked: bool = False
) -> tuple[int, int, int, int, int]:
    """The native module's FaceBatch, after the checks that need the data: indices and ranges within bounds.

    ``faces`` and ``ranges`` must be dense and outlive the call. ``checked``: they were, by the forward.
    """
    count = points.shape[-2]
    if not checked:
        check_indices("faces", faces, 0, count)
        if len(faces) >= 2**30:
            raise ValueError(f"faces: expected fewer than 2^30, got {len(faces)}")
        if ranges is not None and not _native.ranges_ascend(ranges.data_ptr(), len(ranges), len(faces)):
            raise ValueError(f"ranges: expected ascending, not overlapping ranges within 0..{len(faces)}")
    if ranges is None:
        return faces.data_ptr(), 0, points.shape[0], len(faces), count
    return faces.data_ptr(), ranges.data_ptr(), len(ranges), len(faces), count


def check_edges(points: Tensor, edges: Tensor, edge_faces: Tensor) -> None:
    """Check shapes and dtypes of a primitive's edges, as :func:`check_drawing` does for faces."""
    for name, tensor in (("edges", edges), ("edge_faces", edge_faces)):
        if tensor.dim() != 2 or tensor.shape[1] != 2 or len(tensor) != len(edges):
            raise ValueError(f"{name}: expected shape (E, 2), the same E for both, got {tuple(tensor.shape)}")
        if tensor.dtype != torch.int64:
            raise TypeError(f"{name}: expected int64, got {tensor.dtype}")
        if tensor.device != points.device:
            raise ValueError(f"{name}: expected on {points.device} as points are, got {tensor.device}")


def check_edge_indices(points: Tensor, faces: Tensor, edges: Tensor, edge_faces: Tensor) -> None:
    """The checks of edges that need the data: indices within bounds. Dense tensors, as :func:`native_batch` takes."""
    if len(edges) >= 2**30:
        raise ValueError(f"edges: expected fewer than 2^30, got {len(edges)}")
    check_indices("edges", edges, 0, points.shape[-2])
    check_indices("edge_faces", edge_faces, -1, len(faces))


def check_indices(name: str, index: Tensor, low: int, end: int) -> None:
    """Check that every element of a dense int64 tensor on the CPU is within ``low <= index < end``.

    Raises:
        ValueError: one is not.
    """
    if not _native.indices_within(index.data_ptr(), index.numel(), low, end):
        least, most = (int(v) for v in torch.aminmax(index))
        raise ValueError(f"{name}: expected indices within {low}..{end - 1}, got {least if least < low else most}")


def dense(*tensors: Tensor | None) -> list[Any]:
    """Each tensor row-major without gaps, as the native module reads memory; None stays None."""
    return [None if tensor is None else tensor.contiguous() for tensor in tensors]


def is_double(points: Tensor) -> bool:
    """Whether the float64 kernel is meant."""
    return points.dtype == torch.float64
