"""Batch normalisation over the batches of all processes, so that a run is the same on any number of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn

from ..fields.conditioning import ConditionalBatchNorm


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """``BatchNorm2d`` whose statistics in training are those of all processes together, on any device.

    torch's own ``SyncBatchNorm`` does this on GPUs only. Processes have equal batches.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        if not self.training or not _several():
            return super().forward(x)
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        centred, var = _centred(x.float().movedim(1, -1), self.running_mean, self.running_var, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        scale = (var + self.eps).rsqrt() * self.weight
        return (centred * scale + self.bias).movedim(-1, 1).to(x.dtype)


class SyncedConditionalBatchNorm(ConditionalBatchNorm):
    """The same of :class:`~invgraph.fields.conditioning.ConditionalBatchNorm`: over the points of all processes."""

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """(B, P, channels) and (B, code_size) -> (B, P, channels)."""
        if not self.training or not _several():
            return super().forward(x, code)
        # statistics need their digits in mixed precision too
        centred, var = _centred(x.float(), self.mean, self.var, self.momentum)
        found = torch.addcmul(self.beta(code).float(), self.gamma(code).float(), centred * (var + self.eps).rsqrt())
        return found.to(x.dtype)


def _several() -> bool:
    return distributed.is_initialized() and distributed.get_world_size() > 1


def _centred(x: Tensor, running_mean: Tensor, running_var: Tensor, momentum: float) -> tuple[Tensor, Tensor]:
    """x (..., C) less the mean of all processes, and the variance (C,) of all; the running statistics are moved."""
    world, rows = distributed.get_world_size(), x.flatten(0, -2)
    mean = _Sum.apply(rows.mean(0)) / world
    centred = x - mean
    var = _Sum.apply(centred.flatten(0, -2).square().mean(0)) / world
    with torch.no_grad():
        count = world * len(rows)
        running_mean.lerp_(mean, momentum)
        running_var.lerp_(var * (count / max(count - 1, 1)), momentum)
    return centred, var


class _Sum(torch.autograd.Function):
    """Sum over all processes; so is its gradient, as every process's loss depends on it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _summed(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return _summed(grad)


def _summed(x: Tensor) -> Tensor:
    total = x.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total


def sync_batch_norms(model: nn.Module) -> None:
    """Let the batch normalisations of a model, with their parameters as they are, count all processes' batches.

    These are every ``BatchNorm2d`` and every ``ConditionalBatchNorm``.
    """
    for module in model.modules():
        # the same parameters under the same names
        if type(module) is nn.BatchNorm2d and module.affine and module.track_running_stats:
            module.__class__ = SyncedBatchNorm2d
        elif type(module) is ConditionalBatchNorm:
            module.__class__ = SyncedConditionalBatchNorm
