"""Who finds the visible faces and makes alpha: backends behind one call, chosen by name.

Each takes the projected drawing in the house's conventions (pixels, ``(u, v, z)``) and gives the house's results, so
that everything above them, shading included, is common code.
"""

from __future__ import annotations

import importlib
import os
from typing import Protocol, cast

from torch import Tensor

from ...ops import Fragments
from ..clip import Drawing

BACKENDS = ("native",)
VARIABLE = "INVGRAPH_BACKEND"


class Backend(Protocol):
    """What a backend offers; each is a module of this package."""

    MODES: tuple[str, ...]
    """The modes whose alpha it can make."""

    def rasterize(self, points: Tensor, drawing: Drawing, image_size: tuple[int, int], barycentric: bool) -> Fragments:
        """The nearest face at every pixel centre, as :func:`invgraph.ops.rasterize` gives it."""

    def antialias(self, image: Tensor, points: Tensor, drawing: Drawing, fragments: Fragments) -> Tensor:
        """Pictures ``(N, H, W, C)`` blended at visible outlines, as :func:`invgraph.ops.antialias` does."""

    def alpha(
        self,
        mode: str,
        sigma: float,
        points: Tensor,
        drawing: Drawing,
        image_size: tuple[int, int],
        fragments: Fragments | None,
    ) -> Tensor:
        """``(N, H, W)`` coverage; ``fragments`` (what ``rasterize`` gave) may be None for ``"soft"``."""


def load(name: str | None, mode: str) -> Backend:
    """The backend called ``name``; None: that of the environment variable INVGRAPH_BACKEND, else ``"native"``.

    Raises:
        ValueError: an unknown name, or a mode that the backend has not.
    """
    source = "backend"
    if name is None:
        name, source = os.environ.get(VARIABLE) or "native", VARIABLE
    if name not in BACKENDS:
        raise ValueError(f"{source}: expected one of {BACKENDS}, got {name!r}")
    backend = cast(Backend, importlib.import_module(f"{__name__}.{name}"))
    if mode not in backend.MODES:
        raise ValueError(f"mode: the {name} backend has {backend.MODES}, got {mode!r}")
    return backend
