"""Clipping at half-spaces: a face that crosses a plane keeps the part in front of it.

Sutherland & Hodgman, Reentrant Polygon Clipping, 1974, one plane after the other, over whole meshes at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..geometry.topology import Topology


@dataclass(frozen=True, eq=False)
class Drawing:
    """What the primitives draw: points in camera space, and the faces of each image.

    ``ranges`` is None where all images share the faces over their own points; otherwise each image has its own faces
    over one list of points: different meshes, or what clipping left.
    """

    positions: Tensor
    """``(N, V, 3)`` camera-space points; with ranges ``(P, 3)``."""
    topology: Topology
    """Connectivity of the drawn faces."""
    ranges: Tensor | None = None
    """``(N, 2)`` int64 or None: first and last + 1 face of each image."""
    image: Tensor | None = None
    """With ranges: ``(P,)`` int64, the image that each point belongs to."""
    source_face: Tensor | None = None
    """With ranges: ``(F,)`` int64, the face of the image's mesh that each drawn face is, or is a part of."""
    part: Tensor | None = None
    """After a cut: ``(F,)`` int64, 0 for a whole face, else its row in ``part_corners``."""
    part_corners: Tensor | None = None
    """After a cut: ``(M, 3, 3)`` barycentrics of a part's three corners on its source face; row 0 is the identity."""

    @property
    def faces(self) -> Tensor:
        """``(F, 3)`` int64."""
        return self.topology.faces

    @staticmethod
    def packed(positions: Tensor, topology: Topology, ranges: Tensor, image: Tensor) -> Drawing:
        """Each image draws faces of its own: ``positions (P, 3)``, ``ranges (N, 2)`` and ``image (P,)`` as above."""
        face = torch.arange(topology.num_faces, device=ranges.device)
        owner = torch.searchsorted(ranges[:, 1].contiguous(), face, right=True)
        return Drawing(positions, topology, ranges, image, face - ranges[owner, 0])

    def unshared(self) -> Drawing:
        """The same drawing with ranges: every image gets faces of its own."""
        if self.ranges is not None:
            return self
        (count, verts), faces = self.positions.shape[:2], len(self.faces)
        index = torch.arange(count, device=self.faces.device)
        drawn = (self.faces + (index * verts)[:, None, None]).reshape(-1, 3)
        first = index[:, None] * faces
        return Drawing(
            self.positions.reshape(-1, 3),
            Topology(drawn, count * verts),
            torch.cat([first, first + faces], 1),
            index.repeat_interleave(verts),
            torch.arange(faces, device=self.faces.device).repeat(count),
        )

    def without(self, faces: Tensor) -> Drawing:
        """The drawing less the drawn faces that the mask ``(F,)`` names; with ranges."""
        whole = self.unshared()
        keep = (~faces).nonzero()[:, 0]
        return _keep(whole, keep, whole.faces[keep], None if whole.part is None else whole.part[keep])


def clip(drawing: Drawing, planes: Sequence[Tensor]) -> Drawing:
    """Cut the faces of N images at planes ``a x + b y + c z + d = 0``; what lies on the side of >= 0 stays.

    New points lie on the crossed edges, one an edge, so that neighbouring faces stay joined and closed meshes get no
    cracks; they are differentiable with respect to the positions and the planes. A face that only touches a plane from
    behind, by a corner or an edge, leaves nothing. Nothing is copied where no point lies behind a plane. What is left
    of a face is one triangle or two; a soft silhouette, which counts faces, counts both.

    Args:
        drawing: finite points in camera space.
        planes: each ``(N, 4)``, the (a, b, c, d) of every image.
    """
    for plane in planes:
        drawing = _cut(drawing, plane)
    return drawing


def _cut(drawing: Drawing, plane: Tensor) -> Drawing:
    if drawing.image is None:
        distance = (drawing.positions @ plane[:, :3, None])[..., 0] + plane[:, 3:]
    else:
        own = plane[drawing.image]
        distance = (drawing.positions * own[:, :3]).sum(-1) + own[:, 3]
    if bool((distance >= 0).all()):
        return drawing
    drawing, distance = drawing.unshared(), distance.reshape(-1)
    faces = drawing.faces
    front = (distance >= 0)[faces]
    inside = front.sum(1)
    whole = (inside == 3).nonzero()[:, 0]
    # parts: a corner in front of the plane, or an edge; what touches the plane by it alone has no area
    ahead = (distance > 0)[faces].any(1)
    mixed = (ahead & (inside > 0) & (inside < 3)).nonzero()[:, 0]

    # the odd corner, alone on its side, comes first: the plane crosses its two edges
    alone = front[mixed] == (inside[mixed] == 1)[:, None]
    turn = (alone.int().argmax(1, keepdim=True) + torch.arange(3, device=faces.device)) % 3
    corners = faces[mixed].gather(1, turn)
    a, b, c = corners.unbind(1)
    # one new point for each crossed edge, from canonical ends, so that its faces share it
    pairs = torch.stack([torch.stack([a, a]), torch.stack([b, c])])  # (2 ends, 2 edges, mixed)
    low, high = pairs.amin(0), pairs.amax(0)
    count = len(drawing.positions)
    keys, crossing = torch.unique(low * count + high, return_inverse=True)
    ends = torch.stack([keys // max(count, 1), keys % max(count, 1)])
    d = distance[ends]
    # from the end nearer to the plane: the other may be so far that it says nothing about where the plane is
    near, far = torch.where(d[0].abs() > d[1].abs(), torch.stack([ends[1], ends[0]]), ends)
    fraction = (distance[near] / (distance[near] - distance[far]))[:, None]
    points = torch.lerp(drawing.positions[near], drawing.positions[far], fraction)
    fraction = torch.where((near == ends[0])[:, None], fraction, 1 - fraction)
    p, q = count + crossing

    # the corners of the mixed faces and of their new points, as barycentrics of the source faces
    weights = _part_corners(drawing, mixed).gather(1, turn[..., None].expand(-1, -1, 3))
    along = fraction[crossing, 0][..., None]  # (2 edges, mixed, 1), from the low end
    along = torch.where((pairs[0] == low)[..., None], along, 1 - along)
    at_a, at_b, at_c = weights.unbind(1)
    at_p, at_q = torch.lerp(at_a, at_b, along[0]), torch.lerp(at_a, at_c, along[1])

    one, two = (inside[mixed] == 1), (inside[mixed] == 2)
    # the quadrilateral p b c q; a corner b or c on the plane leaves a triangle of it
    upper, lower = two & (distance[b] > 0), two & (distance[c] > 0)
    choices = (
        (one, (a, p, q), (at_a, at_p, at_q)),
        (upper, (p, b, c), (at_p, at_b, at_c)),
        (lower, (p, c, q), (at_p, at_c, at_q)),
    )
    source = torch.cat([whole, *(mixed[mask] for mask, _, _ in choices)])
    cut = torch.cat([torch.stack(index, 1)[mask] for mask, index, _ in choices])
    cut_weights = torch.cat([torch.stack(weight, 1)[mask] for mask, _, weight in choices])

    identity = torch.eye(3, dtype=points.dtype, device=points.device)[None]
    rows = identity if drawing.part_corners is None else drawing.part_corners
    old = whole.new_zeros(len(whole)) if drawing.part is None else drawing.part[whole]
    part = torch.cat([old, len(rows) + torch.arange(len(cut), device=faces.device)])
    order = torch.argsort(source, stable=True)
    extended = Drawing(
        torch.cat([drawing.positions, points]),
        drawing.topology,
        drawing.ranges,
        None if drawing.image is None else torch.cat([drawing.image, drawing.image[ends[0]]]),
        drawing.source_face,
        None,
        torch.cat([rows, cut_weights]),
    )
    return _keep(extended, source[order], torch.cat([faces[whole], cut])[order], part[order])


def _part_corners(drawing: Drawing, faces: Tensor) -> Tensor:
    """(M, 3, 3) barycentrics of the corners of drawn faces on their source faces."""
    if drawing.part is None or drawing.part_corners is None:
        eye = torch.eye(3, dtype=drawing.positions.dtype, device=drawing.positions.device)
        return eye.expand(len(faces), 3, 3)
    return drawing.part_corners[drawing.part[faces]]


def _keep(drawing: Drawing, source: Tensor, faces: Tensor, part: Tensor | None) -> Drawing:
    """New faces, each of which stands for, or is cut from, the drawn face ``source`` (ascending)."""
    if drawing.ranges is None or drawing.source_face is None:
        raise ValueError("drawing: expected one with ranges")
    ranges = torch.searchsorted(source, drawing.ranges)
    topology = Topology(faces, len(drawing.positions))
    face = drawing.source_face[source]
    return Drawing(drawing.positions, topology, ranges, drawing.image, face, part, drawing.part_corners)
