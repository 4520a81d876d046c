"""invgraph: pictures in, 3D shape out, by rendering and differentiating.

``import invgraph as ig`` costs torch and the native kernels; everything else is imported at first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "AmbientLight",
    "Cameras",
    "DirectionalLight",
    "FaceColors",
    "FitOptions",
    "InputError",
    "Lambert",
    "Mesh",
    "Phong",
    "PointLight",
    "SphericalHarmonics",
    "Texture",
    "VertexColors",
    "Views",
    "cameras",
    "data",
    "fields",
    "fit",
    "geometry",
    "load_mesh",
    "load_views",
    "losses",
    "metrics",
    "ops",
    "render",
    "save_mesh",
    "shapes",
    "sigma_from_ndc",
    "svr",
    "viz",
]

# where a name is defined; the others are modules (fit and render can be called)
_HOMES = {
    "AmbientLight": "render",
    "Cameras": "cameras",
    "DirectionalLight": "render",
    "FaceColors": "geometry",
    "FitOptions": "fit",
    "InputError": "errors",
    "Lambert": "render",
    "Mesh": "geometry",
    "Phong": "render",
    "PointLight": "render",
    "SphericalHarmonics": "render",
    "Texture": "geometry",
    "VertexColors": "geometry",
    "Views": "data",
    "load_mesh": "geometry",
    "load_views": "data",
    "save_mesh": "geometry",
    "sigma_from_ndc": "render",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in __all__:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from . import cameras, data, fields, geometry, losses, metrics, ops, shapes, svr, viz
    from .cameras import Cameras
    from .data import Views, load_views
    from .errors import InputError
    from .fit import FitOptions, fit
    from .geometry import FaceColors, Mesh, Texture, VertexColors, load_mesh, save_mesh
    from .render import (
        AmbientLight,
        DirectionalLight,
        Lambert,
        Phong,
        PointLight,
        SphericalHarmonics,
        render,
        sigma_from_ndc,
    )
