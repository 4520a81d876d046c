"""What a fit starts from: the visual hull, a sphere, or a mesh file; as a mesh or as a field."""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..data import Views
from ..errors import InputError
from ..geometry import Mesh, carve_bounds, icosphere, load_mesh, visual_hull
from ..shapes import FieldShape, Shape, TemplateShape
from .options import FitOptions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class InitialMesh:
    """A starting surface.

    Attributes:
        mesh: in the world frame.
        kind: "hull", "sphere" or "file".
        bounds: lowest and highest corner (3,), (3,) of where the object can be.
        radius: about that of the object, world units; None if it is the mesh's own.
        note: a sentence for the user, or "".
    """

    mesh: Mesh
    kind: str
    bounds: tuple[Tensor, Tensor]
    radius: float | None = None
    note: str = ""

    def shape(self, options: FitOptions) -> Shape:
        """The surface as ``options.shape`` names it."""
        if options.shape == "mesh":
            return TemplateShape(self.mesh, scale=self.radius)
        return FieldShape.from_mesh(self.mesh, options.shape, options.resolution, self.bounds)


def initial_mesh(views: Views, options: FitOptions) -> InitialMesh:
    """The surface that ``options.init`` names.

    Raises:
        InputError: the hull was asked for and is empty, or the file is not a usable mesh.
    """
    if options.init in ("auto", "hull"):
        try:
            hull = _hull(views, options)
            return InitialMesh(hull, "hull", hull.bounding_box())
        except ValueError as error:
            if options.init == "hull":
                raise
            note = f"no visual hull ({error}); starting from a sphere"
            logger.warning(note)
            return dataclasses.replace(sphere_in_view(views), note=note)
    if options.init == "sphere":
        return sphere_in_view(views)
    if not Path(options.init).suffix and not Path(options.init).exists():
        raise InputError(f"init: expected auto, hull, sphere or a mesh file, got {options.init!r}")
    mesh = load_mesh(options.init, appearance=False)
    if not mesh.is_closed:
        # the fit keeps what its start has: an open start would give an open result
        raise InputError(
            f"{options.init}: expected a closed, consistently oriented mesh to start from, "
            f"got one with {int((mesh.topology.edge_count != 2).sum())} open or branching edges"
        )
    mesh = mesh.to(views.masks.device, views.masks.dtype)
    low, high = mesh.bounding_box()
    room = 0.25 * (high - low).max()  # for a field, which cannot leave its box; the object may be larger than its start
    return InitialMesh(mesh, "file", (low - room, high + room))


def _hull(views: Views, options: FitOptions) -> Mesh:
    return visual_hull(views.cameras, views.masks, known=views.known, resolution=options.hull_resolution)


def sphere_in_view(views: Views, level: int = 3) -> InitialMesh:
    """An icosphere in the middle of the region that the masks can contain, half as large as that.

    Raises:
        InputError: the masks have no common region.
    """
    low, high = carve_bounds(views.cameras, views.masks, known=views.known)
    size = high - low
    if not bool((size > 0).all()):
        raise InputError(f"{views.source}: the masks of the views have no common region in space")
    radius = 0.5 * float(torch.linalg.vector_norm(size))
    sphere = icosphere(level, radius=0.5 * radius, center=(low + high) / 2)
    return InitialMesh(sphere, "sphere", (low, high), radius)
