"""From a mesh and cameras to what the primitives draw, and from what they saw back to the mesh."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..camera_conventions import to_pixels
from ..cameras import Cameras
from ..geometry.topology import Topology
from ..ops import Fragments
from .clip import Drawing, clip

NEAR_FRACTION = 1e-3  # default near plane of a perspective camera, as a fraction of the depth of the farthest vertex
NEAREST, FARTHEST = 3e-15, 3e14  # well within the depths that the primitives draw


@dataclass(frozen=True, eq=False)
class Projection:
    """A clipped drawing in the image plane.

    The primitives interpolate 1 / depth linearly in the image, as perspective asks for. Orthographic depth is itself
    linear, so they are given a depth z' with 1 / z' affine in z, falling from 2 at the nearest point to 1 at the
    farthest: what is visible, and every comparison of depths along an edge, is then exact, and ``fragments`` undoes it.

    Attributes:
        drawing: what is drawn, and how it is joined.
        points: ``(N, V, 3)``, with ``drawing.ranges`` ``(P, 3)``: pixel u, pixel v and the depth that the primitives
            take.
        depths: for orthographic cameras the depths z that have 1 / z' = 2 and 1 / z' = 1; None for perspective ones.
    """

    drawing: Drawing
    points: Tensor
    depths: tuple[float, float] | None = None

    def fragments(self, seen: Fragments) -> Fragments:
        """What was seen of the drawing, said of the mesh: as if nothing had been cut or had its depth replaced.

        Args:
            seen: what a backend saw of ``points`` and ``drawing``.

        Returns:
            ``face_id`` counts the faces of the image's mesh, ``barycentric`` weighs the corners of that face (so that
            attributes of the mesh's own vertices, or corners, are interpolated, whatever was cut) and ``depth`` is the
            camera's z, infinity on background. Differentiable with respect to the points.
        """
        face_id, barycentric, depth = seen
        if barycentric.shape[-1] and (self.depths is not None or self.drawing.part is not None):
            at = (face_id >= 0).nonzero(as_tuple=True)
            face = self._drawn(at[0], face_id[at])
            weights = barycentric[at]
            if self.depths is not None:
                weights = self._affine(weights, face, at[0], depth[at])
            barycentric = barycentric.index_put(at, self._on_source(weights, face))
        if self.depths is not None:
            first, last = self.depths
            depth = torch.where(face_id >= 0, first + (2 - 1 / depth) * (last - first), torch.inf)
        return Fragments(self._source_face(face_id), barycentric, depth)

    def _drawn(self, image: Tensor, face_id: Tensor) -> Tensor:
        """Faces local to their images -> indices into ``drawing.faces``."""
        face = face_id.long()
        return face if self.drawing.ranges is None else face + self.drawing.ranges[image, 0]

    def _source_face(self, face_id: Tensor) -> Tensor:
        if self.drawing.source_face is None:
            return face_id
        at = (face_id >= 0).nonzero(as_tuple=True)
        source = self.drawing.source_face[self._drawn(at[0], face_id[at])]
        return face_id.index_put(at, source.to(face_id.dtype))

    def _affine(self, weights: Tensor, face: Tensor, image: Tensor, depth: Tensor) -> Tensor:
        """Weights (M, 3) that are linear in space, by the z' of corners and pixel -> linear in the image."""
        corners = self.drawing.faces[face]
        if self.drawing.ranges is None:
            corners = corners + (image * self.points.shape[1])[:, None]
        return weights * self.points.reshape(-1, 3)[:, 2][corners] / depth[:, None]

    def _on_source(self, weights: Tensor, face: Tensor) -> Tensor:
        """Barycentrics (M, 3) on parts of faces -> on the faces."""
        if self.drawing.part is None or self.drawing.part_corners is None:
            return weights
        part = self.drawing.part[face]
        cut = (part > 0).nonzero()[:, 0]  # few are: leave the others alone
        on_source = (weights[cut, :, None] * self.drawing.part_corners[part[cut]]).sum(1)
        return weights.index_put((cut,), on_source)


def project(
    verts: Tensor,
    topology: Topology,
    cameras: Cameras,
    *,
    near: float | None = None,
    far: float | None = None,
    reach: float = 0.0,
    ranges: Tensor | None = None,
) -> Projection:
    """Clip a mesh to what N cameras can see and project it.

    Faces are cut at the near and far planes, and at guard planes far beside the picture where a vertex projects to
    coordinates at which the dtype could not tell 1/1000 pixel (1/32 for ``reach > 0``) any more. A face with a vertex
    that is not finite, or farther than a billionth of the dtype's greatest number, is left out; its vertices get no
    gradient and the others theirs. Perspective depths are cut to 3e-15..3e14 whatever near and far.

    Args:
        verts: world positions ``(V, 3)`` or ``(N, V, 3)``; with ``ranges`` ``(P, 3)``.
        topology: of the mesh; with ``ranges`` of all meshes together.
        cameras: N cameras.
        near: depth of the near plane in world units. None: for perspective cameras 1/1000 of the greatest depth, for
            orthographic ones 0, the camera's own plane. Perspective needs ``near > 0``; orthographic takes any depth,
            and -inf for no near plane.
        far: depth of the far plane; None: none.
        reach: how many pixels beside a face alpha still feels it; guard planes lie beyond.
        ranges: ``(N, 2)`` int64: the faces of each image's own mesh, ascending. No point may belong to two images.

    Raises:
        ValueError: near and far that are no depth range.
    """
    drawing = _posed(verts, topology, cameras, ranges)
    near, far = _depth_range(drawing.positions[..., 2], near, far, cameras.is_perspective)
    along = drawing.positions.new_tensor([[0.0, 0.0, 1.0, -near], [0.0, 0.0, -1.0, far]])
    drawing = clip(drawing, [p.expand(len(cameras), 4) for p, at in zip(along, (near, far)) if math.isfinite(at)])

    depths = None if cameras.is_perspective else _span(drawing.positions[..., 2], near, far)
    points = _points(drawing, cameras, near, depths)
    finest = torch.finfo(points.dtype).eps
    guard = max((1 / 32 if reach > 0 else 1e-3) / finest, reach, *cameras.image_size)
    low, high = points[..., :2].detach().aminmax() if points.numel() else points.new_zeros(2)
    if not bool(high - low <= guard):
        drawing = clip(drawing, _guard_planes(cameras, guard))
        points = _points(drawing, cameras, near, depths)
    return Projection(drawing, points, depths)


def _posed(verts: Tensor, topology: Topology, cameras: Cameras, ranges: Tensor | None) -> Drawing:
    """The drawing in camera space, all finite."""
    image = None if ranges is None else _image_of_points(topology, ranges, len(cameras))

    def pose(verts: Tensor) -> Tensor:
        if image is None:
            return cameras.world_to_camera(verts)
        return (cameras.R[image] @ verts[..., None])[..., 0] + cameras.t[image]

    positions = pose(verts)
    low, high = positions.detach().aminmax() if positions.numel() else positions.new_zeros(2)
    sound, limit = None, torch.finfo(positions.dtype).max * 1e-9  # beyond, products with K and the planes may overflow
    if not bool((low > -limit) & (high < limit)):
        known = verts.isfinite().all(-1, keepdim=True)
        positions = pose(torch.where(known, verts, 0.0))  # not a number times no gradient would be none
        sound = (positions.abs() < limit).all(-1) & known[..., 0]
        positions = torch.where(sound[..., None], positions, 0.0)
    if ranges is None or image is None:
        drawing = Drawing(positions, topology)
    else:
        drawing = Drawing.packed(positions, topology, ranges, image)
    if sound is None or bool(sound.all()):
        return drawing
    drawing = drawing.unshared()
    return drawing.without(~sound.reshape(-1)[drawing.faces].all(1))


def _depth_range(depth: Tensor, near: float | None, far: float | None, perspective: bool) -> tuple[float, float]:
    far = math.inf if far is None else float(far)
    if perspective:
        if not far > 0:
            raise ValueError(f"far: expected a positive depth, got {far}")
        deepest = float(depth.detach().amax()) if depth.numel() else 0.0
        if deepest > FARTHEST:  # a plane only where there is something to cut
            far = min(far, FARTHEST)
        farthest = min(deepest, far)
        if near is None:
            near = NEAR_FRACTION * (farthest if farthest > 0 else min(far, 1.0))
        if near > 0:
            near = max(near, NEAREST)
    near = 0.0 if near is None else float(near)
    if perspective and not 0 < near < math.inf:
        raise ValueError(f"near: expected a positive depth, got {near}")
    if not near < math.inf:
        raise ValueError(f"near: expected a depth, got {near}")
    if not far > near:
        raise ValueError(f"far: expected a depth beyond near = {near}, got {far}")
    return near, far


def _span(depth: Tensor, near: float, far: float) -> tuple[float, float]:
    """The least and the greatest depth, of those between near and far."""
    if not depth.numel():
        return 0.0, 1.0
    low, high = (min(max(float(x), near), far) for x in depth.detach().aminmax())
    # two depths that the dtype can tell apart, in any unit
    return low, max(high, low + (1e-3 * max(abs(low), abs(high)) or 1.0))


def _image_of_points(topology: Topology, ranges: Tensor, count: int) -> Tensor:
    """(P,) the image whose faces use each point; unused points go to image 0."""
    image = topology.faces.new_zeros(topology.num_verts)
    owner = torch.repeat_interleave(torch.arange(count, device=ranges.device), ranges[:, 1] - ranges[:, 0])
    return image.index_put((topology.faces.reshape(-1),), owner.repeat_interleave(3))


def _points(drawing: Drawing, cameras: Cameras, near: float, depths: tuple[float, float] | None) -> Tensor:
    """Camera-space points to (u, v, depth); those before the near plane, which no face uses, are kept finite."""
    x, K = drawing.positions, cameras.K
    if drawing.image is not None:  # every point needs its own camera
        x, K = x[:, None], K[drawing.image]
    if depths is None:
        # half the depth: a new point on the plane may be rounded to before it, and keeps its gradient
        points = to_pixels(x, K, True, x[..., 2:].clamp_min(near / 2))
    else:
        first, last = depths
        inverse = 2 - (x[..., 2:] - first) / (last - first)
        points = to_pixels(x, K, False, 1 / inverse.clamp(0.5, 2.5))
    return points if drawing.image is None else points[:, 0]


def _guard_planes(cameras: Cameras, guard: float) -> list[Tensor]:
    """Four planes, each (N, 4), that end ``guard`` pixels beside the picture."""
    K = cameras.K.detach()
    one = torch.zeros_like(K[:, 0]).index_fill(1, K.new_tensor([2], dtype=torch.int64), 1.0)
    planes = []
    for row, size in ((K[:, 0], cameras.image_size[1]), (K[:, 1], cameras.image_size[0])):
        planes += [row + guard * one, (size + guard) * one - row]
    zero = torch.zeros_like(K[:, 0, :1])
    if cameras.is_perspective:  # u z >= -guard z
        return [torch.cat([plane, zero], 1) for plane in planes]
    return [torch.cat([plane[:, :2], zero, plane[:, 2:]], 1) for plane in planes]
