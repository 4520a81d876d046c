"""Shapes from what a checkpoint holds of them."""

from __future__ import annotations

from torch import Tensor

from .field_shape import FieldShape
from .shape import Shape
from .template import TemplateShape

_KINDS = (TemplateShape, FieldShape)


def restored(state: dict[str, Tensor], given: Shape | None) -> Shape:
    """A shape that can load ``state``, a ``state_dict()``.

    A fit may have gone on with another shape than it began with; which one, the state says, if the library knows it.

    Args:
        state: of the shape to restore.
        given: the shape that the fit began with, or None.

    Raises:
        ValueError: the state is that of none of the library's shapes, and none is given.
    """
    if given is None or isinstance(given, _KINDS):
        for kind in _KINDS:
            if kind.is_state(state):
                return kind.from_state(state)
    if given is None:
        raise ValueError("shape: the run to resume fits one of its caller's own; expected that shape, got None")
    return given
