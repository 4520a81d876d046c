"""Adam with one step size for the whole tensor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class AdamUniform(Optimizer):
    """Adam whose step is divided by the largest second moment of the tensor instead of by each entry's own.

    Dividing entry by entry rescales x, y and z and neighbouring vertices differently, which undoes the smoothness that
    a preconditioner has just put into the gradient. One divisor a tensor keeps the direction of the gradient field.

    Source: Nicolet, Jacobson, Jakob, "Large Steps in Inverse Rendering of Geometry", SIGGRAPH Asia 2021, section 3.3.

    Args:
        params: as for every optimizer.
        lr: bound on the movement of an entry in one step, in the parameters' units, > 0.
        betas: decay of the first and second moment, each in [0, 1).
        eps: added to the divisor.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-20,
    ) -> None:
        if not lr > 0:
            raise ValueError(f"lr: expected a positive number, got {lr}")
        if not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas: expected two numbers in [0, 1), got {betas}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for param in group["params"]:
                if param.grad is None:
                    continue
                state = self.state[param]
                if not state:
                    state["step"] = 0
                    state["mean"] = torch.zeros_like(param)
                    state["square"] = torch.zeros_like(param)
                state["step"] += 1
                mean = state["mean"].lerp_(param.grad, 1 - beta1)
                square = state["square"].mul_(beta2).addcmul_(param.grad, param.grad, value=1 - beta2)
                mean_hat = mean / (1 - beta1 ** state["step"])
                largest = square.max() / (1 - beta2 ** state["step"])
                param.sub_(group["lr"] * mean_hat / (largest.sqrt() + group["eps"]))
        return loss
