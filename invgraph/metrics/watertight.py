"""Is a mesh the boundary of a solid?"""

from __future__ import annotations

from typing import Any

import torch

from ..geometry.mesh import Mesh


def watertightness(mesh: Mesh) -> dict[str, Any]:
    """What closes a mesh, and what keeps it open.

    Returns:
        A dict of plain values:

        - ``closed``: every edge has exactly two faces, running along it in opposite directions;
        - ``outward``: closed, and the enclosed volume is positive (faces counter-clockwise seen from outside);
        - ``boundary_edges``: edges of one face; ``non_manifold_edges``: of three or more; ``flipped_edges``: of two
          faces that run along it in the same direction;
        - ``components``: connected components of the faces; ``euler_characteristic``: V - E + F, 2 for a sphere, 0 for
          a torus; ``genus``: handles summed over components, None if not closed;
        - ``vertices`` (in use), ``faces``; ``area``, ``volume`` (signed) in the mesh's units, squared and cubed.

    Raises:
        ValueError: a batch.
    """
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    mesh = mesh.detach()
    mesh = mesh.with_verts(mesh.verts.double())
    topology = mesh.topology
    count = topology.edge_count
    first, second = topology.edge_faces[count == 2].unbind(1)
    flipped = 0
    if not topology.is_closed:
        flipped = int((_runs_forward(mesh, first, count) == _runs_forward(mesh, second, count)).sum())
    labels = topology.components()[mesh.faces[:, 0]]
    components = len(torch.unique(labels))
    euler = topology.euler_characteristic
    volume = float(mesh.volume()) if mesh.num_faces else 0.0
    return {
        "closed": topology.is_closed,
        "outward": topology.is_closed and volume > 0,
        "boundary_edges": int((count == 1).sum()),
        "non_manifold_edges": int((count > 2).sum()),
        "flipped_edges": flipped,
        "components": components,
        "euler_characteristic": euler,
        "genus": components - euler // 2 if topology.is_closed else None,
        "vertices": int((topology.degrees > 0).sum()),
        "faces": mesh.num_faces,
        "area": float(mesh.area()),
        "volume": volume,
    }


def _runs_forward(mesh: Mesh, face: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
    """(E2,) bool: whether ``face[i]`` runs along the i-th edge of two faces from its lower to its higher vertex."""
    low, high = mesh.topology.edges[count == 2].unbind(1)
    start, end = mesh.faces[face], mesh.faces[face].roll(-1, dims=1)
    return ((start == low[:, None]) & (end == high[:, None])).any(1)
