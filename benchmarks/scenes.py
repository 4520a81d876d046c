"""The scenes that are timed: points in pixels with depth, and their mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from invgraph.geometry import Mesh, icosphere, load_mesh


@dataclass(frozen=True)
class Scene:
    """A mesh before a square image."""

    points: Tensor
    """``(B, V, 3)`` pixel u, pixel v and depth, about 3."""
    mesh: Mesh
    size: int
    """Pixels a side."""
    what: str = ""

    def __str__(self) -> str:
        images = f"{len(self.points)} images of " if len(self.points) > 1 else ""
        return f"{images}{self.size} x {self.size}, {self.mesh.num_faces:,} faces{self.what}"

    def to(self, device: str) -> Scene:
        """The same on another device."""
        return Scene(self.points.to(device), self.mesh.to(device), self.size, self.what)


def disc(level: int, size: int, *, batch: int = 1, fill: float = 0.4) -> Scene:
    """An icosphere whose disc fills a fraction of the image; the images of a batch see it shifted by up to a pixel."""
    mesh = icosphere(level)
    return _centred(mesh, mesh.verts, math.sqrt(fill / math.pi) * size, size, batch, "")


def spot(data: Path, size: int, *, batch: int = 1) -> Scene:
    """Spot, from the side, as tall as 0.8 of the image; raises FileNotFoundError without the data."""
    path = data / "spot" / "views24" / "gt.ply"
    if not path.exists():
        raise FileNotFoundError(path)
    mesh = load_mesh(path)
    verts = mesh.verts[:, [2, 1, 0]] * torch.tensor([1.0, -1.0, 1.0])
    extent = float((verts.amax(0) - verts.amin(0))[:2].max())
    return _centred(mesh, verts, 0.8 * size / extent, size, batch, ", spot")


def _centred(mesh: Mesh, verts: Tensor, scale: float, size: int, batch: int, what: str) -> Scene:
    points = torch.cat([verts[:, :2] * scale + size / 2, verts[:, 2:] * 0.3 + 3], 1)
    shift = torch.rand(batch, 1, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1.0, 0.0])
    return Scene(points + shift if batch > 1 else points[None], mesh, size, what)


SPHERE_DISTANCE = 3.0  # of the camera from the centre of the unit sphere


def sphere_field_of_view(fill: float = 0.4) -> float:
    """Radians at which the unit sphere, seen in perspective, fills a fraction of the image."""
    radius = math.tan(math.asin(1 / SPHERE_DISTANCE))
    return 2 * math.atan(radius / (2 * math.sqrt(fill / math.pi)))


def sphere(level: int, size: int) -> Scene:
    """A unit icosphere in perspective: the scene that is also described to Mitsuba."""
    mesh = icosphere(level)
    focal = size / 2 / math.tan(sphere_field_of_view() / 2)
    depth = mesh.verts[:, 2:] + SPHERE_DISTANCE
    return Scene(torch.cat([mesh.verts[:, :2] / depth * focal + size / 2, depth], 1)[None], mesh, size)


def torus(rings: int, size: int) -> Scene:
    """A torus of ``2 rings^2`` faces, seen from above."""
    angle = torch.arange(rings) * (2 * math.pi / rings)
    around, along = torch.meshgrid(angle, angle, indexing="ij")
    radius = 1 + 0.45 * torch.cos(along)
    verts = torch.stack([radius * torch.cos(around), radius * torch.sin(around), 0.45 * torch.sin(along)], -1)
    index = torch.arange(rings * rings).reshape(rings, rings)
    a, b, c, d = index, index.roll(-1, 0), index.roll((-1, -1), (0, 1)), index.roll(-1, 1)
    faces = torch.cat([torch.stack([a, b, c], -1).reshape(-1, 3), torch.stack([a, c, d], -1).reshape(-1, 3)])
    mesh = Mesh(verts.reshape(-1, 3), faces)
    return Scene(torch.cat([mesh.verts[:, :2] * size * 0.33 + size / 2, mesh.verts[:, 2:] + 3], 1)[None], mesh, size)


def pairs(scene: Scene, sigma: float, min_probability: float = 1e-4) -> float:
    """Pixel-face pairs within reach: the sum of the triangles' areas grown by sqrt(9.2 sigma) pixels."""
    reach = math.sqrt(math.log(1 / min_probability - 1) * sigma)
    corner = scene.points[:, scene.mesh.faces, :2]
    edge = corner.roll(-1, 2) - corner
    area = (edge[..., 0, 0] * edge[..., 1, 1] - edge[..., 0, 1] * edge[..., 1, 0]).abs() / 2
    return float((area + edge.norm(dim=-1).sum(-1) * reach + math.pi * reach**2).double().sum())
