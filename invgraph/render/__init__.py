"""Rendering: ``render(mesh, cameras)`` by projection, clipping, the primitives of ``invgraph.ops``, and shading."""

from .._callable import make_callable
from .lights import AmbientLight, DirectionalLight, PointLight, SphericalHarmonics
from .rendered import Rendered
from .renderer import render, sigma_from_ndc
from .shading import Lambert, Phong, shade

__all__ = [
    "AmbientLight",
    "DirectionalLight",
    "Lambert",
    "Phong",
    "PointLight",
    "Rendered",
    "SphericalHarmonics",
    "render",
    "shade",
    "sigma_from_ndc",
]

make_callable(__name__, render)
