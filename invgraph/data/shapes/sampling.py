"""From a mesh to what a network learns from: occupancies in the padded cube and near the surface, a cloud, voxels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...errors import InputError
from ...geometry.mesh import Mesh
from ...geometry.sampling import sample_surface
from ...ops.winding_number import winding_number
from .records import ShapeCloud, ShapePoints, Voxels
from .voxelize import inside, voxelize
from .watertight import watertight_mesh


@dataclass(frozen=True)
class SampleOptions:
    """What is sampled of each mesh; 0 leaves a file out. Lengths are in units of the shape's longest side."""

    points: int = 100_000
    """Points drawn uniformly in the padded cube (points.npz)."""
    near: int = 100_000
    """Points drawn near the surface (points_near.npz)."""
    sigmas: tuple[float, ...] = (0.1, 0.01)
    """Standard deviations of the distance from the surface, in equal shares."""
    cloud: int = 100_000
    """Points of the surface, with normals (pointcloud.npz)."""
    voxels: int = 32
    """Voxels along an axis (model.binvox)."""
    padding: float = 0.1
    """The padded cube's side is 1 + PADDING."""
    watertight: bool = False
    """Close each mesh first: keep what no view from outside sees into. For meshes of loose or doubled walls."""
    resolution: int = 256
    """Grid on which --watertight closes them."""
    seed: int = 0
    """Same seed, same files."""

    def __post_init__(self) -> None:
        for name in ("points", "near", "cloud", "voxels"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected a number not below 0, got {getattr(self, name)}")
        if not self.points + self.near + self.cloud + self.voxels:
            raise ValueError("points, near, cloud, voxels: expected one above 0, got 0 for all")
        if self.voxels > 512:
            raise ValueError(f"voxels: expected at most 512 along an axis, got {self.voxels}")
        if not 1 <= len(self.sigmas) <= 256 or not all(0 < sigma <= 1 for sigma in self.sigmas):
            raise ValueError(f"sigmas: expected 1 to 256 lengths above 0 and up to 1, got {self.sigmas}")
        if not 16 <= self.resolution <= 512:
            raise ValueError(f"resolution: expected 16 to 512 voxels along an axis, got {self.resolution}")
        if not 0 <= self.padding <= 10:
            raise ValueError(f"padding: expected a length from 0 to 10, got {self.padding}")


@dataclass(frozen=True)
class ShapeSamples:
    """The content of a model's folder; None for what was not asked for."""

    points: ShapePoints | None
    near: ShapePoints | None
    cloud: ShapeCloud | None
    voxels: Voxels | None
    doubtful: float
    """Share of all points whose winding number is neither near a whole number nor near 0 (a quarter away): large for a
    mesh with large holes, or whose faces do not agree on what is outside."""


def unit_cube(mesh: Mesh) -> tuple[Mesh, Tensor, float]:
    """The mesh with its bounding box centred at the origin and of longest side 1, as Occupancy Networks has it.

    Returns:
        ``(mesh, loc (3,) float64, scale)``: ``scale * mesh.verts + loc`` are the vertices given.

    Raises:
        InputError: no faces, vertices that are not finite, or faces that are all in one point.
    """
    if mesh.num_faces == 0:
        raise InputError(f"the mesh has no faces ({mesh.num_verts} vertices)")
    verts = mesh.verts.detach().cpu().double()
    used = verts[mesh.faces.cpu().unique()]
    if not bool(used.isfinite().all()):
        raise InputError("the mesh's vertices are not finite")
    low, high = used.amin(0), used.amax(0)
    loc, scale = 0.5 * (low + high), float((high - low).max())
    if scale == 0:
        raise InputError("all faces of the mesh are in one point")
    verts = torch.where(verts.isfinite(), verts, loc)  # those of no face
    return Mesh(((verts - loc) / scale).float(), mesh.faces.cpu()), loc, scale


def sample_shape(mesh: Mesh, options: SampleOptions | None = None, *, seed: int | None = None) -> ShapeSamples:
    """Sample one mesh.

    Inside is where the generalised winding number exceeds a half, either way, so that open, self-intersecting and
    inside-out meshes work; with ``options.watertight`` the mesh is closed first (:func:`watertight_mesh`). Occupancies
    are those of the points as float16 stores them.

    Args:
        mesh: one mesh, in any frame.
        options: :class:`SampleOptions`, the default ones if None.
        seed: instead of ``options.seed``.

    Raises:
        ValueError: a batch of meshes.
        InputError: no faces, no area, or a mesh that encloses nothing.
    """
    options = options or SampleOptions()
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    unit, loc, scale = unit_cube(mesh)
    if not float(unit.area()) > 0:
        raise InputError("the mesh's faces have no area")
    if options.watertight:
        # closing thickens the walls, so the box is measured again
        unit, shift, stretch = unit_cube(watertight_mesh(unit, resolution=options.resolution))
        loc, scale = loc + scale * shift, scale * stretch
    generator = torch.Generator().manual_seed(options.seed if seed is None else seed)
    side = 1 + options.padding
    uniform = (side * (torch.rand((options.points, 3), generator=generator) - 0.5)).half().float()
    sigmas = torch.tensor(options.sigmas)[torch.arange(options.near) % len(options.sigmas)]
    near = _near(unit, sigmas, side, generator).half().float()
    # one call, so that one tree serves all points
    winding = winding_number(torch.cat([uniform, near]), unit.verts, unit.faces)
    occupied = inside(winding).split([options.points, options.near])
    filled = voxelize(unit, options.voxels) if options.voxels else None
    if not bool(inside(winding).any()):
        raise InputError("the mesh encloses none of the points; if its walls are loose or doubled, try --watertight")
    cloud = None
    if options.cloud:
        spots, normals, _ = sample_surface(unit, options.cloud, generator)
        if int((winding < -0.5).sum()) > int((winding > 0.5).sum()):  # inside out
            normals = -normals
        cloud = ShapeCloud(spots, normals, loc, scale)
    turns = winding.abs()
    return ShapeSamples(
        points=ShapePoints(uniform, occupied[0], loc, scale) if options.points else None,
        near=ShapePoints(near, occupied[1], loc, scale, sigmas) if options.near else None,
        cloud=cloud,
        voxels=None if filled is None else Voxels(filled, loc - scale / 2, scale),
        doubtful=float(((turns - turns.round()).abs() > 0.25).float().mean()),
    )


def _near(mesh: Mesh, sigmas: Tensor, side: float, generator: torch.Generator) -> Tensor:
    """(N, 3) points normally distributed around points of the surface; drawn again where they leave the padded cube."""
    if len(sigmas) == 0:
        return torch.zeros(0, 3)
    base = sample_surface(mesh, len(sigmas), generator)[0]
    points = base + sigmas[:, None] * torch.randn(base.shape, generator=generator)
    while True:
        out = ((points.abs() > side / 2).any(1)).nonzero()[:, 0]
        if len(out) == 0:
            return points
        points[out] = base[out] + sigmas[out, None] * torch.randn((len(out), 3), generator=generator)
