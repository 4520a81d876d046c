"""Mesh losses: vertex uniformity, dihedral smoothness, normal loss, uniform and cotangent Laplacians.

All take a ``Mesh`` (``verts (V, 3)`` or a batch ``(B, V, 3)`` sharing its faces) and give a scalar. ``reduction="sum"``
is the sum as the literature writes it, ``"mean"`` divides it by its number of terms; a batch is averaged. Degenerate
faces and zero-length edges add nothing that is not finite, to the value or to the gradient.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from ..geometry.mesh import Mesh
from .points import nearest_point

Reduction = Literal["sum", "mean"]


def vertex_uniformity(mesh: Mesh, *, reduction: Reduction = "sum") -> Tensor:
    """Edge length regularizer: ``sum_p sum_{k in N(p)} |p - k|^2``, N(p) the neighbours of vertex p.

    Each edge is met from both of its ends, so the sum is twice that over edges. Drives vertices to be evenly spread
    and penalises flying vertices. Source: Wang et al. 2018, *Pixel2Mesh*, edge length regularization ``l_loc``.
    """
    edge = _edge_vectors(mesh)
    terms = edge.square().sum(-1)
    return _reduce(2 * terms if reduction == "sum" else terms, reduction)


def smoothness(mesh: Mesh, *, reduction: Reduction = "sum") -> Tensor:
    """Dihedral smoothness: ``sum_i (cos theta_i + 1)^2`` over pairs of faces that share a manifold edge.

    theta_i is the angle between the two faces, measured at the shared edge between the directions to their opposite
    corners: pi where the surface is flat (cost 0), pi/2 at a cube's edge (cost 1), 0 where it folds back onto itself
    (cost 4). Measured so, it does not depend on how the faces are oriented. Pairs with a degenerate face have no angle
    and cost 0. Source: Kato et al. 2018, *Neural 3D Mesh Renderer*, smoothness loss; the flattening loss of Liu et al.
    2019, *Soft Rasterizer*.
    """
    topology = mesh.topology
    interior = topology.edge_count == 2
    first, second = topology.edge_faces[interior].unbind(1)
    normals, valid = _unit_normals(mesh)
    cosine = (normals.index_select(-2, first) * normals.index_select(-2, second)).sum(-1)
    # faces that pass along their edge in opposite directions are oriented alike: equal normals then mean flat
    alike = topology._edge_direction_sum[interior] == 0
    cosine = torch.where(alike, -cosine, cosine)
    valid = valid.index_select(-1, first) & valid.index_select(-1, second)
    return _reduce(torch.where(valid, (cosine + 1).square(), 0.0), reduction)


def normal_loss(mesh: Mesh, points: Tensor, normals: Tensor, *, reduction: Reduction = "sum") -> Tensor:
    """Edges perpendicular to the true normal: ``sum_p sum_{k in N(p)} <p - k, n_q>^2``, q the true point nearest to p.

    The choice of q is held fixed in the gradient. Source: Wang et al. 2018, *Pixel2Mesh*, normal loss ``l_n``.

    Args:
        mesh: verts (V, 3) or (B, V, 3).
        points: (P, 3) points on the true surface, or (B, P, 3), one set a mesh.
        normals: unit normals at those points, of the same shape.
        reduction: see the module's page.
    """
    if normals.shape != points.shape:
        raise ValueError(f"normals: expected the shape of points {tuple(points.shape)}, got {tuple(normals.shape)}")
    nearest = nearest_point(mesh.verts, points)  # (V,) or (B, V)
    if normals.ndim == 3:
        at_vertex = torch.gather(normals, 1, nearest[..., None].expand(-1, -1, 3))
    else:
        at_vertex = normals[nearest]  # one truth, for the whole batch if there is one
    edge = _edge_vectors(mesh)
    # both directions of an edge: (p, k) with the normal nearest p, (k, p) with the one nearest k
    terms = torch.cat([(edge * at_vertex[..., end, :]).sum(-1) for end in mesh.topology.edges.unbind(1)], -1)
    return _reduce(terms.square(), reduction)


def laplacian_uniform(mesh: Mesh, *, reduction: Reduction = "sum") -> Tensor:
    """Uniform Laplacian: ``sum_i |delta_i|^2`` with the umbrella ``delta_i = mean_{k in N(i)} x_k - x_i``.

    Pulls each vertex to the centre of its neighbours: smooths the surface and evens out its triangles. A vertex without
    neighbours costs 0. Source: the umbrella operator of Kobbelt et al. 1998; Desbrun et al. 1999, *Implicit fairing of
    irregular meshes using diffusion and curvature flow*.
    """
    topology = mesh.topology
    total = _scatter_edges(mesh, _edge_vectors(mesh))
    degrees = topology.degrees.clamp(min=1).to(total.dtype)[:, None]
    return _reduce((total / degrees).square().sum(-1), reduction)


def laplacian_cotangent(mesh: Mesh, *, reduction: Reduction = "sum") -> Tensor:
    """Cotangent Laplacian: ``sum_i |delta_i|^2``, ``delta_i = 1/2 sum_{k in N(i)} (cot a_ik + cot b_ik) (x_k - x_i)``.

    a_ik and b_ik are the angles opposite edge (i, k) in the faces beside it. delta_i is the integrated mean-curvature
    normal, zero at the interior vertices of a flat region however it is triangulated: unlike the uniform form it leaves
    the sampling alone. It is not divided by the vertex's area, which would weigh slivers without bound. Angles outside
    [1, 179] degrees count as the nearer of the two and a face with a zero-length edge has weight 0 at it, so that
    degenerate faces stay finite. The gradient includes that of the weights. Source: Desbrun et al. 1999, *Implicit
    fairing*; Meyer et al. 2003, *Discrete differential-geometry operators for triangulated 2-manifolds*.
    """
    corners = mesh.triangles()  # (..., F, 3, 3)
    # edge k runs from corner k to k + 1; the corner opposite to it is k + 2
    opposite = corners.roll(-2, -2)
    u, _ = _unit(corners - opposite)
    v, _ = _unit(corners.roll(-1, -2) - opposite)
    cosine = (u * v).sum(-1)
    normal = torch.linalg.cross(u, v, dim=-1)
    regular = normal.detach().square().sum(-1) > math.sin(_SMALLEST_ANGLE) ** 2
    sine = torch.linalg.vector_norm(torch.where(regular[..., None], normal, 1.0), dim=-1)
    limit = cosine.detach().sign() / math.tan(_SMALLEST_ANGLE)
    cotangent = torch.where(regular, cosine / sine, limit)  # (..., F, 3)

    edges = mesh.topology.edges
    weights = cotangent.new_zeros((*cotangent.shape[:-2], edges.shape[0]))
    weights = weights.index_add(-1, mesh.topology.face_edges.reshape(-1), 0.5 * cotangent.flatten(-2))
    delta = _scatter_edges(mesh, weights[..., None] * _edge_vectors(mesh))
    return _reduce(delta.square().sum(-1), reduction)


_SMALLEST_ANGLE = math.radians(1.0)


def _edge_vectors(mesh: Mesh) -> Tensor:
    """(..., E, 3): from the first to the second vertex of each edge."""
    a, b = mesh.topology.edges.unbind(1)
    return mesh.verts.index_select(-2, b) - mesh.verts.index_select(-2, a)


def _scatter_edges(mesh: Mesh, vectors: Tensor) -> Tensor:
    """(..., V, 3): the sum over each vertex's edges of a vector (..., E, 3) that points from first to second end."""
    a, b = mesh.topology.edges.unbind(1)
    return torch.zeros_like(mesh.verts).index_add(-2, a, vectors).index_add(-2, b, -vectors)


def _unit(vector: Tensor, smallest: float | None = None) -> tuple[Tensor, Tensor]:
    """``vector`` scaled to length 1 and a bool mask of where that was possible; elsewhere zero, with zero gradient."""
    if smallest is None:
        # below this the square root's gradient would overflow; about 3e-10 in float32
        smallest = torch.finfo(vector.dtype).tiny ** 0.25
    squared = vector.square().sum(-1, keepdim=True)
    ok = squared > smallest**2
    unit = torch.where(ok, vector * torch.where(ok, squared, 1.0).rsqrt(), 0.0)
    return unit, ok[..., 0]


def _unit_normals(mesh: Mesh) -> tuple[Tensor, Tensor]:
    """(..., F, 3) unit normals of the faces, zero for degenerate ones, and (..., F) bool: which are not."""
    a, b, c = mesh.triangles().unbind(-2)
    arms = torch.stack([b - a, c - a], -2)
    # relative to the longer edge, so that the size of the mesh does not matter; normals do not depend on it
    size = torch.linalg.vector_norm(arms.detach(), dim=-1).amax(-1)[..., None, None]
    tiny = torch.finfo(arms.dtype).tiny ** 0.25
    arms = arms / torch.where(size > tiny, size, 1.0)
    cross = torch.linalg.cross(arms[..., 0, :], arms[..., 1, :])
    return _unit(cross, smallest=64 * torch.finfo(arms.dtype).eps)


def _reduce(terms: Tensor, reduction: Reduction) -> Tensor:
    """Sum or mean of (..., T) over its terms, mean over the batch; 0 when there are none."""
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction: expected 'sum' or 'mean', got {reduction!r}")
    total = terms.sum(-1)
    if reduction == "mean":
        total = total / max(terms.shape[-1], 1)
    return total.mean()
