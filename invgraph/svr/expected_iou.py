"""From which probability on something counts as inside, where IoU is what counts."""

from __future__ import annotations

import torch
from torch import Tensor


def best_threshold(probability: Tensor) -> Tensor:
    """From which probability on places are to count as inside for the greatest IoU that can be expected.

    The expectation of the ratio is taken for the ratio of the expectations of intersection and union, which for many
    places is nearly the same (Nowozin, *Optimal Decisions from Probabilistic Models: the Intersection-over-Union
    Case*, CVPR 2014): with the n likeliest places taken it is ``sum_n p / (n + sum_all p - sum_n p)``. Of sure
    probabilities it is 1/2, and the less sure they are the lower.

    Args:
        probability: (B, N) of N places being inside, in [0, 1].

    Returns:
        (B,), halfway between the least probability that counts as inside and the next one.
    """
    falling = probability.sort(1, descending=True).values
    both = falling.cumsum(1)
    count = torch.arange(1, falling.shape[1] + 1, device=falling.device)
    either = count + both[:, -1:] - both
    last = (both / either).argmax(1, keepdim=True)
    least, next_one = falling.gather(1, last), falling.gather(1, (last + 1).clamp(max=falling.shape[1] - 1))
    return 0.5 * (least + next_one)[:, 0]
