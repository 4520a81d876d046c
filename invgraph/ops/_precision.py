"""Under autocast the primitives compute in float32 or float64 all the same.

A pixel coordinate of 1,000 is rounded to whole fours in bfloat16: geometry needs its digits. Inside of a region of
``torch.autocast`` a decorated function takes half-precision tensors as float32 and runs with autocast switched off.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

F = TypeVar("F", bound=Callable[..., Any])
_HALF = (torch.float16, torch.bfloat16)


def full_precision(function: F) -> F:
    """Decorator: see the module's docstring. Outside of autocast the function is called as it is."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if not (torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")):
            return function(*args, **kwargs)
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            return function(*(_widened(a) for a in args), **{name: _widened(a) for name, a in kwargs.items()})

    return called  # type: ignore[return-value]


def _widened(value: Any) -> Any:
    """Half-precision tensors as float32, also in tuples and lists, and in what has ``verts`` and ``to``, as a Mesh."""
    if isinstance(value, Tensor):
        return value.float() if value.dtype in _HALF else value
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_widened(v) for v in value))
    if isinstance(value, (tuple, list)):
        return type(value)(_widened(v) for v in value)
    verts = getattr(value, "verts", None)
    if isinstance(verts, Tensor) and verts.dtype in _HALF:
        return value.to(dtype=torch.float32)
    return value
