"""The primitives on CUDA devices: what allocates, sorts and calls the kernels of ``_native_cuda``; a file a primitive.

Registered for torch's CUDA dispatch beside the CPU kernels, with the same schemas, fakes and gradients; a primitive's
file, and the module of kernels with it, is imported when the first CUDA tensor comes. Everything runs on the caller's
device and current stream. A forward pass that bins faces waits once, for the number of pairs of face and tile (the
soft outline four times, for its lists); index tensors are checked when they are first seen, which waits too; nothing
else does. Sums have a fixed order: runs repeat to the bit.

The kernels are compiled wherever a CUDA compiler is present, and the tests run all of them on the CPU, threads as
fibers (``tests/cuda``); they have not run on a GPU yet.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch

from ._launch import built as built

PRIMITIVES = ("antialias", "interpolate", "rasterize", "soft_color", "soft_outline", "soft_silhouette")


def register(name: str) -> None:
    """Register ``invgraph::<primitive>`` or its ``_backward`` for CUDA, if there is a kernel for it."""
    operation = name.removeprefix("invgraph::")
    primitive = operation.removesuffix("_backward")
    if primitive in PRIMITIVES:
        function = "forward" if operation == primitive else "backward"
        torch.library.impl(name, "cuda")(_when_called(primitive, function))


def _when_called(primitive: str, function: str) -> Callable[..., Any]:
    def kernel(*args: Any) -> Any:
        return getattr(import_module(f".{primitive}", __name__), function)(*args)

    return kernel
