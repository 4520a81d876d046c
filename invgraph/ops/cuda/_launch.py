"""The module of kernels, and what every call passes to it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

_NAME = "invgraph.ops._native_cuda"
_module: Any = None  # the tests put the emulated module here


def built() -> bool:
    """Whether invgraph was built with kernels for CUDA."""
    return _module is not None or find_spec(_NAME) is not None


def kernels() -> Any:
    """The native CUDA module.

    Raises:
        RuntimeError: invgraph was built without it.
    """
    global _module
    if _module is None:
        try:
            _module = import_module(_NAME)
        except ModuleNotFoundError as error:
            if error.name != _NAME:
                raise
            raise RuntimeError(
                "invgraph was built without CUDA, so its primitives take CPU tensors only: put nvcc on PATH and "
                "reinstall with INVGRAPH_CUDA=on"
            ) from error
    return _module


def place(tensor: Tensor) -> tuple[int, int]:
    """The device and the current stream there, as the kernels take them."""
    if tensor.device.type != "cuda":  # emulated
        return -1, 0
    return tensor.device.index, torch.cuda.current_stream(tensor.device).cuda_stream


def address(tensor: Tensor | None) -> int:
    """Where a tensor's data is; 0 for none and for empty ones."""
    return 0 if tensor is None else tensor.data_ptr()
