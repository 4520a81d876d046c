"""Registration of a primitive with torch: one call instead of four decorators.

``torch.library.custom_op`` would do the same, but its first call imports ``torch._dynamo``: a second that nobody needs
who does not compile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from . import cuda


def register(
    schema: str,
    kernel: Callable[..., Any],
    fake: Callable[..., Any],
    *,
    setup: Callable[..., None] | None = None,
    gradient: Callable[..., Any] | None = None,
) -> None:
    """Define ``invgraph::<schema>`` with its CPU kernel, its fake (shapes only, for ``torch.compile``) and gradient.

    An operation without ``gradient`` refuses to be differentiated instead of detaching silently.
    """
    name = "invgraph::" + schema.split("(")[0]
    torch.library.define(name, schema[schema.index("(") :])
    torch.library.impl(name, "cpu")(kernel)
    cuda.register(name)
    torch.library.register_fake(name)(fake)
    torch.library.register_autograd(name, gradient or _refuse(name), setup_context=setup)


def _refuse(name: str) -> Callable[..., Any]:
    def gradient(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(f"{name} has no derivative: invgraph's primitives can be differentiated once")

    return gradient
