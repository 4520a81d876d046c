"""Twin of :func:`invgraph.ops.rasterize`: every face against every pixel, then the nearest."""

from __future__ import annotations

import torch
from torch import Tensor

from .soft_silhouette import cross, pixel_centers


def rasterize(points: Tensor, faces: Tensor, image_size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """See the primitive. Centres exactly on an edge are covered by both of its faces here: the lower index wins."""
    p = pixel_centers(image_size, points)[:, :, None, None]
    corners = points[:, None, None, faces]  # (B, 1, 1, F, 3, 3)
    xy, z = corners[..., :2], corners[..., 2]
    a, b = xy.roll(-1, -2), xy.roll(-2, -2)  # the edge opposite each corner
    weight = cross(b - a, p - a)  # (B, H, W, F, 3)
    inside = (weight >= 0).all(-1) | (weight <= 0).all(-1)
    screen = weight / weight.sum(-1, keepdim=True)
    inverse_depth = (screen / z).sum(-1)
    drawn = inside & (z > 0).all(-1) & inverse_depth.isfinite()
    nearness, face = torch.where(drawn, inverse_depth, 0.0).max(-1)
    face_id = torch.where(nearness > 0, face, -1).int()
    picked = face[..., None, None].expand(*face.shape, 1, 3)
    barycentric = (screen / z / inverse_depth[..., None]).gather(-2, picked).squeeze(-2)
    seen = face_id >= 0
    depth = torch.where(seen, 1 / torch.where(seen, nearness, 1.0), torch.inf)
    return face_id, torch.where(seen[..., None], barycentric, 0.0), depth
