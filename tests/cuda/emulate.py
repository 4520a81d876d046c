"""A pytest plugin: every primitive on CPU tensors goes through the CUDA path, emulated, in place of its CPU kernel.

    python -m pytest -p emulate tests/ops/test_rasterize.py

runs a test file of the CPU kernels over the CUDA kernels. What compares numbers of threads or instruction sets, or is
about the CPU's own limits, has nothing to say there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import emulated
import torch

from invgraph.ops import _autograd
from invgraph.ops.cuda import PRIMITIVES, _launch, _when_called

_library = torch.library.Library("invgraph", "IMPL")


def pytest_configure() -> None:
    _launch._module = emulated.load()
    _launch._module.set_schedule(int(os.environ.get("INVGRAPH_SCHEDULE", "0")))
    _autograd._is_plain = lambda args: False  # plain calls on the CPU pass torch's dispatcher by, and it is that we use
    for primitive in PRIMITIVES:
        for function, suffix in (("forward", ""), ("backward", "_backward")):
            kernel: Callable[..., Any] = _when_called(primitive, function)
            _library.impl(primitive + suffix, kernel, "CPU", allow_override=True)
