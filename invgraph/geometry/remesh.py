"""Isotropic remeshing: near-uniform triangles of a wanted size on the same surface."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor

from .mesh import Mesh
from .nearest import NearestPoint
from .remesh_collapse import _drop_unused, collapse_short_edges
from .remesh_flip import flip_edges
from .remesh_split import Surface, dot, split_long_edges
from .repair import pinched_verts

_LONG, _SHORT = 4 / 3, 4 / 5  # of the target: a split gives edges no shorter than what a collapse would take
_MAX_FACES = 50_000_000


@torch.no_grad()
def remesh(
    mesh: Mesh,
    edge_length: float | Tensor,
    iterations: int = 5,
    *,
    project: bool = True,
    boundary: Literal["resample", "keep"] = "resample",
) -> Mesh:
    """Rebuild a surface from triangles whose edges are all about ``edge_length``.

    Each iteration splits edges longer than 4/3 of the target, collapses those shorter than 4/5, flips edges towards
    valence six, and moves vertices within the surface towards the centroid of their neighbours (Botsch and Kobbelt
    2004, "A remeshing approach to multiresolution modeling"; in rounds of independent operations as in Palfinger
    2022, "Continuous remeshing for inverse rendering").

    What holds of the input holds of the result: closed, consistently oriented, edge- and vertex-manifold, the same
    Euler characteristic and number of components. No step turns a face over or makes a degenerate or duplicate one;
    self-intersections are not looked for. Sharp edges are rounded at the scale of the target. A handle or a component
    smaller than the target keeps the few triangles that it takes.

    Args:
        mesh: one mesh. Where it is not manifold, vertices stay as they are.
        edge_length: target length, above 0, in the mesh's units; or (V,) one for each vertex, interpolated between.
        iterations: 3 to 10; 5 give near-uniform triangles from marching cubes or a coarse mesh.
        project: put vertices back on the input surface after each smoothing, and at the end let faces straddle it,
            so that the volume stays. Without, it takes 60% of the time and wears curved parts off a little.
        boundary: open borders are resampled like the rest ("resample", corners stay) or left as they are ("keep").

    Returns:
        A new mesh with the input's dtype and device, without gradients to it and without its appearance. The same
        input gives the same bytes on the CPU.

    Raises:
        ValueError: a batch, an empty mesh, vertices or lengths that are not finite or not positive, or a target so
            small that more than 50 million faces would come out.
    """
    mesh = mesh.detach()
    repeats = (mesh.faces == mesh.faces.roll(-1, dims=1)).any(1)
    if bool(repeats.any()):
        mesh = Mesh(mesh.verts, mesh.faces[~repeats])
    size = _checked(mesh, edge_length, iterations, boundary)
    verts = mesh.verts.double()
    surface = Surface(verts, mesh.faces, size, pinched_verts(mesh.topology), boundary == "keep")
    _drop_unused(surface)
    nearest = NearestPoint(mesh, 0.5 * float(size.min())) if project else None
    target = size if isinstance(edge_length, Tensor) and edge_length.ndim else None
    with _one_thread():
        for _ in range(iterations):
            _iterate(surface, mesh, nearest, target)
        flip_edges(surface, delaunay=True, rounds=3)
        if nearest is not None:
            _fit(surface, nearest)
    return Mesh(surface.verts.to(mesh.verts.dtype), surface.faces)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread meanwhile.

    Thousands of operations of a tenth of a millisecond gain little from more, and on a busy machine each waits for the
    slowest thread: ten times the time, measured with two threads on two cores that others used as well.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _iterate(surface: Surface, source: Mesh, nearest: NearestPoint | None, target: Tensor | None) -> None:
    """Split, collapse, flip, smooth."""
    split_long_edges(surface, _LONG)
    collapse_short_edges(surface, _SHORT, _LONG)
    flip_edges(surface, delaunay=False, rounds=3)
    _smooth(surface, source, nearest, target)


def _checked(mesh: Mesh, edge_length: float | Tensor, iterations: int, boundary: str) -> Tensor:
    """Validate the arguments of :func:`remesh`; returns the target at each vertex, (V,) float64."""
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    if mesh.num_faces == 0 or not bool(torch.isfinite(mesh.verts).all()):
        raise ValueError(f"mesh: expected faces and finite vertices, got {mesh}")
    if iterations < 1:
        raise ValueError(f"iterations: expected at least 1, got {iterations}")
    if boundary not in ("resample", "keep"):
        raise ValueError(f"boundary: expected 'resample' or 'keep', got {boundary!r}")
    size = torch.as_tensor(edge_length, dtype=torch.float64, device=mesh.verts.device).detach()
    if size.ndim and size.shape != (mesh.num_verts,):
        raise ValueError(f"edge_length: expected a number or shape ({mesh.num_verts},), got {tuple(size.shape)}")
    if not bool((torch.isfinite(size) & (size > 0)).all()):
        raise ValueError(f"edge_length: expected finite lengths above 0, got a minimum of {float(size.min())}")
    size = size.expand(mesh.num_verts)
    area = mesh.detach().face_areas().double()
    number = float((area / size[mesh.faces].mean(1).square()).sum()) * 4 / math.sqrt(3)
    if number > _MAX_FACES:
        raise ValueError(
            f"edge_length: {float(size.min()):.3g} would give about {number:.2g} faces, at most {_MAX_FACES}"
        )
    return size


def _smooth(surface: Surface, source: Mesh, nearest: NearestPoint | None, target: Tensor | None) -> None:
    """Move vertices towards the area-weighted centroid of the faces around, in the tangent plane or on the input."""
    mesh = Mesh(surface.verts, surface.faces)
    corner = surface.faces.reshape(-1)
    area = mesh.face_areas() / surface.size[surface.faces].mean(1).square()
    weighted = (area[:, None] * mesh.triangles().mean(1)).repeat_interleave(3, 0)
    total = torch.zeros_like(surface.size).index_add_(0, corner, area.repeat_interleave(3))
    normals = mesh.vertex_normals()
    centroid = torch.zeros_like(surface.verts).index_add_(0, corner, weighted) / _nonzero(total)
    offset = torch.where(total[:, None] > 0, centroid - surface.verts, 0.0)  # nothing to go by among faces without area
    moved = surface.verts + offset - dot(offset, normals)[:, None] * normals
    fixed = surface.locked | mesh.topology.boundary_verts
    if nearest is not None:
        found, face, weights, facing = nearest(moved, normals)
        moved = torch.where(facing[:, None], found, surface.verts)
        if target is not None:
            surface.size = (target[source.faces[face]] * weights).sum(1)
    moved = torch.where(fixed[:, None], surface.verts, moved)
    surface.verts = _without_folds(mesh, moved, normals)


def _fit(surface: Surface, nearest: NearestPoint) -> None:
    """One weighted Jacobi step of fitting the faces, rather than the vertices, to the input surface.

    A mesh with its vertices on a convex surface lies inside it and loses volume. Three points of each face (Gauss
    points of degree two) ask for their offset from the surface, and each vertex takes the mean weighted by its
    barycentric coordinate and the area.
    """
    mesh = Mesh(surface.verts, surface.faces)
    weights = (torch.eye(3, dtype=torch.float64, device=mesh.verts.device) * 3 + 1) / 6
    points = (weights @ mesh.triangles()).reshape(-1, 3)
    found, _, _, facing = nearest(points, mesh.face_normals().repeat_interleave(3, 0), candidates=2)
    offset = torch.where(facing[:, None], found - points, 0.0).reshape(-1, 3, 3)
    area = mesh.face_areas()
    wanted = (weights.T @ offset * area[:, None, None]).reshape(-1, 3)  # (3F, 3)
    corner = surface.faces.reshape(-1)
    total = torch.zeros_like(surface.size).index_add_(0, corner, area.repeat_interleave(3))
    step = torch.zeros_like(surface.verts).index_add_(0, corner, wanted) / _nonzero(total)
    fixed = surface.locked | mesh.topology.boundary_verts
    moved = torch.where(fixed[:, None], surface.verts, surface.verts + step)
    surface.verts = _without_folds(mesh, moved, mesh.vertex_normals())


def _nonzero(total: Tensor) -> Tensor:
    """(V, 1) divisors."""
    return torch.where(total > 0, total, 1.0)[:, None]


def _without_folds(mesh: Mesh, moved: Tensor, normals: Tensor) -> Tensor:
    """``moved``, with the vertices of faces that would turn against the surface put back where they were."""
    toward = normals[mesh.faces].sum(1)
    fine = dot(mesh.face_normals(), toward) > 0
    for _ in range(10):
        turned = fine & (dot(mesh.with_verts(moved).face_normals(), toward) <= 0)
        if not bool(turned.any()):
            return moved
        back = mesh.faces[turned].reshape(-1)
        moved = moved.index_copy(0, back, mesh.verts[back])
    return mesh.verts
