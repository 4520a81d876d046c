"""Whether networks work on GPUs."""

from __future__ import annotations

from typing import Literal

import torch

from ..errors import InputError
from ..ops.cuda import built

Accelerator = Literal["auto", "cpu", "gpu"]


def on_gpus(accelerator: Accelerator) -> bool:
    """Whether to take GPUs; "auto": if torch finds one and there are kernels for it.

    Raises:
        InputError: "gpu", and there is none, or there are no kernels for it.
    """
    if accelerator == "cpu":
        return False
    lacking = None
    if not torch.cuda.is_available():
        lacking = "torch finds none"
    elif not built():
        lacking = "invgraph was built without kernels for it (put nvcc on PATH and reinstall with INVGRAPH_CUDA=on)"
    if accelerator == "gpu" and lacking:
        raise InputError(f"accelerator: gpu was asked for, and {lacking}")
    return lacking is None
