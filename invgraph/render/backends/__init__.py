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

VARIABLE = "INVGRAPH_BACKEND"

# what each needs beyond invgraph, and how to come by it
_NEEDS = {
    "native": None,
    "pytorch3d": (
        "pytorch3d.renderer",
        "PyTorch3D, built from source as its INSTALL.md says: "
        "pip install --no-build-isolation git+https://github.com/facebookresearch/pytorch3d.git@stable",
    ),
    "nvdiffrast": (
        "nvdiffrast.torch",
        "nvdiffrast, which needs a CUDA GPU and compiler: "
        "pip install --no-build-isolation git+https://github.com/NVlabs/nvdiffrast.git",
    ),
}
BACKENDS = tuple(_NEEDS)


class Backend(Protocol):
    """What a backend offers; each is a module of this package."""

    MODES: tuple[str, ...]
    """The modes whose alpha it can make."""
    COLOR_MODES: tuple[str, ...]
    """The modes in which it can make rgb too."""

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


def load(name: str | None, mode: str, rgb: bool = False) -> Backend:
    """The backend called ``name``; None: that of the environment variable INVGRAPH_BACKEND, else ``"native"``.

    Raises:
        ValueError: an unknown name, or a mode that the backend has not, or not for ``rgb``.
        ImportError: what the backend draws with is not installed; says how to.
    """
    source = "backend"
    if name is None:
        name, source = os.environ.get(VARIABLE) or "native", VARIABLE
    if name not in BACKENDS:
        raise ValueError(f"{source}: expected one of {BACKENDS}, got {name!r}")
    backend = cast(Backend, importlib.import_module(f"{__name__}.{name}"))
    if mode not in backend.MODES:
        raise ValueError(f"mode: the {name} backend has {backend.MODES}, got {mode!r}")
    if rgb and mode not in backend.COLOR_MODES:
        raise ValueError(f"mode: the {name} backend has rgb in {backend.COLOR_MODES}, got {mode!r}")
    needs = _NEEDS[name]
    if needs is not None:
        try:
            importlib.import_module(needs[0])
        except ImportError as error:
            raise ImportError(f"the {name} backend needs {needs[1]} ({error})") from error
    return backend
