"""Where along a ray a field is asked: strata, and a second pass about the point that decides."""

from __future__ import annotations

import torch
from torch import Tensor


def strata(rays: int, samples: int, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """(rays, samples) ascending fractions in [0, 1], one in each of ``samples`` equal strata.

    With a generator each is drawn uniformly within its stratum (drawn on the generator's device); without one it is
    the stratum's middle.
    """
    begins = torch.arange(samples, dtype=like.dtype, device=like.device)
    if generator is None:
        return ((begins + 0.5) / samples).expand(rays, samples)
    jitter = torch.rand((rays, samples), generator=generator, device=generator.device, dtype=like.dtype)
    return (begins + jitter.to(like.device)) / samples


def about_peak(fraction: Tensor, value: Tensor, count: int) -> Tensor:
    """(M, count) ascending fractions evenly between the two neighbours of each ray's greatest value.

    Args:
        fraction: (M, S) ascending in [0, 1].
        value: (M, S).
        count: how many.
    """
    at = value.argmax(1, keepdim=True)
    zero, one = torch.zeros_like(fraction[:, :1]), torch.ones_like(fraction[:, :1])
    padded = torch.cat([zero, fraction, one], 1)
    low, high = padded.gather(1, at), padded.gather(1, at + 2)
    step = (torch.arange(count, dtype=fraction.dtype, device=fraction.device) + 1) / (count + 1)
    return low + step * (high - low)


def summit(fraction: Tensor, value: Tensor) -> Tensor:
    """(M, 1) where the parabola through each ray's greatest value and its two neighbours has its vertex.

    The greatest value's own place where it is the first or the last, or the three lie on a line.
    """
    at = value.argmax(1, keepdim=True)
    first, last = (at - 1).clamp_min(0), (at + 1).clamp_max(fraction.shape[1] - 1)
    x, y = fraction.gather(1, at), value.gather(1, at)
    left, right = x - fraction.gather(1, first), fraction.gather(1, last) - x
    falls_left, falls_right = y - value.gather(1, first), y - value.gather(1, last)
    bend = 2 * (left * falls_right + right * falls_left)
    shift = (right.square() * falls_left - left.square() * falls_right) / bend
    return torch.where(bend > 0, (x + shift).clamp(x - left, x + right), x)


def shares(fraction: Tensor) -> Tensor:
    """(M, S) how much of [0, 1] each of the ascending fractions stands for: from midpoint to midpoint."""
    middle = (fraction[:, 1:] + fraction[:, :-1]) / 2
    zero, one = torch.zeros_like(fraction[:, :1]), torch.ones_like(fraction[:, :1])
    return torch.cat([zero, middle, one], 1).diff(dim=1)
