"""The surface that a cloud or a mesh stands for: what fields of it are trained on."""

from __future__ import annotations

import dataclasses
import warnings

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry import Mesh, sample_surface
from ..geometry.nearest import NearestPoint
from ..ops import winding_number
from .points_cloud import PointCloud
from .points_normals import fit_planes, orient_normals
from .points_options import FitPointsOptions
from .points_poisson import poisson_mesh

EXTENT = 0.9  # half the longest side of the shape in [-1, 1]^3, the bounds of its field
_NEAR = (0.01, 0.05)  # how far from the surface samples are spread, as standard deviations
_NOISY = 0.2  # of the spacing: points noisier than this are moved onto the surface that is fitted through them
_BEYOND = 0.15  # how far, in the canonical frame, a surface may bulge out of the box of its points
_OUTWARD = 0.8  # part of given normals that point out of the surface they make, if they are of one side


@dataclasses.dataclass(frozen=True)
class Surface:
    """A surface in [-1, 1]^3, the canonical frame: ``world = center + scale * canonical``.

    Attributes:
        mesh: the surface itself if a mesh was given, else the one that Poisson reconstruction finds in the cloud. It
            says which side is inside, by its winding number.
        points: (N, 3) on it.
        normals: (N, 3) unit, outward.
        center: (3,) float64.
        scale: the world's units in one of this frame.
        noise: standard deviation of the cloud about the surface, as a fraction of its longest side; 0 for a mesh.
    """

    mesh: Mesh
    points: Tensor
    normals: Tensor
    center: Tensor
    scale: float
    noise: float

    @staticmethod
    def of(shape: PointCloud | Mesh, options: FitPointsOptions) -> Surface:
        """See :func:`invgraph.fields.fit_points`."""
        generator = torch.Generator().manual_seed(options.seed)
        return _of_mesh(shape, options, generator) if isinstance(shape, Mesh) else _of_cloud(shape, options, generator)

    def occupied(self, points: Tensor) -> Tensor:
        """(P,) bool: which points (P, 3) are inside. By the winding number's size: a mesh may be inside out."""
        return winding_number(points, self.mesh.verts, self.mesh.faces).abs() > 0.5

    def distances(self, points: Tensor) -> Tensor:
        """(P,) signed distances of points (P, 3), negative inside."""
        nearest = NearestPoint(self.mesh, spacing=0.02)(points)[0]
        distance = torch.linalg.vector_norm(nearest - points, dim=1)
        return torch.where(self.occupied(points), -distance, distance)

    def space(self, count: int, generator: torch.Generator) -> Tensor:
        """(count, 3) points of [-1, 1]^3: a third anywhere, the others near the surface, half of them very near."""
        uniform = torch.rand((count // 3, 3), generator=generator) * 2 - 1
        spread = torch.tensor(_NEAR).repeat((count - len(uniform) + 1) // 2)[: count - len(uniform), None]
        base, _, _ = sample_surface(self.mesh, len(spread), generator)
        near = base + spread * torch.randn(base.shape, generator=generator)
        return torch.cat([uniform, near.clamp(-1, 1)])


def _of_cloud(cloud: PointCloud, options: FitPointsOptions, generator: torch.Generator) -> Surface:
    if options.normals == "given" and cloud.normals is None:
        raise InputError(f"{cloud.source}: has no normals, which are asked for; have them estimated instead")
    cloud = cloud.subset(options.points, generator)
    center, half = cloud.frame()
    scale = half / EXTENT
    points = ((cloud.points - center) / scale).float()
    planes = fit_planes(points)
    if options.noise is not None:
        planes = dataclasses.replace(planes, noise=options.noise * 2 * EXTENT)
    given = None if options.normals == "estimate" or cloud.normals is None else cloud.normals.float()
    normals = orient_normals(points, planes, seed=options.seed) if given is None else given
    try:
        mesh = poisson_mesh(points, normals, planes)
        outward = _outward_share(mesh, points, normals, planes.spacing)
        if given is not None and outward < _OUTWARD:
            if outward > 1 - _OUTWARD and options.normals == "auto":
                _warn(cloud, "the normals are not turned to one side; they were turned outward")
                normals = orient_normals(points, dataclasses.replace(planes, normals=given), seed=options.seed)
                mesh = poisson_mesh(points, normals, planes)
            elif outward < 0.5:
                _warn(cloud, "the normals point inward; they were turned")
                normals = -given
    except InputError as error:
        raise InputError(f"{cloud.source}: {error}") from error
    beyond = _beyond(mesh, points)
    if beyond > _BEYOND:
        why = "they have a wide hole, are too few, or lie on parts too thin for them"
        share = 0.5 * beyond / EXTENT
        _warn(cloud, f"the surface reaches beyond the points, by {share:.0%} of their longest side: {why}")
    if planes.noise > _NOISY * planes.spacing:
        points, normals, _ = sample_surface(mesh, len(points), generator)
    return Surface(mesh, points, normals, center, scale, planes.noise / (2 * EXTENT))


def _outward_share(mesh: Mesh, points: Tensor, normals: Tensor, step: float) -> float:
    """The part of the normals that point out of the mesh, among those of which it can be told."""
    ahead, behind = (
        winding_number(points + way * normals, mesh.verts, mesh.faces).abs() > 0.5 for way in (step, -step)
    )
    told = ahead != behind
    return float((behind & told).sum()) / max(1, int(told.sum()))


def _beyond(mesh: Mesh, points: Tensor) -> float:
    """How far a mesh reaches out of the points' bounding box."""
    (low, high), (least, most) = mesh.bounding_box(), (points.amin(0), points.amax(0))
    return float(torch.maximum(least - low, high - most).max())


def _warn(cloud: PointCloud, what: str) -> None:
    warnings.warn(f"{cloud.source}: {what}", stacklevel=5)


def _of_mesh(mesh: Mesh, options: FitPointsOptions, generator: torch.Generator) -> Surface:
    used = mesh.verts.detach().cpu().double()[mesh.faces.unique().cpu()]
    low, high = used.amin(0), used.amax(0)
    center, scale = 0.5 * (low + high), 0.5 * float((high - low).max()) / EXTENT
    solid = Mesh(((mesh.verts.detach().cpu().double() - center) / scale).float(), mesh.faces.cpu())
    points, normals, _ = sample_surface(solid, options.points, generator)
    surface = Surface(solid, points, normals, center, scale, 0.0)
    # faces may be turned either way: outward is where the winding number says that outside is
    outside = [winding_number(points + step * normals, solid.verts, solid.faces).abs() for step in (-1e-3, 1e-3)]
    turned = torch.where((outside[1] > outside[0])[:, None], -normals, normals)
    if not bool(surface.occupied(surface.space(10_000, generator)).any()):
        raise InputError("the mesh encloses no volume")
    return dataclasses.replace(surface, normals=turned)
