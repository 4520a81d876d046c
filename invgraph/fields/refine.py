"""Refinement of an extracted mesh against the values and the gradients of its field."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry import Mesh
from .descend import Progress
from .normals import unit
from .oriented import BoundsLike, FieldLike, Inside, Oriented

# Of the optimizer's running mean of squares. With the usual 0.99 the first step is ten times its rate and folds faces.
_ALPHA = 0.9


def refine_mesh(
    field: FieldLike,
    mesh: Mesh,
    *,
    code: Tensor | None = None,
    bounds: BoundsLike | None = None,
    level: float = 0.0,
    inside: Inside | None = None,
    steps: int = 30,
    normal_weight: float = 0.02,
    learning_rate: float = 0.03,
    batch: int = 2**14,
    seed: int = 0,
    progress: Progress | None = None,
) -> Mesh:
    """Move the vertices of a mesh so that its faces lie on a field's surface and along it.

    Steps of RMSprop on a random point ``p`` of each face with unit normal ``n``, weighted by the faces' areas
    (Mescheder et al. 2019, "Occupancy Networks", section 3.3)::

        (f(p) - level)^2 + normal_weight |grad f(p) / |grad f(p)| - n|^2

    The gradient of the second term goes through the field's gradient, so that the field is differentiated twice.
    ``f - level`` is taken in units of the change of ``f`` along an edge of mean length, where it is about the distance
    from the surface in such edges; so the same weight serves every field and every scale.

    Args:
        field: a :class:`Field`, or a callable from points (P, 3), and the code if there is one, to values (P,).
        mesh: one mesh near the surface, as :func:`extract_mesh` gives it.
        code: (code_size,) the shape, for fields of many.
        bounds: the box (2, 3) that the mesh was extracted in; by default the field's, or [-1, 1]^3. Where the mesh was
            cut there it stays as it is.
        level: the value on the surface.
        inside: which values are inside, those "above" or "below" the level; by default as the field's kind says, and
            "above" for a callable.
        steps: steps of the optimizer, at least 0.
        normal_weight: of the second term, at least 0.
        learning_rate: step of the optimizer at the start, in mean edge lengths, above 0; it falls linearly to zero.
        batch: faces at a time.
        seed: of the random points; the same seed gives the same mesh.
        progress: called after each step with its number, ``steps`` and the two terms.

    Returns:
        The mesh with other vertices, without a gradient; appearance and faces are kept.

    Raises:
        InputError: a weight of the field is not finite, or its gradient at the mesh is zero or not finite.
        ValueError: an argument out of its range, or a field without a gradient with respect to its points.
        RuntimeError: by torch, where the field cannot be differentiated twice.
    """
    if mesh.is_batched or not mesh.num_faces:
        raise ValueError(f"mesh: expected one mesh with faces, got {mesh}")
    for name, number, least in (("steps", steps, 0), ("normal_weight", normal_weight, 0), ("batch", batch, 1)):
        if not number >= least:
            raise ValueError(f"{name}: expected at least {least}, got {number}")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate: expected a number above 0, got {learning_rate}")
    function = Oriented(field, code, level, inside, bounds)
    mesh = mesh.detach()
    edge = float(mesh.edge_lengths().mean())
    cut = (mesh.verts[:, None] == function.bounds.to(mesh.verts)).any(1)
    counted = ~cut[mesh.faces].all(1).any(1)
    verts = mesh.verts.clone().requires_grad_()
    optimizer = torch.optim.RMSprop([verts], lr=learning_rate * edge, alpha=_ALPHA)
    generator = torch.Generator().manual_seed(seed)
    with function.evaluating():
        _, slope = function.gradient(mesh.triangles().mean(1)[:: max(1, mesh.num_faces // batch)])
        steepness = float(slope.norm(dim=1).mean())
        unit_value = edge * steepness
        if not 0 < unit_value < float("inf"):
            raise InputError(
                f"field: expected values that change at the mesh, {function.name} has a slope of {steepness:.3g}"
            )
        for step in range(1, steps + 1):
            optimizer.zero_grad()
            optimizer.param_groups[0]["lr"] = learning_rate * edge * (1 - (step - 1) / steps)
            weights = _random_barycentric(mesh.num_faces, generator).to(verts)
            terms = {"value": 0.0, "normal": 0.0}
            share = _shares(mesh.with_verts(verts.detach()), counted)
            for start in range(0, mesh.num_faces, batch):
                part = slice(start, start + batch)
                corners = verts[mesh.faces[part]]
                points = (weights[part, :, None] * corners).sum(1)
                values, slope = function.gradient(points, create_graph=True)
                a, b, c = corners.unbind(1)
                across = unit(torch.linalg.cross(b - a, c - a))
                value = (share[part] * (values / unit_value).square()).sum()
                normal = (share[part] * (unit(-slope) - across).square().sum(1)).sum()
                (value + normal_weight * normal).backward(inputs=[verts])
                terms["value"] += float(value.detach())
                terms["normal"] += float(normal.detach())
            assert verts.grad is not None
            verts.grad[cut] = 0
            optimizer.step()
            if progress is not None:
                progress(step, steps, terms)
    return mesh.with_verts(verts.detach())


def _random_barycentric(count: int, generator: torch.Generator) -> Tensor:
    """(count, 3) uniform in the triangle: the gaps between two ordered numbers in [0, 1]."""
    cuts = torch.rand((count, 2), generator=generator).sort(dim=1).values
    return torch.stack([cuts[:, 0], cuts[:, 1] - cuts[:, 0], 1 - cuts[:, 1]], dim=1)


def _shares(mesh: Mesh, counted: Tensor) -> Tensor:
    """(F,) the share of each face in the area of those that count, 0 for the others."""
    area = mesh.face_areas() * counted
    total = float(area.sum())
    if not 0 < total < float("inf"):
        raise ValueError(f"mesh: expected a surface within the bounds of a finite area above 0, got {total}")
    return area / total
