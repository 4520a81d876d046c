"""Fewer faces for the same surface."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from .mesh import Mesh
from .repair import pinched_verts, remove_unused_verts


def simplify(mesh: Mesh, faces: int) -> Mesh:
    """Reduce a mesh to about ``faces`` faces by quadric edge collapse (Garland and Heckbert 1997), in any units.

    A closed mesh stays closed and keeps its genus and components: where so few faces would tear or pinch it, the result
    has as few more as that takes, and a warning says how many. Where the mesh is open or not a manifold nothing of the
    kind is promised.

    Args:
        mesh: one mesh. Its appearance is dropped, as colours have no place on new faces.
        faces: the number of faces to reach, at least 4; a mesh that has no more is given back as it is.

    Returns:
        A mesh without a gradient, of the same dtype and on the same device.

    Raises:
        TypeError: ``faces`` is not a whole number.
        ValueError: a batch, vertices that are not finite, or ``faces`` below 4.
    """
    if isinstance(faces, bool) or not isinstance(faces, int):
        raise TypeError(f"faces: expected a whole number, got {faces!r}")
    if faces < 4:
        raise ValueError(f"faces: expected at least 4, the fewest that close a surface, got {faces}")
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    if not bool(mesh.verts.isfinite().all()):
        raise ValueError("mesh: expected finite vertices, got NaN or infinity")
    if mesh.num_faces <= faces:
        return mesh
    keep = mesh.is_closed and not bool(pinched_verts(mesh.topology).any())
    target = faces
    while target < mesh.num_faces:
        smaller = _collapse(mesh, target)
        if not keep or _same_kind(smaller, mesh):
            break
        target += max(2, target // 8)
    else:
        smaller = mesh.with_appearance(None).detach()
    if smaller.num_faces > faces + 1:
        why = f"{faces} would tear or pinch the closed surface" if keep else f"{faces} were not reached"
        warnings.warn(f"simplify: {smaller.num_faces} faces, as {why}", stacklevel=2)
    return smaller


def _collapse(mesh: Mesh, target: int) -> Mesh:
    from fast_simplification import simplify as collapse

    verts = mesh.verts.detach().double()
    center, radius = mesh.with_verts(verts).bounding_sphere()
    scale = float(radius) or 1.0
    unit = ((verts - center) / scale).cpu().numpy()  # its thresholds are meant for about this size
    moved, faces = collapse(unit, mesh.faces.cpu().numpy(), target_count=target)
    position = torch.from_numpy(moved).to(verts) * scale + center
    result = Mesh(position.to(mesh.verts.dtype), torch.from_numpy(faces.astype(np.int64)).to(verts.device))
    return remove_unused_verts(result)


def _same_kind(mesh: Mesh, like: Mesh) -> bool:
    """Closed, without pinched vertices, and as many handles and components as a closed mesh has."""
    return (
        mesh.is_closed
        and mesh.euler_characteristic == like.euler_characteristic
        and int(mesh.topology.components().max()) == int(remove_unused_verts(like).topology.components().max())
        and not bool(pinched_verts(mesh.topology).any())
    )
