"""How a code that says which shape changes a network that takes points."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm


def as_batch(points: Tensor, code: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Points (..., 3) and the code that :meth:`Field.check` has let through as (B, P, 3) and (B, code_size).

    B is 1 for a code that all points share, and without a code. Values (B, P) take the points' shape again by
    ``values.reshape(points.shape[:-1])``.
    """
    shapes = len(code) if code is not None and code.ndim == 2 else 1
    rows = points.reshape(shapes, math.prod(points.shape[:-1]) // max(shapes, 1), 3)
    return rows, code[None] if code is not None and code.ndim == 1 else code


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift are affine functions of the code (de Vries 2017, Mescheder 2019).

    ``y = gamma(code) (x - mean) / sqrt(var + eps) + beta(code)``, channel by channel. It starts at gamma = 1 and
    beta = 0 for every code: the maps from the code start with zero weights. Without a code gamma and beta are
    parameters, as in plain batch normalisation.

    In training mode mean and variance are those of all points of the call, of all shapes together, so the value at a
    point depends on the other points; each call moves the running averages. In evaluation mode the running averages
    stand for them: the value depends on the point and its code alone. Whatever takes derivatives with respect to points
    (normals, refinement) or asks for a surface needs evaluation mode.

    Args:
        channels: channels of x.
        code_size: length of the code; 0 for none.
        momentum: share of a call's mean and variance in the running averages.
        eps: added to the variance.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, channels: int, code_size: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.gamma = _constant(channels, code_size, 1.0)
        self.beta = _constant(channels, code_size, 0.0)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """(B, P, channels) and (B, code_size) -> (B, P, channels)."""
        gamma, beta = self.gamma(code), self.beta(code)
        if self.training:
            rows = x.flatten(0, 1)
            if len(rows) < 2:
                raise ValueError("points: batch normalisation in training mode needs two or more; call eval() for one")
            x = batch_norm(rows, self.mean, self.var, None, None, True, self.momentum, self.eps).view_as(x)
            return torch.addcmul(beta, gamma, x)
        scale = gamma * torch.rsqrt(self.var + self.eps)
        return torch.addcmul(beta - self.mean * scale, scale, x)


class _Constant(nn.Module):
    """A vector of parameters where a code would choose one: (1, 1, channels)."""

    def __init__(self, channels: int, value: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.full((channels,), value))

    def forward(self, code: None) -> Tensor:
        return self.bias[None, None]


class _Affine(nn.Linear):
    """(B, code_size) -> (B, 1, channels)."""

    def forward(self, code: Tensor) -> Tensor:
        return super().forward(code)[:, None]


def _constant(channels: int, code_size: int, value: float) -> nn.Module:
    """A function of the code that starts as a constant."""
    if code_size == 0:
        return _Constant(channels, value)
    layer = _Affine(code_size, channels)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, value)
    return layer
