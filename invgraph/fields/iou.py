"""How well a field tells inside from outside."""

from __future__ import annotations

import torch
from torch import Tensor

from ..metrics import occupancy_iou
from .oriented import FieldLike, Oriented


def field_iou(
    field: FieldLike,
    points: Tensor,
    truth: Tensor | FieldLike,
    *,
    code: Tensor | None = None,
    batch: int = 2**16,
) -> float:
    """Intersection over union of the insides of a field and the truth, in [0, 1], at given points.

    At the uniform points of a ``points.npz`` (see :func:`invgraph.data.shapes.load_points`) it is the IoU of the
    Occupancy Networks paper and of those that follow it.

    Args:
        field: a :class:`Field`, or a callable from points (P, 3) to values (P,), positive inside.
        points: (N, 3) of the field's dtype.
        truth: (N,) bool, which of them are inside (of other numbers: those above 1/2); or another field or callable.
        code: (code_size,) of the shape, for a field of many; ``truth`` is not given it.
        batch: points that a field is asked at a time.

    Returns:
        1 if no point is inside of either. Modules are asked in evaluation mode, without gradients.

    Raises:
        InputError: a weight of a field is not finite.
        ValueError, TypeError: shapes that do not agree.
    """
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"points: expected shape (N, 3), got {tuple(points.shape)}")
    if not isinstance(truth, Tensor):
        within = _inside(truth, points, None, batch)
    elif truth.shape == points.shape[:1]:
        within = truth if truth.dtype == torch.bool else truth > 0.5
    else:
        raise ValueError(f"truth: expected shape ({len(points)},) as points have, got {tuple(truth.shape)}")
    return float(occupancy_iou(_inside(field, points, code, batch), within))


def _inside(field: FieldLike, points: Tensor, code: Tensor | None, batch: int) -> Tensor:
    function = Oriented(field, code)
    with torch.no_grad(), function.evaluating():
        return torch.cat([function(part) > 0 for part in points.split(batch)])
