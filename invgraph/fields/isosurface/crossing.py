"""Where a surface crosses the edges of a grid: the signs of the nodes, and points on edges whose ends disagree."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Inside = Literal["below", "above"]


def check_grid(nodes: Tensor, values: Tensor) -> None:
    """Refuse nodes and values that are not (N, 3) and (N,) of one floating dtype, or values that are NaN.

    Raises:
        TypeError, ValueError: names the argument, what was expected and what came.
    """
    for name, x in (("nodes", nodes), ("values", values)):
        if not isinstance(x, Tensor) or not x.is_floating_point():
            raise TypeError(f"{name}: expected a floating-point tensor, got {getattr(x, 'dtype', type(x).__name__)}")
    if nodes.ndim != 2 or nodes.shape[1] != 3:
        raise ValueError(f"nodes: expected shape (N, 3), got {tuple(nodes.shape)}")
    if values.shape != nodes.shape[:1]:
        raise ValueError(f"values: expected one a node, shape ({len(nodes)},), got {tuple(values.shape)}")
    if values.dtype != nodes.dtype or values.device != nodes.device:
        raise TypeError(
            f"nodes and values: expected one dtype and device, got {nodes.dtype} on {nodes.device} "
            f"and {values.dtype} on {values.device}"
        )
    missing = values.detach().isnan()
    if bool(missing.any()):
        raise ValueError(f"values: expected numbers, got NaN at {int(missing.sum())} of {len(values)} nodes")


def negative_inside(values: Tensor, inside: Inside, boundary: Tensor | None) -> Tensor:
    """(N,) values of which exactly those below zero are inside; none of ``boundary`` (indices) is.

    A boundary node that was inside counts as outside by as much, as a constant: the surface closes in front of it, and
    moves with the values further in.
    """
    if inside not in ("below", "above"):
        raise ValueError(f"inside: expected 'below' or 'above', got {inside!r}")
    values = values if inside == "below" else -values
    if boundary is None:
        return values
    detached = values.detach()
    caught = boundary[detached.index_select(0, boundary) < 0]
    return values.index_copy(0, caught, -detached.index_select(0, caught)) if len(caught) else values


def edge_points(start: Tensor, end: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    """Zeros of linear functions on edges, (X, 3): ``(inner end - outer start) / (inner - outer)``.

    Differentiable in all four. Any scale of the values will do: a value of zero puts the point on that node, infinite
    values stand for the largest numbers, and inside values closer to zero than about 1e-19 (float32) count as that, so
    that points and their derivatives are finite.

    Args:
        start, end: (X, 3) the edge's ends inside and outside.
        inner: (X,) values inside, < 0.
        outer: (X,) values outside, >= 0.
    """
    limits = torch.finfo(inner.dtype)
    inner, outer = inner.clamp(limits.min, -(limits.tiny**0.5)), outer.clamp(0, limits.max)
    # the ratio has degree zero in the values, so that their size is a constant to its derivative
    size = torch.maximum(-inner, outer).detach()
    inner, outer = inner / size, outer / size
    return torch.lerp(start, end, (inner / (inner - outer))[:, None])
