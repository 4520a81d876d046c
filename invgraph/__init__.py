"""invgraph: pictures in, 3D shape out, by rendering and differentiating.

``import invgraph as ig`` costs torch and the native kernels; everything else is imported at first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# public name -> module that defines it; a module of the same name is exposed as itself
_HOMES = {
    "Cameras": "cameras",
    "InputError": "errors",
    "Mesh": "geometry",
    "Views": "data",
    "load_mesh": "geometry",
    "load_views": "data",
    "save_mesh": "geometry",
    "sigma_from_ndc": "render",
}
_MODULES = ("cameras", "data", "fit", "geometry", "losses", "metrics", "ops", "render", "shapes", "viz")
__all__ = ["__version__", *_HOMES, *_MODULES]  # noqa: PLE0604 - the tables above are the one list of names


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from . import cameras, data, geometry, losses, metrics, ops, shapes, viz
    from .cameras import Cameras
    from .data import Views, load_views
    from .errors import InputError
    from .fit import fit
    from .geometry import Mesh, load_mesh, save_mesh
    from .render import render, sigma_from_ndc
