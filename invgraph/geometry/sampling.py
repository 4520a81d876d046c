"""Random points on a surface."""

from __future__ import annotations

import torch
from torch import Tensor

from .mesh import Mesh


def sample_surface(mesh: Mesh, n: int, generator: torch.Generator | int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Draw ``n`` points uniformly by area.

    A face is drawn with probability proportional to its area, and a point within it by folding the unit square
    (Osada et al. 2002, "Shape distributions", section 4.1). Points and normals are differentiable with respect to
    ``mesh.verts`` at fixed faces and barycentric coordinates; the choice of face carries no gradient.

    Args:
        mesh: one mesh (not a batch) with a positive total area.
        n: number of points, at least 1.
        generator: source of randomness on the mesh's device, or a seed; the global generator if None.

    Returns:
        ``(points (n, 3), normals (n, 3) unit, faces (n,) int64)``: the faces are indices into ``mesh.faces``.

    Raises:
        ValueError: a batch, no area or non-finite vertices, or ``n`` below 1.
    """
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    if n < 1:
        raise ValueError(f"n: expected at least 1 point, got {n}")
    if isinstance(generator, int):
        generator = torch.Generator(mesh.verts.device).manual_seed(generator)
    # float64: a running sum of a million float32 areas would drop the small faces at its end
    cumulative = mesh.detach().face_areas().double().cumsum(0)
    total = float(cumulative[-1]) if len(cumulative) else 0.0
    if not 0 < total < float("inf"):
        raise ValueError(f"mesh: expected a finite surface area above 0, got {total} over {mesh.num_faces} faces")
    r = torch.rand((3, n), dtype=torch.float64, device=mesh.verts.device, generator=generator)
    face = torch.searchsorted(cumulative, r[0] * total, right=True).clamp(max=mesh.num_faces - 1)
    root = r[1].sqrt()
    weights = torch.stack([1 - root, root * (1 - r[2]), root * r[2]], dim=1).to(mesh.verts.dtype)
    points = (weights[:, :, None] * mesh.triangles().index_select(0, face)).sum(1)
    return points, mesh.face_normals().index_select(0, face), face
