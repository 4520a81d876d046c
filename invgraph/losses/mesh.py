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
    terms = _edge_vectors(mesh).square().sum(-2)
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
    cosine = (normals.index_select(0, first) * normals.index_select(0, second)).sum(-2)
    # faces that pass along their edge in opposite directions are oriented alike: equal normals then mean flat
    alike = (topology._edge_direction_sum[interior] == 0)[:, None]
    cosine = torch.where(alike, -cosine, cosine)
    valid = valid.index_select(0, first) & valid.index_select(0, second)
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
    edge, at_vertex = _edge_vectors(mesh), _batch_last(at_vertex)
    # both directions of an edge: (p, k) with the normal nearest p, (k, p) with the one nearest k
    terms = torch.cat([(edge * at_vertex[end]).sum(-2) for end in mesh.topology.edges.unbind(1)])
    return _reduce(terms.square(), reduction)


def laplacian_uniform(mesh: Mesh, *, reduction: Reduction = "sum") -> Tensor:
    """Uniform Laplacian: ``sum_i |delta_i|^2`` with the umbrella ``delta_i = mean_{k in N(i)} x_k - x_i``.

    Pulls each vertex to the centre of its neighbours: smooths the surface and evens out its triangles. A vertex without
    neighbours costs 0. Source: the umbrella operator of Kobbelt et al. 1998; Desbrun et al. 1999, *Implicit fairing of
    irregular meshes using diffusion and curvature flow*.
    """
    topology = mesh.topology
    total = _scatter_edges(mesh, _edge_vectors(mesh))
    degrees = topology.degrees.clamp(min=1).to(total.dtype)[:, None, None]
    return _reduce((total / degrees).square().sum(-2), reduction)


def laplacian_cotangent(mesh: Mesh, *, reduction: Reduction = "sum") -> Tensor:
    """Cotangent Laplacian: ``sum_i |delta_i|^2``, ``delta_i = 1/2 sum_{k in N(i)} (cot a_ik + cot b_ik) (x_k - x_i)``.

    a_ik and b_ik are the angles opposite edge (i, k) in the faces beside it. delta_i is the integrated mean-curvature
    normal, zero at the interior vertices of a flat region however it is triangulated: unlike the uniform form it leaves
    the sampling alone. It is not divided by the vertex's area, which would weigh slivers without bound. Angles outside
    [1, 179] degrees count as the nearer of the two and a face with a zero-length edge has weight 0 at it, so that
    degenerate faces stay finite. The gradient includes that of the weights. Source: Desbrun et al. 1999, *Implicit
    fairing*; Meyer et al. 2003, *Discrete differential-geometry operators for triangulated 2-manifolds*.
    """
    corners = _corners(mesh)
    # edge k runs from corner k to k + 1; the corner opposite to it is k + 2
    opposite = corners.roll(-2, 0)
    u, _ = _unit(corners - opposite)
    v, _ = _unit(corners.roll(-1, 0) - opposite)
    cosine = (u * v).sum(-2)
    normal = _cross(u, v)
    regular = normal.detach().square().sum(-2) > math.sin(_SMALLEST_ANGLE) ** 2
    sine = torch.where(regular[..., None, :], normal, 1.0).square().sum(-2).sqrt()
    limit = cosine.detach().sign() / math.tan(_SMALLEST_ANGLE)
    cotangent = torch.where(regular, cosine / sine, limit)  # (3, F, B)

    edges = mesh.topology.edges
    weights = cotangent.new_zeros((edges.shape[0], cotangent.shape[-1]))
    weights = weights.index_add(0, mesh.topology.face_edges.T.reshape(-1), 0.5 * cotangent.flatten(0, 1))
    delta = _scatter_edges(mesh, weights[:, None] * _edge_vectors(mesh))
    return _reduce(delta.square().sum(-2), reduction)


_SMALLEST_ANGLE = math.radians(1.0)


def _batch_last(vectors: Tensor) -> Tensor:
    """(..., 3) of one mesh or (B, ..., 3) -> (..., 3, B), with B = 1 for one.

    What a whole batch has at a vertex then lies side by side, and is gathered and added at once: half of the time.
    """
    return (vectors if vectors.ndim == 3 else vectors[None]).movedim(0, -1).contiguous()


def _corners(mesh: Mesh) -> Tensor:
    """(3, F, 3, B): the first corners of all faces, the second, the third."""
    verts = _batch_last(mesh.verts)
    return verts.index_select(0, mesh.faces.T.reshape(-1)).unflatten(0, (3, -1))


def _edge_vectors(mesh: Mesh) -> Tensor:
    """(E, 3, B): from the first to the second vertex of each edge."""
    verts = _batch_last(mesh.verts)
    a, b = mesh.topology.edges.unbind(1)
    return verts.index_select(0, b) - verts.index_select(0, a)


def _scatter_edges(mesh: Mesh, vectors: Tensor) -> Tensor:
    """(V, 3, B): the sum over each vertex's edges of a vector (E, 3, B) that points from first to second end."""
    a, b = mesh.topology.edges.unbind(1)
    total = vectors.new_zeros((mesh.verts.shape[-2], *vectors.shape[1:]))
    return total.index_add(0, a, vectors).index_add(0, b, -vectors)


def _unit(vector: Tensor, smallest: float | None = None) -> tuple[Tensor, Tensor]:
    """``vector`` (..., 3, B) scaled to length 1, and (..., B) bool: where that was possible; elsewhere it is zero, with
    zero gradient."""
    if smallest is None:
        # below this the square root's gradient would overflow; about 3e-10 in float32
        smallest = torch.finfo(vector.dtype).tiny ** 0.25
    squared = vector.square().sum(-2, keepdim=True)
    ok = squared > smallest**2
    unit = torch.where(ok, vector * torch.where(ok, squared, 1.0).rsqrt(), 0.0)
    return unit, ok[..., 0, :]


def _unit_normals(mesh: Mesh) -> tuple[Tensor, Tensor]:
    """(F, 3, B) unit normals of the faces, zero for degenerate ones, and (F, B) bool: which are not."""
    a, b, c = _corners(mesh).unbind(0)
    arms = torch.stack([b - a, c - a])
    # relative to the longer edge, so that the size of the mesh does not matter; normals do not depend on it
    size = arms.detach().square().sum(-2, keepdim=True).amax(0).sqrt()
    tiny = torch.finfo(arms.dtype).tiny ** 0.25
    first, second = arms / torch.where(size > tiny, size, 1.0)
    return _unit(_cross(first, second), smallest=64 * torch.finfo(arms.dtype).eps)


def _cross(u: Tensor, v: Tensor) -> Tensor:
    """u x v, each (N, 3, B); torch's own takes four times as long where the axis is not the last."""
    (a, b, c), (d, e, f) = u.unbind(-2), v.unbind(-2)
    return torch.stack([b * f - c * e, c * d - a * f, a * e - b * d], -2)


def _reduce(terms: Tensor, reduction: Reduction) -> Tensor:
    """Sum or mean of (T, B) over its terms, mean over the batch; 0 when there are none."""
    if reduction not in ("sum", "mean"):
        raise ValueError(f"reduction: expected 'sum' or 'mean', got {reduction!r}")
    total = terms.sum(0)
    if reduction == "mean":
        total = total / max(terms.shape[0], 1)
    return total.mean()
