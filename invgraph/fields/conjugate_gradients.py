"""Conjugate gradients for operators that are known by what they do."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def conjugate_gradients(
    operator: Callable[[Tensor], Tensor],
    right: Tensor,
    *,
    steps: int,
    start: Tensor | None = None,
    preconditioner: Callable[[Tensor], Tensor] | None = None,
    tolerance: float = 1e-4,
) -> Tensor:
    """Solve ``operator(x) = right`` for a symmetric positive definite operator.

    Args:
        operator: linear, takes and returns what has the shape of ``right``.
        right: the right-hand side.
        steps: at most so many applications of the operator.
        start: first guess; zero by default.
        preconditioner: an approximate inverse, symmetric positive definite.
        tolerance: of the residual, relative to the right-hand side.
    """
    x = torch.zeros_like(right) if start is None else start
    residual = right - operator(x) if start is not None else right.clone()
    improved = residual if preconditioner is None else preconditioner(residual)
    direction, product = improved, (residual * improved).sum()
    enough = tolerance * right.norm()
    for _ in range(steps):
        if residual.norm() <= enough:
            break
        image = operator(direction)
        length = product / (direction * image).sum()
        x = x + length * direction
        residual = residual - length * image
        improved = residual if preconditioner is None else preconditioner(residual)
        product, before = (residual * improved).sum(), product
        direction = improved + (product / before) * direction
    return x
