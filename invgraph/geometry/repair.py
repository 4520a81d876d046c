"""Repairs of a mesh's connectivity: bad faces, loose parts, mixed orientation, pinched vertices.

All of them keep the appearance: colours and texture coordinates follow the faces and vertices that stay.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .mesh import Mesh
from .topology import Topology


def remove_bad_faces(mesh: Mesh) -> tuple[Mesh, int, int]:
    """Drop degenerate faces, and all but the first of faces with the same three vertices.

    Degenerate are faces that repeat a vertex and, if the mesh is not closed, those without area: in a closed mesh a
    face without area between three different vertices is what joins its neighbours. Vertices stay, used or not.

    Returns:
        ``(mesh, degenerate, duplicate)`` with the numbers of faces removed; the same object if there were none.
    """
    faces, n = mesh.faces, mesh.num_verts
    bad = (faces == faces.roll(-1, dims=1)).any(1)
    if not mesh.is_closed:
        flat = mesh.with_verts(mesh.verts.detach().double()).face_areas() == 0
        bad |= flat.all(0) if mesh.is_batched else flat
    # two sorts, as three packed vertices need more than 63 bits beyond two million vertices
    low, middle, high = faces.sort(dim=1).values.unbind(1)
    order = torch.argsort(high, stable=True)
    order = order[torch.argsort((low * n + middle)[order], stable=True)]
    order = order[~bad[order]]
    rows = torch.stack([low, middle, high], dim=1)[order]
    repeated = torch.zeros_like(bad)
    repeated[order[1:]] = (rows[1:] == rows[:-1]).all(1)
    if not bool((bad | repeated).any()):
        return mesh, 0, 0
    return _with_faces(mesh, ~(bad | repeated)), int(bad.sum()), int(repeated.sum())


def remove_unused_verts(mesh: Mesh) -> Mesh:
    """Drop vertices that no face uses; the others keep their order."""
    used = torch.zeros(mesh.num_verts, dtype=torch.bool, device=mesh.faces.device)
    used[mesh.faces.reshape(-1)] = True
    if bool(used.all()):
        return mesh
    appearance = None if mesh.appearance is None else mesh.appearance.select_verts(used)
    return Mesh(mesh.verts[..., used, :], (torch.cumsum(used, 0) - 1)[mesh.faces], appearance)


def keep_largest_components(mesh: Mesh, count: int = 1) -> Mesh:
    """Keep the ``count`` connected components with the largest surface area, and the vertices they use."""
    if count < 1:
        raise ValueError(f"count: expected at least 1, got {count}")
    label = mesh.topology.components()[mesh.faces[:, 0]]
    area = mesh.detach().face_areas()
    area = area.sum(0) if mesh.is_batched else area
    total = torch.zeros(mesh.num_verts, dtype=area.dtype, device=area.device).index_add_(0, label, area)
    kept = torch.zeros(mesh.num_verts, dtype=torch.bool, device=area.device)
    kept[torch.argsort(total, descending=True, stable=True)[:count]] = True
    return remove_unused_verts(_with_faces(mesh, kept[label]))


def orient_outward(mesh: Mesh) -> Mesh:
    """Give the faces of each connected component one orientation, outward (positive volume).

    Faces are connected across edges of exactly two faces. A component that lies inside another (a cavity) is turned
    outward too, and an open component is turned by the volume of its cone to the mesh's mean vertex.

    Raises:
        ValueError: the mesh is a batch, or a component has no consistent orientation (as a Moebius strip).
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    topology = mesh.topology
    number = topology.num_faces
    pairs = topology.face_pairs.cpu().numpy()
    same = (topology._edge_direction_sum[topology.edge_count == 2] == 0).cpu().numpy()
    # Node f is face f as it is and node number + f the face turned over: neighbours that agree join as they are.
    a, b = pairs.T
    other = np.where(same, 0, number)
    rows, cols = np.concatenate([a, a + number]), np.concatenate([b + other, b + number - other])
    graph = coo_matrix((np.ones(len(rows), bool), (rows, cols)), shape=(2 * number, 2 * number))
    labels = connected_components(graph, directed=False)[1]
    as_is, turned = torch.from_numpy(labels.reshape(2, number)).to(mesh.faces.device, torch.int64)
    if bool((as_is == turned).any()):
        raise ValueError("mesh: expected an orientable surface, got a component with no consistent orientation")
    flip = as_is > turned
    faces = _flipped(mesh.faces, flip)
    part = torch.minimum(as_is, turned)
    verts = mesh.verts.detach().double()
    p, q, r = (verts[faces] - verts.mean(0)).unbind(1)
    volume = torch.zeros(int(labels.max(initial=0)) + 1, dtype=verts.dtype, device=verts.device)
    volume.index_add_(0, part, (p * torch.linalg.cross(q, r)).sum(-1))
    inward = volume[part] < 0
    if not bool((flip ^ inward).any()):
        return mesh
    appearance = None if mesh.appearance is None else mesh.appearance.flip_faces(flip ^ inward)
    return Mesh(mesh.verts, _flipped(faces, inward), appearance)


def split_pinched_verts(mesh: Mesh) -> Mesh:
    """Give each fan of faces around a vertex its own copy of it, so that no vertex joins two surfaces.

    Faces are in one fan if edges of exactly two faces connect them around the vertex. Copies are appended; surfaces
    that met along an edge of four faces come apart and leave open edges.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    topology = mesh.topology
    half = topology._edge_halfedges[topology.edge_count == 2].cpu().numpy()
    corners = 3 * topology.num_faces
    vertex = mesh.faces.reshape(-1).cpu().numpy()
    one, two = half.T
    next_one, next_two = one - one % 3 + (one + 1) % 3, two - two % 3 + (two + 1) % 3
    swap = vertex[one] == vertex[two]  # inconsistently oriented neighbours start at the same vertex
    joins = [np.where(swap, two, next_two), np.where(swap, next_two, two)]
    rows, cols = np.concatenate([one, next_one]), np.concatenate(joins)
    graph = coo_matrix((np.ones(len(rows), bool), (rows, cols)), shape=(corners, corners))
    count, fan = connected_components(graph, directed=False)
    owner = np.zeros(count, np.int64)
    owner[fan] = vertex
    # the first fan of each vertex keeps its index
    order = np.argsort(owner, kind="stable")
    first = np.ones(count, bool)
    first[1:] = owner[order][1:] != owner[order][:-1]
    if first.all():
        return mesh
    index = np.empty(count, np.int64)
    index[order[first]] = owner[order[first]]
    extra = order[~first]
    index[extra] = mesh.num_verts + np.arange(len(extra))
    device = mesh.faces.device
    source = torch.from_numpy(np.concatenate([np.arange(mesh.num_verts), owner[extra]])).to(device)
    appearance = None if mesh.appearance is None else mesh.appearance.select_verts(source)
    return Mesh(mesh.verts[..., source, :], torch.from_numpy(index[fan].reshape(-1, 3)).to(device), appearance)


def _with_faces(mesh: Mesh, kept: Tensor) -> Mesh:
    """The mesh with the marked faces only; vertices stay."""
    appearance = None if mesh.appearance is None else mesh.appearance.select_faces(kept)
    return Mesh(mesh.verts, mesh.faces[kept], appearance)


def _flipped(faces: Tensor, flip: Tensor) -> Tensor:
    """Faces with the marked ones turned over."""
    return torch.where(flip[:, None], faces[:, [0, 2, 1]], faces)


def pinched_verts(topology: Topology) -> Tensor:
    """(V,) bool: vertices whose faces form more than one fan, where two surfaces touch in a point."""
    marked = torch.arange(topology.num_verts, device=topology.faces.device, dtype=torch.float64)
    split = split_pinched_verts(Mesh(marked[:, None].repeat(1, 3), topology.faces))
    mask = torch.zeros(topology.num_verts, dtype=torch.bool, device=topology.faces.device)
    mask[split.verts[topology.num_verts :, 0].long()] = True
    return mask
