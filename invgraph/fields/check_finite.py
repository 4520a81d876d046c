"""Weights that are no numbers, said before they make an empty surface."""

from __future__ import annotations

import itertools

from torch import nn

from ..errors import InputError


def check_finite(module: nn.Module) -> None:
    """Refuse a module with a parameter or buffer that holds NaN or infinity.

    It costs one pass over the weights: call it after loading them and before work that would hide the fault, as the
    extraction of a surface does.

    Raises:
        InputError: names the first such parameter and how many of its numbers are bad.
    """
    for name, value in itertools.chain(module.named_parameters(), module.named_buffers()):
        if value.is_floating_point() and not bool(value.isfinite().all()):
            bad = int((~value.isfinite()).sum())
            raise InputError(
                f"{name} of {type(module).__name__}: expected finite numbers, got {bad} of {value.numel()} that are not"
            )
