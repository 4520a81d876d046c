"""Shapes to start from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .mesh import Mesh
from .topology import Topology


def icosphere(
    level: int,
    radius: float = 1.0,
    center: Sequence[float] | Tensor = (0.0, 0.0, 0.0),
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> Mesh:
    """A sphere from an icosahedron whose faces are quartered ``level`` times: ``20 * 4**level`` faces.

    Args:
        level: number of subdivisions, 0 to 9; level 4 has 2,562 vertices and 5,120 faces.
        radius: distance of every vertex from ``center``, above 0.
        center: (3,) centre.

    Raises:
        ValueError: ``level`` or ``radius`` is out of range.
    """
    if not 0 <= level <= 9:
        raise ValueError(f"level: expected 0 to 9, got {level}")
    if not (radius > 0 and math.isfinite(radius)):
        raise ValueError(f"radius: expected a finite number above 0, got {radius}")
    verts, faces = _icosahedron()
    for _ in range(level):
        verts, faces = subdivide(verts, faces)
        verts = verts / torch.linalg.vector_norm(verts, dim=1, keepdim=True)
    offset = torch.as_tensor(center, dtype=torch.float64).cpu()
    return Mesh((verts * radius + offset).to(device=device, dtype=dtype), faces.to(device))


def subdivide(verts: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Quarter every face at its edges' midpoints: ``(V, 3), (F, 3)`` to ``(V + E, 3), (4F, 3)``, same orientation."""
    topology = Topology(faces, len(verts))
    middle = topology.face_edges + len(verts)  # (F, 3): middle of v0 v1, v1 v2, v2 v0
    corners = torch.stack([faces, middle, middle.roll(1, dims=1)], dim=2).reshape(-1, 3)  # one face at each corner
    verts = torch.cat([verts, verts[topology.edges].mean(1)])
    return verts, torch.cat([corners, middle])


def unit_sphere(mesh: Mesh) -> tuple[Mesh, Tensor, Tensor]:
    """Move and scale a mesh so that its bounding sphere is the unit sphere at the origin.

    Returns:
        ``(normalized, center (3,), scale ())`` with ``mesh.verts = normalized.verts * scale + center``.

    Raises:
        ValueError: all vertices coincide.
    """
    center, scale = mesh.bounding_sphere()
    if not bool((scale > 0).all()):
        raise ValueError(f"mesh: expected vertices that differ, got a bounding sphere of radius {scale.tolist()}")
    return mesh.with_verts((mesh.verts - center[..., None, :]) / scale[..., None, None]), center, scale


def _icosahedron() -> tuple[Tensor, Tensor]:
    """Unit icosahedron, float64: poles on z and two rings of five, counter-clockwise seen from outside."""
    i = torch.arange(5)
    angle = torch.cat([i, i + 0.5]).double() * (2 * math.pi / 5)
    z = torch.tensor([1.0] * 5 + [-1.0] * 5, dtype=torch.float64) / math.sqrt(5)
    r = 2 / math.sqrt(5)
    rings = torch.stack([r * angle.cos(), r * angle.sin(), z], dim=1)
    poles = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]], dtype=torch.float64)
    a, b = i, (i + 1) % 5  # upper ring
    c, d = a + 5, b + 5  # lower ring, half a step further round
    top, bottom = torch.full_like(i, 10), torch.full_like(i, 11)
    columns = [(top, a, b), (a, c, b), (b, c, d), (c, bottom, d)]
    return torch.cat([rings, poles]), torch.cat([torch.stack(column, dim=1) for column in columns])
