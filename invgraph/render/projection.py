"""From a mesh and cameras to what the primitives draw, and from what they saw back to the mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..cameras import Cameras
from ..geometry.topology import Topology
from ..ops import Fragments
from .clip import Drawing, clip

NEAR_FRACTION = 1e-3  # default near plane, as a fraction of the depth of the farthest vertex


@dataclass(frozen=True, eq=False)
class Projection:
    """A clipped drawing in the image plane.

    Attributes:
        drawing: what is drawn, and how it is joined.
        points: ``(N, V, 3)``, with ``drawing.ranges`` ``(P, 3)``: pixel u, pixel v and the depth that the primitives
            take.
    """

    drawing: Drawing
    points: Tensor

    def fragments(self, seen: Fragments) -> Fragments:
        """What was seen of the drawing, said of the mesh: as if nothing had been cut.

        Args:
            seen: what a backend saw of ``points`` and ``drawing``.

        Returns:
            ``face_id`` counts the faces of the image's mesh, ``barycentric`` weighs the corners of that face (so that
            attributes of the mesh's own vertices, or corners, are interpolated, whatever was cut) and ``depth`` is the
            camera's z, infinity on background. Differentiable with respect to the points.
        """
        barycentric = seen.barycentric
        if barycentric.shape[-1]:
            barycentric = self._on_source(barycentric, seen.face_id)
        return Fragments(self._source_face(seen.face_id), barycentric, seen.depth)

    def _drawn(self, image: Tensor, face_id: Tensor) -> Tensor:
        """Faces local to their images -> indices into ``drawing.faces``."""
        face = face_id.long()
        return face if self.drawing.ranges is None else face + self.drawing.ranges[image, 0]

    def _source_face(self, face_id: Tensor) -> Tensor:
        if self.drawing.source_face is None:
            return face_id
        image, row, column = (face_id >= 0).nonzero(as_tuple=True)
        source = self.drawing.source_face[self._drawn(image, face_id[image, row, column])]
        return face_id.index_put((image, row, column), source.to(face_id.dtype))

    def _on_source(self, barycentric: Tensor, face_id: Tensor) -> Tensor:
        """Barycentrics on parts of faces -> on the faces."""
        part, corners = self.drawing.part, self.drawing.part_corners
        if part is None or corners is None:
            return barycentric
        image, row, column = (face_id >= 0).nonzero(as_tuple=True)
        seen = part[self._drawn(image, face_id[image, row, column])]
        cut = seen > 0  # few are: leave the others alone
        at = (image[cut], row[cut], column[cut])
        weights = (barycentric[at][:, :, None] * corners[seen[cut]]).sum(1)
        return barycentric.index_put(at, weights)


def project(
    verts: Tensor,
    topology: Topology,
    cameras: Cameras,
    *,
    near: float | None = None,
    far: float | None = None,
    ranges: Tensor | None = None,
) -> Projection:
    """Clip a mesh at the near and far planes and project it.

    Args:
        verts: world positions ``(V, 3)`` or ``(N, V, 3)``; with ``ranges`` ``(P, 3)``.
        topology: of the mesh; with ``ranges`` of all meshes together.
        cameras: N cameras.
        near, far: depths in world units as in :func:`invgraph.render.render`.
        ranges: ``(N, 2)`` int64: the faces of each image's own mesh, ascending. No point may belong to two images.
    """
    if ranges is None:
        drawing = Drawing(cameras.world_to_camera(verts), topology)
    else:
        image = _image_of_points(topology, ranges, len(cameras))
        R, t = cameras.R[image], cameras.t[image]
        drawing = Drawing.packed((R @ verts[..., None])[..., 0] + t, topology, ranges, image)
    near, far = _depth_range(drawing.positions, near, far)
    plane = drawing.positions.new_tensor([0.0, 0.0, 1.0, -near]).expand(len(cameras), 4)
    planes = [plane]
    if math.isfinite(far):
        planes.append(plane.new_tensor([0.0, 0.0, -1.0, far]).expand(len(cameras), 4))
    drawing = clip(drawing, planes)
    return Projection(drawing, _points(drawing, cameras, near))


def _depth_range(positions: Tensor, near: float | None, far: float | None) -> tuple[float, float]:
    if near is None:
        depth = float(positions[..., 2].detach().amax()) if positions.numel() else 1.0
        near = depth * NEAR_FRACTION if depth > 0 else 1.0
        near = near if far is None else min(near, far * NEAR_FRACTION)
    far = math.inf if far is None else far
    if not near > 0:
        raise ValueError(f"near: expected a positive depth, got {near}")
    if not far > near:
        raise ValueError(f"far: expected a depth beyond near = {near}, got {far}")
    return near, far


def _image_of_points(topology: Topology, ranges: Tensor, count: int) -> Tensor:
    """(P,) the image whose faces use each point; unused points go to image 0."""
    image = topology.faces.new_zeros(topology.num_verts)
    owner = torch.repeat_interleave(torch.arange(count, device=ranges.device), ranges[:, 1] - ranges[:, 0])
    return image.index_put((topology.faces.reshape(-1),), owner.repeat_interleave(3))


def _points(drawing: Drawing, cameras: Cameras, near: float) -> Tensor:
    """Camera-space points to (u, v, z); points behind the near plane, which no face uses, are kept finite."""
    x, K = drawing.positions, cameras.K
    if drawing.image is not None:  # every point needs its own camera
        x, K = x[:, None], K[drawing.image]
    # half the depth: a new point on the plane may be rounded to before it, and keeps its gradient
    z = x[..., 2:].clamp_min(near / 2)
    points = torch.cat([(x @ K.mT)[..., :2] / z, z], -1)
    return points if drawing.image is None else points[:, 0]
