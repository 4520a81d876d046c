"""Soft pictures: colours of the faces' corners, mixed by :func:`invgraph.ops.soft_color`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .. import ops
from ..cameras import Cameras
from ..geometry.appearance import FaceColors, Texture, VertexColors
from ..ops.texture import Filter
from .lights import Light
from .projection import Projection
from .scene import Scene
from .shading import Material, shade
from .surface import towards_eye

_FLAT = 256.0  # pseudo-depth of orthographic pictures: so far that perspective is below its rounding, 1 / 256


def soft_picture(
    projection: Projection,
    scene: Scene,
    cameras: Cameras,
    *,
    sigma: float,
    gamma: float,
    depths: tuple[float | None, float | None],
    background: float | Tensor,
    lights: Sequence[Light] | None,
    material: Material,
    flat: bool,
) -> tuple[Tensor, Tensor]:
    """``rgb (N, H, W, C)`` over the background, and ``alpha (N, H, W)``.

    Nearness is measured from the near to the far plane; in place of one that is not given, from the nearest or to the
    farthest point that is drawn.
    """
    drawing, points = projection.drawing, projection.points
    if projection.depths is None:
        z = drawing.positions[..., 2].detach()[..., drawing.faces]
        low, high = (float(x) for x in z.aminmax()) if z.numel() else (0.0, 0.0)
        near, far = _between(depths, low, high)
    else:
        first, last = projection.depths
        near, far = _between(depths, first, last)
        depth = first + (2 - 1 / points[..., 2:]) * (last - first)
        points = torch.cat([points[..., :2], _FLAT + (depth - near) / (far - near)], -1)
        near, far = _FLAT, _FLAT + 1
    colors = _drawn_corners(projection, scene, _corner_colors(scene, cameras, lights, material, flat))
    return ops.soft_color(
        points,
        drawing.faces,
        colors,
        cameras.image_size,
        sigma,
        gamma,
        background=background,
        near=near,
        far=far,
        ranges=drawing.ranges,
    )


def _between(depths: tuple[float | None, float | None], low: float, high: float) -> tuple[float, float]:
    """The depths given, which are in order, or those of the points in their place, made to be so too."""
    near, far = (None if d is None or math.isinf(d) else float(d) for d in depths)
    if near is None:
        near = low if far is None else min(low, far - 1e-3 * abs(far))
    if far is None:
        far = max(high, near + (1e-3 * abs(near) or 1.0))
    return near, far


def _corner_colors(
    scene: Scene, cameras: Cameras, lights: Sequence[Light] | None, material: Material, flat: bool
) -> Tensor:
    """``(F, 3, C)`` or ``(N, F, 3, C)`` colours of the corners, lit if there are lights."""
    mesh, count = scene.mesh, len(cameras)
    albedo = _corner_albedo(scene)
    if lights is None:
        return albedo
    position = scene.sound.triangles()
    normals = scene.normals(flat)
    if flat:
        normal = normals[..., None, :].expand_as(position)
    else:
        normal = normals.index_select(-2, mesh.faces.reshape(-1)).unflatten(-2, (-1, 3))
    if scene.ranges is not None:
        image = torch.repeat_interleave(scene.ranges[:, 1] - scene.ranges[:, 0])[:, None].expand(-1, 3)
    else:  # highlights, and lights with a set for each camera, differ from image to image
        image = torch.arange(count, device=position.device)[:, None, None].expand(-1, mesh.num_faces, 3)
    shape = image.shape
    albedo, normal, position = (
        x.expand(*shape, x.shape[-1]).reshape(-1, x.shape[-1]) for x in (albedo, normal, position)
    )
    image = image.reshape(-1)
    view = towards_eye(position, image, cameras)
    return shade(albedo, normal, position, view, image, lights, material).reshape(*shape, 3)


def _corner_albedo(scene: Scene) -> Tensor:
    mesh, look = scene.mesh, scene.mesh.appearance
    if isinstance(look, VertexColors):
        return look.colors.index_select(-2, mesh.faces.reshape(-1)).unflatten(-2, (-1, 3))
    if isinstance(look, FaceColors):
        return look.colors[..., None, :].expand(*look.colors.shape[:-1], 3, -1)
    if not isinstance(look, Texture):
        return mesh.verts.new_ones(mesh.num_faces, 3, 3)
    uv = look.uv.index_select(0, (mesh.faces if look.uv_faces is None else look.uv_faces).reshape(-1))
    uv = uv.reshape(1, -1, 3, 2)
    filter: Filter = "nearest" if look.filter == "nearest" else "linear"
    if scene.images is None or scene.ranges is None:
        count = len(look.image) if look.image.ndim == 4 else 1
        found = ops.texture(look.image, uv.expand(count, -1, -1, -1), wrap=look.wrap, filter=filter)
        return found if look.image.ndim == 4 else found[0]
    ends = scene.ranges.tolist()
    parts = [
        ops.texture(picture, uv[:, first:end], wrap=look.wrap, filter=filter)[0]
        for picture, (first, end) in zip(scene.images, ends)
    ]
    return torch.cat(parts)


def _drawn_corners(projection: Projection, scene: Scene, colors: Tensor) -> Tensor:
    """Colours of the mesh's corners -> of the corners of what is drawn, parts of faces included."""
    drawing = projection.drawing
    if drawing.ranges is None or drawing.source_face is None:
        return colors
    row = drawing.source_face
    owner = torch.repeat_interleave(drawing.ranges[:, 1] - drawing.ranges[:, 0])
    if scene.ranges is not None:
        row = row + scene.ranges[owner, 0]
    elif colors.ndim == 4:
        row = row + owner * scene.mesh.num_faces
    drawn = colors.reshape(-1, 3, colors.shape[-1]).index_select(0, row)
    if drawing.part is None or drawing.part_corners is None:
        return drawn
    cut = (drawing.part > 0).nonzero()[:, 0]
    parts = drawing.part_corners[drawing.part[cut]] @ drawn.index_select(0, cut)
    return drawn.index_copy(0, cut, parts)
