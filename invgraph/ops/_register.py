"""Registration of a primitive with torch: one call instead of four decorators, and ``primitives`` to call it by.

``torch.library.custom_op`` would do the same, but its first call imports ``torch._dynamo``: a second that nobody needs
who does not compile.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch

from . import cuda
from ._autograd import ImageDims, callable_of, refuse

primitives = SimpleNamespace()
"""``primitives.name(...)`` is ``torch.ops.invgraph.name(...)``, and works under ``torch.func`` too."""


def register(
    schema: str,
    kernel: Callable[..., Any],
    fake: Callable[..., Any],
    *,
    setup: Callable[..., None] | None = None,
    gradient: Callable[..., Any] | None = None,
    image_dims: ImageDims | None = None,
) -> None:
    """Define ``invgraph::<schema>`` with its CPU kernel, its fake (shapes only, for ``torch.compile``) and gradient.

    An operation without ``gradient`` refuses to be differentiated instead of detaching silently. ``image_dims``: see
    :func:`callable_of`.
    """
    name = "invgraph::" + schema.split("(")[0]
    torch.library.define(name, schema[schema.index("(") :])
    torch.library.impl(name, "cpu")(kernel)
    cuda.register(name)
    torch.library.register_fake(name)(fake)
    torch.library.register_autograd(name, gradient or refuse(name), setup_context=setup)
    operation = name.split("::")[1]
    op = getattr(torch.ops.invgraph, operation).default
    setattr(primitives, operation, callable_of(op, kernel, setup, gradient or refuse(name), image_dims or {}))
