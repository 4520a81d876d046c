"""What is seen of the surface at each pixel: positions, normals, texture coordinates, and its colours, lit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import ops
from ..camera_conventions import to_pixels
from ..cameras import Cameras
from ..geometry.appearance import FaceColors, Texture, VertexColors
from .lights import Light
from .scene import Scene
from .shading import Material, shade


@dataclass(frozen=True, eq=False)
class Surface:
    """Attributes of the visible surface, each made when it is first asked for.

    Attributes:
        scene: what was drawn.
        cameras: N cameras.
        fragments: what they saw of the scene's mesh, with barycentrics.
        flat: normals are those of the faces.
    """

    scene: Scene
    cameras: Cameras
    fragments: ops.Fragments
    flat: bool

    @cached_property
    def seen(self) -> Tensor:
        """``(M,)`` int64 of the pixels that see a face, image by image: shading leaves the others alone."""
        return (self.fragments.face_id >= 0).reshape(-1).nonzero()[:, 0]

    @cached_property
    def image(self) -> Tensor:
        """``(M,)`` int64 image that each seen pixel is in."""
        height, width = self.fragments.face_id.shape[1:]
        return torch.div(self.seen, height * width, rounding_mode="floor")

    @cached_property
    def position(self) -> Tensor:
        """``(N, H, W, 3)`` in the world."""
        return self._of_verts(self.scene.sound.verts)

    @cached_property
    def normal(self) -> Tensor:
        """``(N, H, W, 3)`` unit, in the world frame; 0 on background."""
        shape = (*self.fragments.face_id.shape, 3)
        return self._normals.new_zeros(shape).reshape(-1, 3).index_copy(0, self.seen, self._normals).reshape(shape)

    @cached_property
    def _normals(self) -> Tensor:
        """``(M, 3)`` unit, of the seen pixels."""
        normals = self.scene.normals(self.flat)
        if self.flat:
            return self._rows(self._of_faces(normals))
        return F.normalize(self._rows(self._of_verts(normals)), dim=-1)

    @cached_property
    def uv(self) -> Tensor:
        """``(N, H, W, 2)``."""
        look = self.scene.mesh.appearance
        if not isinstance(look, Texture):
            kind = "no appearance" if look is None else type(look).__name__
            raise ValueError(f"outputs: uv needs a mesh whose appearance is a Texture, got {kind}")
        return ops.interpolate(look.uv, self._uv_faces(look), self.fragments, ranges=self.scene.ranges)

    def colors(self, lights: Sequence[Light] | None, material: Material) -> Tensor:
        """``(M, C)`` colours of the seen pixels: the appearance's own, or lit."""
        albedo = self._albedo()
        if lights is None:
            return albedo
        position = self._rows(self.position)
        view = towards_eye(position, self.image, self.cameras)
        return shade(albedo, self._normals, position, view, self.image, lights, material)

    def _albedo(self) -> Tensor:
        look = self.scene.mesh.appearance
        if isinstance(look, VertexColors):
            return self._rows(self._of_verts(look.colors))
        if isinstance(look, FaceColors):
            return self._rows(self._of_faces(look.colors))
        if isinstance(look, Texture):
            return self._texture(look)
        return self.fragments.barycentric.new_ones(len(self.seen), 3)

    def _texture(self, look: Texture) -> Tensor:
        uv = self.uv
        footprint = self._footprint(look) if look.filter == "mipmap" else None
        images = self.scene.images
        if images is None and look.image.ndim == 3:  # one picture: only the pixels that see the surface look it up
            rows = self._rows(uv)[None, None]
            footprint = None if footprint is None else footprint.reshape(-1, 2, 2)[self.seen][None, None]
            return ops.texture(look.image, rows, footprint=footprint, wrap=look.wrap, filter=look.filter)[0, 0]
        if images is None:
            found = ops.texture(look.image, uv, footprint=footprint, wrap=look.wrap, filter=look.filter)
            return self._rows(found)
        parts = []
        for i, picture in enumerate(images):
            size = None if footprint is None else footprint[i : i + 1]
            parts.append(ops.texture(picture, uv[i : i + 1], footprint=size, wrap=look.wrap, filter=look.filter))
        return self._rows(torch.cat(parts))

    def _footprint(self, look: Texture) -> Tensor:
        """How far texture coordinates move from pixel to pixel, on the faces as they were before any clipping."""
        mesh, ranges, cameras = self.scene.mesh, self.scene.ranges, self.cameras
        fragments = self.fragments
        with torch.no_grad():
            if ranges is None:
                x, K = cameras.world_to_camera(mesh.verts), cameras.K
            else:
                image = torch.repeat_interleave(ranges[:, 1] - ranges[:, 0]).repeat_interleave(3)
                owner = mesh.faces.new_zeros(mesh.num_verts).index_put((mesh.faces.reshape(-1),), image)
                x = (cameras.R[owner] @ mesh.verts[..., None])[..., 0] + cameras.t[owner]
                x, K = x[:, None], cameras.K[owner]
            depth = x[..., 2:]
            if not cameras.is_perspective:  # texture coordinates are affine in the image then, as if all depths were 1
                depth = torch.ones_like(depth)
                fragments = fragments._replace(depth=torch.ones_like(fragments.depth))
            points = to_pixels(x, K, cameras.is_perspective, depth)
            points = points if ranges is None else points[:, 0]
            uv_faces = self._uv_faces(look)
            found = ops.uv_footprint(self.uv, look.uv, uv_faces, points, mesh.faces, fragments, ranges=ranges)
        return found.nan_to_num(0.0, 0.0, 0.0)

    def _uv_faces(self, look: Texture) -> Tensor:
        return self.scene.mesh.faces if look.uv_faces is None else look.uv_faces

    def _of_verts(self, values: Tensor) -> Tensor:
        return ops.interpolate(values, self.scene.mesh.faces, self.fragments, ranges=self.scene.ranges)

    def _of_faces(self, values: Tensor) -> Tensor:
        """Values of faces, ``(F, C)`` or ``(N, F, C)``: attributes that all three corners share."""
        index = torch.arange(self.scene.mesh.num_faces, device=values.device)
        return ops.interpolate(values, index[:, None].expand(-1, 3), self.fragments, ranges=self.scene.ranges)

    def _rows(self, picture: Tensor) -> Tensor:
        """``(N, H, W, C)`` -> ``(M, C)`` at the seen pixels."""
        return picture.reshape(-1, picture.shape[-1]).index_select(0, self.seen)


def towards_eye(position: Tensor, image: Tensor, cameras: Cameras) -> Tensor:
    """Unit vectors ``(M, 3)`` from points in the world towards the camera that sees each."""
    if not cameras.is_perspective:
        return -cameras.directions.index_select(0, image)
    return F.normalize(cameras.centers.index_select(0, image) - position, dim=-1)
