"""Small scenes for the primitives' tests."""

import torch
from torch import Tensor

from invgraph.geometry import Mesh, icosphere


def random_soup(faces: int, size: int, dtype: torch.dtype = torch.float64, images: int = 1) -> tuple[Tensor, Tensor]:
    """Random triangles that reach over the image's border: points (images, 3 * faces, 3) and faces."""
    generator = torch.Generator().manual_seed(faces)
    centre = torch.rand(images, faces, 1, 2, generator=generator, dtype=torch.float64) * (size + 4) - 2
    corner = centre + torch.randn(images, faces, 3, 2, generator=generator, dtype=torch.float64) * size / 6
    depth = 1 + torch.rand(images, faces, 3, 1, generator=generator, dtype=torch.float64) * 3
    points = torch.cat([corner, depth], -1).reshape(images, 3 * faces, 3).to(dtype)
    return points, torch.arange(3 * faces).reshape(faces, 3)


def project(mesh: Mesh, size: int, scale: float = 0.35, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Tensor:
    """A mesh near the origin -> points (1, V, 3) of a perspective picture, off-centre by a fraction of a pixel."""
    moved = mesh.verts.double() + torch.tensor(shift, dtype=torch.float64)
    z = moved[:, 2:] + 4
    uv = moved[:, :2] / z * (4 * scale * size) + torch.tensor([size / 2 + 0.137, size / 2 - 0.219], dtype=torch.float64)
    return torch.cat([uv, z], -1)[None]


def two_spheres(shift: float) -> Mesh:
    """Two small spheres that overlap or intersect, the second nearer to the camera."""
    one = icosphere(1)
    verts = torch.cat([one.verts, one.verts * 0.7 + torch.tensor([shift, 0.3, -0.6])])
    return Mesh(verts.double(), torch.cat([one.faces, one.faces + len(one.verts)]))
