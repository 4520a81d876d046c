"""A field or any callable as one kind of thing: a function of points that is positive inside of its surface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from .check_finite import check_finite
from .field import Field

Inside: TypeAlias = Literal["above", "below"]
FieldLike: TypeAlias = Field | Callable[..., Tensor]
BoundsLike: TypeAlias = Tensor | Sequence[Sequence[float]]


class Oriented:
    """``value(points) - level`` of a field or callable, with the sign that is positive inside.

    Args:
        field: a :class:`Field`, or a callable that maps points (P, 3), and the code if there is one, to values (P,).
        code: (code_size,) the shape, for fields of many.
        level: the value on the surface.
        inside: which values are inside, those "above" or "below" the level; by default as the field's kind says, and
            "above" for a callable.
        bounds: the box where the field is meant, (2, 3); by default the field's, or [-1, 1]^3. What the field is asked
            at has the dtype and device of the field's bounds, or of these for a callable.

    Raises:
        InputError: a weight of the field is not finite.
        ValueError: an argument out of its range.
    """

    def __init__(
        self,
        field: FieldLike,
        code: Tensor | None = None,
        level: float = 0.0,
        inside: Inside | None = None,
        bounds: BoundsLike | None = None,
    ) -> None:
        if not callable(field):
            raise TypeError(f"field: expected a Field or a callable, got {type(field).__name__}")
        if inside not in (None, "above", "below"):
            raise ValueError(f"inside: expected 'above' or 'below', got {inside!r}")
        if not abs(level) < float("inf"):
            raise ValueError(f"level: expected a finite value, got {level}")
        if code is not None and code.ndim != 1:
            raise ValueError(f"code: expected the code of one shape (code_size,), got {tuple(code.shape)}")
        if isinstance(field, nn.Module):
            check_finite(field)
        self.name = type(field).__name__ if isinstance(field, nn.Module) else getattr(field, "__name__", "the callable")
        self.level = level
        self.inside: Inside = inside or ("below" if isinstance(field, Field) and field.kind == "sdf" else "above")
        self.bounds = _box(bounds, field.bounds if isinstance(field, Field) else None)
        self._field = field
        self._code = code

    def raw(self, points: Tensor) -> Tensor:
        """The field's own values (P,) at points (P, 3)."""
        values: Tensor = self._field(points) if self._code is None else self._field(points, self._code)
        if not isinstance(values, Tensor) or not values.is_floating_point():
            kind = values.dtype if isinstance(values, Tensor) else type(values).__name__
            raise TypeError(f"field: expected {self.name} to return a floating-point tensor, got {kind}")
        if values.shape != points.shape[:1]:
            got = f"{tuple(values.shape)} for points {tuple(points.shape)}"
            raise ValueError(f"field: expected {self.name} to return one value a point, shape (P,); got {got}")
        return values

    def __call__(self, points: Tensor) -> Tensor:
        """Values (P,) relative to the level, positive inside."""
        values = self.raw(points) - self.level
        return values if self.inside == "above" else -values

    def gradient(self, points: Tensor, create_graph: bool = False) -> tuple[Tensor, Tensor]:
        """Values (P,) as :meth:`__call__` gives them, and their gradients (P, 3) with respect to the points.

        Args:
            points: (P, 3).
            create_graph: the values and gradients can be differentiated again, with respect to the points too.

        Raises:
            ValueError: the values do not depend on the points in a way that autograd knows.
        """
        with torch.enable_grad():
            points = points if create_graph and points.requires_grad else points.detach().requires_grad_()
            values = self(points)
            slope = None
            if values.requires_grad:
                (slope,) = torch.autograd.grad(values.sum(), points, create_graph=create_graph, allow_unused=True)
        if slope is None:
            raise ValueError(f"field: expected values with a gradient, {self.name} has none with respect to its points")
        return (values, slope) if create_graph else (values.detach(), slope)

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Modules are in evaluation mode, where batch statistics are fixed; afterwards each is as it was."""
        modules = list(self._field.modules()) if isinstance(self._field, nn.Module) else []
        modes = [module.training for module in modules]
        try:
            for module in modules:
                module.training = False
            yield
        finally:
            for module, mode in zip(modules, modes):
                module.training = mode


def _box(bounds: BoundsLike | None, like: Tensor | None) -> Tensor:
    """The given bounds (2, 3), checked, of the dtype and device of ``like``; ``like`` itself if there are none."""
    if bounds is None:
        box = torch.tensor([[-1.0] * 3, [1.0] * 3]) if like is None else like.detach()
    else:
        box = torch.as_tensor(bounds).detach()
        box = box.to(like) if like is not None else box.to(torch.promote_types(box.dtype, torch.float32))
    if box.shape != (2, 3) or not bool((box.isfinite() & (box[0] < box[1])).all()):
        raise ValueError(f"bounds: expected two corners (2, 3), the first below the second, got {box.tolist()}")
    return box
