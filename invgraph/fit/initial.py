"""What a fit starts from: the visual hull, a sphere, or a mesh file."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from ..data import Views
from ..errors import InputError
from ..geometry import Mesh, carve_bounds, icosphere, load_mesh, visual_hull
from .options import FitOptions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InitialMesh:
    """A starting surface in the world frame; kind: "hull", "sphere" or "file"; note: what a user should know."""

    mesh: Mesh
    kind: str
    note: str = ""


def initial_mesh(views: Views, options: FitOptions) -> InitialMesh:
    """The surface that ``options.init`` names.

    Raises:
        InputError: the hull was asked for and is empty, or the file is not a usable mesh.
    """
    if options.init in ("auto", "hull"):
        try:
            return InitialMesh(_hull(views, options), "hull")
        except ValueError as error:
            if options.init == "hull":
                raise
            note = f"no visual hull ({error}); starting from a sphere"
            logger.warning(note)
            return InitialMesh(sphere_in_view(views), "sphere", note)
    if options.init == "sphere":
        return InitialMesh(sphere_in_view(views), "sphere")
    return InitialMesh(load_mesh(options.init).to(views.masks.device, views.masks.dtype), "file")


def _hull(views: Views, options: FitOptions) -> Mesh:
    return visual_hull(views.cameras, views.masks, known=views.known, resolution=options.hull_resolution)


def sphere_in_view(views: Views, level: int = 3) -> Mesh:
    """An icosphere in the middle of the region that the masks can contain, half as large.

    Raises:
        InputError: the masks have no common region.
    """
    low, high = carve_bounds(views.cameras, views.masks, known=views.known)
    size = high - low
    if not bool((size > 0).all()):
        raise InputError(f"{views.source}: the masks of the views have no common region in space")
    return icosphere(level, radius=0.25 * float(torch.linalg.vector_norm(size)), center=(low + high) / 2)
