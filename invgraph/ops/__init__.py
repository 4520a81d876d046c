"""Differentiable primitives: one a file, each a ``torch.library`` custom op over a native kernel.

``invgraph.ops.reference`` holds a pure-torch twin of each, the definition that the kernels are tested against.
"""

import importlib
from typing import Any

try:
    from . import _native as _native
except ImportError as error:
    raise ImportError(
        "invgraph's native module is missing: install the package with `pip install .` "
        "(or, working on its source, run `make dev`), which needs a C++17 compiler once"
    ) from error

from .antialias import antialias
from .interpolate import interpolate
from .rasterize import Fragments, rasterize
from .soft_color import soft_color
from .soft_outline import soft_outline
from .soft_silhouette import soft_silhouette
from .texture import texture, uv_footprint
from .winding_number import winding_number

__all__ = [
    "Fragments",
    "antialias",
    "interpolate",
    "rasterize",
    "reference",
    "soft_color",
    "soft_outline",
    "soft_silhouette",
    "texture",
    "uv_footprint",
    "winding_number",
]


def __getattr__(name: str) -> Any:
    if name == "reference":  # imported when it is asked for: only tests and readers need it
        return importlib.import_module(f"{__name__}.reference")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
