"""PyTorch3D's rasterizer (Ravi et al., Accelerating 3D Deep Learning with PyTorch3D, 2020), for comparison.

It draws in float32. ``"soft"`` is its ``sigmoid_alpha_blend`` over the ``FACES_PER_PIXEL`` nearest faces within reach,
where the native kernel takes all: pixels with more are warned of.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, cast

import torch
from torch import Tensor

from ...ops import Fragments
from ..clip import Drawing

MODES = ("soft", "hard")
COLOR_MODES = ("hard",)
FACES_PER_PIXEL = 100
"""The most faces that a pixel of a soft silhouette takes; each costs 28 bytes a pixel."""
MIN_PROBABILITY = 1e-4  # as the native kernel: what is fainter is left out


def rasterize(points: Tensor, drawing: Drawing, image_size: tuple[int, int], barycentric: bool) -> Fragments:
    """See :func:`invgraph.ops.rasterize`; a pixel centre exactly on an edge belongs to no face here."""
    face, depth, weights, _ = _rasterize(points, drawing, image_size, blur=0.0, count=1)
    seen = face[..., 0] >= 0
    weights = torch.where(seen[..., None], weights[..., 0, :], 0.0)[..., : 3 if barycentric else 0]
    depth = torch.where(seen, depth[..., 0], torch.inf)
    return Fragments(_local(face[..., 0], drawing), weights.to(points.dtype), depth.to(points.dtype))


def antialias(image: Tensor, points: Tensor, drawing: Drawing, fragments: Fragments) -> Tensor:
    """PyTorch3D has no such operation."""
    raise ValueError(f"mode: the pytorch3d backend has {MODES}, got 'antialias'")


def alpha(
    mode: str,
    sigma: float,
    points: Tensor,
    drawing: Drawing,
    image_size: tuple[int, int],
    fragments: Fragments | None,
) -> Tensor:
    """Coverage ``(N, H, W)`` in one of ``MODES``."""
    if mode == "hard":
        if fragments is None:
            raise ValueError("fragments: needed for mode 'hard'")
        return (fragments.face_id >= 0).to(points.dtype)
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma: expected a positive number of squared pixels, got {sigma}")
    sigma_ndc = sigma / (min(image_size) / 2) ** 2
    reach = math.log(1 / MIN_PROBABILITY - 1)
    count = min(FACES_PER_PIXEL, max(len(drawing.faces), 1))
    face, _, _, distance = _rasterize(points, drawing, image_size, blur=reach * sigma_ndc, count=count)
    if len(drawing.faces) > count and bool((face[..., -1] >= 0).any()):
        warnings.warn(
            f"pytorch3d backend: some pixels see more than {count} faces within reach of sigma = {sigma}; the farther "
            "ones are left out (FACES_PER_PIXEL in invgraph.render.backends.pytorch3d)",
            stacklevel=4,
        )
    probability = torch.where(face >= 0, torch.sigmoid(-distance / sigma_ndc), 0.0)
    return (1 - (1 - probability).prod(-1)).to(points.dtype)


def _rasterize(
    points: Tensor, drawing: Drawing, image_size: tuple[int, int], blur: float, count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """PyTorch3D's pix_to_face, zbuf, barycentrics and squared distances, each (N, H, W, count, ...)."""
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.structures import Meshes

    height, width = image_size
    corner = _corners(points, drawing)
    images = len(corner)
    if not sum(len(c) for c in corner):
        empty = points.new_zeros(images, height, width, count)
        return empty.long() - 1, empty, empty[..., None].expand(*empty.shape, 3), empty
    # normalised device coordinates: +x left, +y up, the shorter side spans [-1, 1]; the depth stays
    half = min(height, width) / 2
    verts = []
    for c in corner:
        u, v, z = c.float().unbind(-1)
        verts.append(torch.stack([(width / 2 - u) / half, (height / 2 - v) / half, z], -1).reshape(-1, 3))
    faces = [torch.arange(len(v), device=points.device).view(-1, 3) for v in verts]
    return cast(
        Any,
        rasterize_meshes(
            Meshes(verts, faces),
            (height, width),
            blur_radius=blur,
            faces_per_pixel=count,
            bin_size=0,  # no bins, which can overflow
            perspective_correct=True,  # depths are such that 1 / depth is linear, orthographic ones too
            clip_barycentric_coords=blur > 0,
        ),
    )


def _corners(points: Tensor, drawing: Drawing) -> list[Tensor]:
    """The corners (F, 3, 3) of each image's faces."""
    if drawing.ranges is None:
        return list(points[:, drawing.faces].unbind(0))
    return [points[drawing.faces[first:last]] for first, last in drawing.ranges.tolist()]


def _local(face: Tensor, drawing: Drawing) -> Tensor:
    """Faces counted through the batch -> through each image, int32."""
    if drawing.ranges is None:
        first = torch.arange(len(face), device=face.device) * len(drawing.faces)
    else:
        counts = drawing.ranges[:, 1] - drawing.ranges[:, 0]
        first = torch.cumsum(counts, 0) - counts
    return torch.where(face >= 0, face - first[:, None, None], -1).to(torch.int32)
