"""Normals of a field's surface, from the field itself."""

from __future__ import annotations

import torch
from torch import Tensor

from .oriented import FieldLike, Inside, Oriented


def field_normals(
    field: FieldLike,
    points: Tensor,
    *,
    code: Tensor | None = None,
    inside: Inside | None = None,
    batch: int = 2**16,
) -> Tensor:
    """Outward unit normals of a field's level sets, by automatic differentiation.

    The direction in which the field turns from inside to outside fastest: at the vertices of an extracted mesh these
    are smoother and nearer to the truth than the normals of its faces.

    Args:
        field: a :class:`Field`, or a callable from points (P, 3), and the code if there is one, to values (P,).
        points: (P, 3).
        code: (code_size,) the shape, for fields of many.
        inside: whether values are higher ("above") or lower ("below") inside; by default as the field's kind says, and
            "above" for a callable.
        batch: points that the field is asked at a time.

    Returns:
        (P, 3) without a gradient, of the points' dtype; zero where the field does not change.

    Raises:
        ValueError: the field's values have no gradient with respect to the points; shapes that do not fit.
        TypeError: ``points`` is not floating point.
    """
    if not points.is_floating_point():
        raise TypeError(f"points: expected floating point coordinates, got {points.dtype}")
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"points: expected shape (P, 3), got {tuple(points.shape)}")
    if batch < 1:
        raise ValueError(f"batch: expected at least 1 point, got {batch}")
    function = Oriented(field, code, inside=inside)
    normals = torch.zeros_like(points)
    with function.evaluating():
        for start in range(0, len(points), batch):
            _, slope = function.gradient(points[start : start + batch])
            normals[start : start + batch] = -unit(slope)
    return normals


def unit(vectors: Tensor) -> Tensor:
    """(..., 3) scaled to unit length, differentiable; zero vectors stay zero."""
    length = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / torch.where(length > 0, length, 1)
