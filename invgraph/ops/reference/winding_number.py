"""Winding number face by face: the definition that the hierarchical kernel approximates."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def winding_number(points: Tensor, verts: Tensor, faces: Tensor, *, chunk: int = 2_000_000) -> Tensor:
    """Sum over faces of the signed solid angle over 4 pi, in float64: ``(P, 3), (V, 3), (F, 3) -> (P,)``.

    The solid angle of the triangle with corners a, b, c relative to the point is (van Oosterom and Strackee, The Solid
    Angle of a Plane Triangle, 1983) ``2 atan2(a . (b x c), |a||b||c| + (a.b)|c| + (b.c)|a| + (c.a)|b|)``.

    Args:
        chunk: point-face pairs held in memory at a time.
    """
    triangles = verts.double()[faces]
    out = []
    for some in points.double().split(max(1, chunk // max(1, len(faces)))):
        a, b, c = (triangles[None] - some[:, None, None]).unbind(2)  # (p, F, 3) each
        la, lb, lc = a.norm(dim=-1), b.norm(dim=-1), c.norm(dim=-1)
        det = (a * torch.linalg.cross(b, c)).sum(-1)
        dot = (a * b).sum(-1) * lc + (b * c).sum(-1) * la + (c * a).sum(-1) * lb
        out.append(torch.atan2(det, la * lb * lc + dot).sum(-1) / (2 * math.pi))
    return torch.cat(out).to(points.dtype) if out else points.new_empty(0)
