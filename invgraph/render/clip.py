"""Near-plane clipping: a face that crosses the plane keeps the part in front of it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry.topology import Topology


@dataclass(frozen=True, eq=False)
class Drawing:
    """What the primitives draw: points in camera space, and the faces of each image.

    ``ranges`` is None where all images share ``faces`` over their own points; after clipping each image has its own.
    """

    positions: Tensor
    """``(N, V, 3)`` camera-space points; with ranges ``(P, 3)``."""
    faces: Tensor
    """``(F, 3)`` int64."""
    ranges: Tensor | None
    """``(N, 2)`` int64 or None."""
    topology: Topology
    """Connectivity of ``faces``."""
    source_face: Tensor | None
    """With ranges: ``(F,)`` the face of the mesh that each drawn face is a part of."""
    ends: Tensor | None
    """With ranges: ``(M, 2)`` flat indices n * V + v of the edge that each new point, appended last, lies on."""
    fraction: Tensor | None
    """With ranges: ``(M, 1)`` where on that edge: 0 at the first end, 1 at the second."""

    def extend(self, values: Tensor) -> Tensor:
        """Values at the vertices ``(N, V, C)`` carried to the points: unchanged, or with ranges ``(P, C)``."""
        if self.ends is None or self.fraction is None:
            return values
        flat = values.reshape(-1, values.shape[-1])
        return torch.cat([flat, torch.lerp(flat[self.ends[:, 0]], flat[self.ends[:, 1]], self.fraction)])


def clip_near(positions: Tensor, topology: Topology, near: float | Tensor) -> Drawing:
    """Clip the faces of N images at the plane ``z = near``.

    New points lie on the crossed edges, one an edge, so that neighbouring faces stay joined and closed meshes get no
    cracks; they are differentiable with respect to ``positions``. Nothing is copied when no face reaches the plane.

    Args:
        positions: ``(N, V, 3)`` camera-space vertices.
        topology: of the mesh.
        near: depth of the plane, > 0.
    """
    faces = topology.faces
    front = positions[..., 2] >= near
    if bool(front.all()):
        return Drawing(positions, faces, None, topology, None, None, None)

    count, verts = front.shape
    # new points, one for each edge of each image with one end on either side; canonical ends, so that they are shared
    edges = topology.edges
    image, edge = (front[:, edges[:, 0]] != front[:, edges[:, 1]]).nonzero(as_tuple=True)
    new_point = torch.full((count, len(edges)), -1, device=positions.device)
    new_point[image, edge] = count * verts + torch.arange(len(image), device=positions.device)
    ends = edges[edge] + (image * verts)[:, None]
    flat = positions.reshape(-1, 3)
    z = flat[:, 2][ends]
    fraction = ((near - z[:, 0]) / (z[:, 1] - z[:, 0]))[:, None]
    crossing = torch.lerp(flat[ends[:, 0]], flat[ends[:, 1]], fraction)

    # each face by how many corners are in front; rotate it so that the odd corner comes first
    in_front = front[:, faces]  # (N, F, 3)
    inside = in_front.sum(-1)
    offset = (torch.arange(count, device=faces.device) * verts)[:, None, None]
    whole_image, whole_face = (inside == 3).nonzero(as_tuple=True)
    parts = [(whole_image, whole_face, faces[whole_face] + offset[whole_image, 0])]
    for kept in (1, 2):
        n, f = (inside == kept).nonzero(as_tuple=True)
        odd = (in_front[n, f] == (kept == 1)).int().argmax(-1)  # the only corner in front, or the only one behind
        turn = (odd[:, None] + torch.arange(3, device=faces.device)) % 3
        a, b, c = (faces[f].gather(1, turn) + offset[n, 0]).unbind(1)
        on = topology.face_edges[f].gather(1, turn)  # edges a-b, b-c, c-a
        p, q = new_point[n, on[:, 0]], new_point[n, on[:, 2]]  # on a-b and on c-a
        if kept == 1:
            parts.append((n, f, torch.stack([a, p, q], 1)))
        else:
            parts.append((n, f, torch.stack([p, b, c], 1)))
            parts.append((n, f, torch.stack([p, c, q], 1)))
    image, source, drawn = (torch.cat(columns) for columns in zip(*parts))
    order = torch.argsort(image * len(faces) + source, stable=True)
    image, source, drawn = image[order], source[order], drawn[order]
    bounds = torch.searchsorted(image, torch.arange(count + 1, device=image.device))
    points = torch.cat([flat, crossing])
    ranges = torch.stack([bounds[:-1], bounds[1:]], 1)
    return Drawing(points, drawn, ranges, Topology(drawn, len(points)), source, ends, fraction)
