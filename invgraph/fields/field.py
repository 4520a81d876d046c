"""What every field is: a function of space, and what its values say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

FieldKind = Literal["occupancy", "sdf"]


class Field(nn.Module):
    """A function of space ``f(points (..., 3), code) -> (...)`` whose zero set is a surface.

    ``kind`` says what the values mean: ``"occupancy"`` are logits, positive inside (sigmoid gives the probability of
    being inside); ``"sdf"`` are signed distances, negative inside, in the units of the points. A subclass overrides
    :meth:`forward` and calls :meth:`check` first.

    Args:
        kind: "occupancy" or "sdf".
        code_size: length of the code that chooses the shape; 0 for a field of one shape.
        bounds: lowest and highest corner of the box in which the field is meant to be used: 2 x 3 numbers. It is where
            surfaces are looked for unless the caller says otherwise.
    """

    bounds: Tensor

    def __init__(
        self,
        kind: FieldKind,
        code_size: int = 0,
        bounds: Tensor | Sequence[Sequence[float]] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
    ) -> None:
        super().__init__()
        if kind not in ("occupancy", "sdf"):
            raise ValueError(f"kind: expected 'occupancy' or 'sdf', got {kind!r}")
        if code_size < 0:
            raise ValueError(f"code_size: expected a length >= 0, got {code_size}")
        box = torch.as_tensor(bounds, dtype=torch.get_default_dtype()).detach().clone()
        if box.shape != (2, 3) or not bool((box.isfinite() & (box[0] < box[1])).all()):
            raise ValueError(f"bounds: expected two corners (2, 3), the first below the second, got {box.tolist()}")
        self.kind: FieldKind = kind
        self.code_size = code_size
        self.register_buffer("bounds", box)

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Values (...) at points (..., 3).

        Args:
            points: (..., 3) floating point.
            code: (code_size,) one shape for all points; or (B, code_size), one for each of B = ``len(points)``; None
                for a field without a code.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def regularizers(self) -> dict[str, Tensor]:
        """What a fit adds to its loss for this field's own sake, by name, weighted; nothing unless overridden."""
        return {}

    def inside(self, values: Tensor) -> Tensor:
        """(...) bool: which values lie inside of the surface."""
        return values > 0 if self.kind == "occupancy" else values < 0

    def check(self, points: Tensor, code: Tensor | None) -> None:
        """Refuse points or a code that the field cannot take, naming what was expected."""
        if not points.is_floating_point():
            raise TypeError(f"points: expected floating point coordinates, got {points.dtype}")
        if points.ndim < 1 or points.shape[-1] != 3:
            raise ValueError(f"points: expected shape (..., 3), got {tuple(points.shape)}")
        if self.code_size == 0:
            if code is not None:
                raise ValueError(f"code: expected None, {type(self).__name__} has no code; got {tuple(code.shape)}")
            return
        expected = f"({self.code_size},) or (B, {self.code_size}) with points (B, ..., 3)"
        if code is None:
            raise ValueError(f"code: expected {expected}, got None")
        if code.shape == (self.code_size,):
            return
        if code.ndim != 2 or code.shape[1] != self.code_size or points.ndim < 2 or len(code) != len(points):
            raise ValueError(f"code: expected {expected}, got {tuple(code.shape)} with points {tuple(points.shape)}")
