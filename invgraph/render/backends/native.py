"""invgraph's own primitives."""

from __future__ import annotations

from torch import Tensor

from ... import ops
from ...ops import Fragments
from ..clip import Drawing

MODES = ("soft", "outline", "hard", "antialias")
COLOR_MODES = MODES


def rasterize(points: Tensor, drawing: Drawing, image_size: tuple[int, int], barycentric: bool) -> Fragments:
    """See :func:`invgraph.ops.rasterize`."""
    return ops.rasterize(points, drawing.faces, image_size, ranges=drawing.ranges, barycentric=barycentric)


def antialias(image: Tensor | None, points: Tensor, drawing: Drawing, fragments: Fragments) -> Tensor:
    """See :func:`invgraph.ops.antialias`."""
    edges, edge_faces = drawing.topology.edges, drawing.topology.edge_faces
    return ops.antialias(image, fragments.depth, points, drawing.faces, edges, edge_faces, ranges=drawing.ranges)


def alpha(
    mode: str,
    sigma: float,
    points: Tensor,
    drawing: Drawing,
    image_size: tuple[int, int],
    fragments: Fragments | None,
) -> Tensor:
    """Coverage ``(N, H, W)`` in one of ``MODES``."""
    if mode == "soft":
        return ops.soft_silhouette(points[..., :2], drawing.faces, image_size, sigma, ranges=drawing.ranges)
    if fragments is None:
        raise ValueError(f"fragments: needed for mode {mode!r}")
    if mode == "outline":
        edges, edge_faces = drawing.topology.edges, drawing.topology.edge_faces
        return ops.soft_outline(
            points, drawing.faces, edges, edge_faces, image_size, sigma, ranges=drawing.ranges, depth=fragments.depth
        )
    if mode == "antialias":
        return antialias(None, points, drawing, fragments).squeeze(-1)
    return (fragments.face_id >= 0).to(points.dtype)
