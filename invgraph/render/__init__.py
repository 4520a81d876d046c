"""Rendering: ``render(mesh, cameras)`` by projection, near-plane clipping and the primitives of ``invgraph.ops``."""

from .._callable import make_callable
from .renderer import Rendered, render

__all__ = ["Rendered", "render"]

make_callable(__name__, render)
