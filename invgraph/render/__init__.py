"""Rendering: ``render(mesh, cameras)`` by projection, near-plane clipping and the primitives of ``invgraph.ops``."""

from .._callable import make_callable
from .renderer import Rendered, render, sigma_from_ndc

__all__ = ["Rendered", "render", "sigma_from_ndc"]

make_callable(__name__, render)
