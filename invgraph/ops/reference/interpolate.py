"""Twin of :func:`invgraph.ops.interpolate`: index, weigh, sum."""

from __future__ import annotations

import torch
from torch import Tensor

from ..rasterize import Fragments


def interpolate(attributes: Tensor, faces: Tensor, fragments: Fragments, *, ranges: Tensor | None = None) -> Tensor:
    """See the primitive; packed batches too. Differentiable to any order."""
    face_id, barycentric, _ = fragments
    seen = face_id >= 0
    face = torch.where(seen, face_id.long(), 0)
    if ranges is not None:
        face = torch.where(seen, face + ranges[:, 0, None, None], 0)
    corners = faces[face] if len(faces) else face.new_zeros(*face.shape, 3)  # (B, H, W, 3)
    if attributes.dim() == 3:
        image = torch.arange(len(face_id), device=faces.device)[:, None, None, None]
        values = attributes[image, corners]
    else:
        values = attributes[corners]
    return torch.where(seen[..., None], (barycentric[..., None] * values).sum(-2), 0.0)
