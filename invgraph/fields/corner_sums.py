"""Weighted sums of table rows: the arithmetic of interpolation in a grid, differentiable any number of times.

Interpolation is linear in the weights w of a cell's corners and in the table T of their features, and so is each of its
derivatives: with the scalar ``<g, w, T> = sum_bcf g[b,f] w[b,c] T[i[b,c],f]`` they are its three partial derivatives,
and each one's own derivatives are the other two. Three functions that call each other therefore give gradients of
every order, where ``grid_sample`` has no second derivative and indexing followed by a sum is several times slower on a
CPU: it writes every corner's features to memory, where ``embedding_bag`` sums as it reads and SciPy's sparse product
scatters as it multiplies (``python -m benchmarks fields lookup``).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def corner_sums(table: Tensor, index: Tensor, weights: Tensor) -> Tensor:
    """``out[b] = sum_c weights[b, c] table[index[b, c]]``.

    Args:
        table: (N, F) floating point.
        index: (B, C) int32 or int64 rows of the table; not checked.
        weights: (B, C) of the table's dtype.

    Returns:
        (B, F).
    """
    out: Tensor = _Sums.apply(table, weights, index)
    return out


class _Sums(torch.autograd.Function):
    """(N, F), (B, C) -> (B, F)."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, weights: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(table, weights, index)
        return torch.nn.functional.embedding_bag(index, table, per_sample_weights=weights, mode="sum")

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        table, weights, index = ctx.saved_tensors
        to_table = _Scatter.apply(grads[0], weights, index, len(table)) if ctx.needs_input_grad[0] else None
        to_weights = _Dots.apply(table, grads[0], index) if ctx.needs_input_grad[1] else None
        return to_table, to_weights, None


class _Scatter(torch.autograd.Function):
    """(B, F), (B, C) -> (N, F)."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, weights: Tensor, index: Tensor, rows: int) -> Tensor:
        ctx.save_for_backward(grad, weights, index)
        return _scatter(grad, weights, index, rows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad, weights, index = ctx.saved_tensors
        to_grad = _Sums.apply(grads[0], weights, index) if ctx.needs_input_grad[0] else None
        to_weights = _Dots.apply(grads[0], grad, index) if ctx.needs_input_grad[1] else None
        return to_grad, to_weights, None, None


class _Dots(torch.autograd.Function):
    """(N, F), (B, F) -> (B, C)."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, grad: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(table, grad, index)
        corners = table.index_select(0, index.reshape(-1)).view(*index.shape, table.shape[1])
        return torch.bmm(corners, grad[:, :, None]).squeeze(2)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        table, grad, index = ctx.saved_tensors
        to_table = _Scatter.apply(grad, grads[0], index, len(table)) if ctx.needs_input_grad[0] else None
        to_grad = _Sums.apply(table, grads[0], index) if ctx.needs_input_grad[1] else None
        return to_table, to_grad, None


def _scatter(grad: Tensor, weights: Tensor, index: Tensor, rows: int) -> Tensor:
    if grad.device.type != "cpu" or grad.dtype not in (torch.float32, torch.float64):
        out = grad.new_zeros(rows, grad.shape[1])
        return out.index_add_(0, index.reshape(-1), (weights[:, :, None] * grad[:, None]).reshape(-1, grad.shape[1]))
    import numpy as np
    from scipy.sparse import csc_matrix

    ends = np.arange(0, index.numel() + 1, index.shape[1], dtype=np.int64 if index.dtype == torch.int64 else np.int32)
    flat = (weights.detach().contiguous().view(-1).numpy(), index.contiguous().view(-1).numpy(), ends)
    spread = csc_matrix(flat, shape=(rows, len(index)))  # one column a sum, in the order of its corners
    return torch.from_numpy(spread @ grad.detach().contiguous().numpy())
