"""nvdiffrast's rasterizer and antialiasing (Laine et al., Modular Primitives, 2020), for comparison, on CUDA.

It draws in float32. Pictures are passed to it in our order of rows (its y, which points up, is given as ours, which
points down), so that nothing is flipped; no face is culled for its orientation.
"""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor

from ...ops import Fragments
from ..clip import Drawing

MODES = ("hard", "antialias")
COLOR_MODES = MODES
DEVICE = "cuda"  # the kind of device that it draws on
MAX_FACES = 2**24 - 1  # it numbers triangles in floats

_local = threading.local()


def rasterize(points: Tensor, drawing: Drawing, image_size: tuple[int, int], barycentric: bool) -> Fragments:
    """See :func:`invgraph.ops.rasterize`."""
    import nvdiffrast.torch as dr

    images = len(points) if drawing.ranges is None else len(drawing.ranges)
    if not len(drawing.faces) or not images:
        depth = points.new_full((images, *image_size), torch.inf)
        weights = points.new_zeros(*depth.shape, 3 if barycentric else 0)
        return Fragments(torch.full_like(depth, -1, dtype=torch.int32), weights, depth)
    _check(points, drawing)
    triangles = drawing.faces.int().contiguous()
    ranges = None
    if drawing.ranges is not None:  # first and number, on the CPU
        ranges = torch.stack([drawing.ranges[:, 0], drawing.ranges[:, 1] - drawing.ranges[:, 0]], 1).int().cpu()
    rast, _ = dr.rasterize(_context(points.device), _clip(points, image_size), triangles, image_size, ranges, False)
    face = rast[..., 3].int() - 1
    depth, _ = dr.interpolate(points[..., 2:].float().contiguous(), rast, triangles)
    depth = torch.where(face >= 0, depth[..., 0], torch.inf)
    if drawing.ranges is not None:
        face = torch.where(face >= 0, face - drawing.ranges[:, 0, None, None].int(), -1)
    first, second = rast[..., 0], rast[..., 1]
    weights = torch.stack([first, second, 1 - first - second], -1)
    weights = torch.where(face[..., None] >= 0, weights, 0.0)[..., : 3 if barycentric else 0]
    return Fragments(face, weights.to(points.dtype), depth.to(points.dtype))


def antialias(image: Tensor, points: Tensor, drawing: Drawing, fragments: Fragments) -> Tensor:
    """Blend pictures ``(N, H, W, C)`` by nvdiffrast's ``antialias``."""
    import nvdiffrast.torch as dr

    if not len(drawing.faces) or not len(image):
        return image
    _check(points, drawing)
    face = fragments.face_id
    if drawing.ranges is not None:
        face = torch.where(face >= 0, face + drawing.ranges[:, 0, None, None].int(), -1)
    # of what rasterize gave it reads the triangle and, to tell which of two is nearer, the order of the depths
    rast = torch.stack([*[torch.zeros_like(fragments.depth)] * 2, -1 / fragments.depth, face + 1], -1)
    size = (image.shape[1], image.shape[2])
    triangles = drawing.faces.int().contiguous()
    out = dr.antialias(image.float().contiguous(), rast.float().detach(), _clip(points, size), triangles)
    return out.to(image.dtype)


def alpha(
    mode: str,
    sigma: float,
    points: Tensor,
    drawing: Drawing,
    image_size: tuple[int, int],
    fragments: Fragments | None,
) -> Tensor:
    """Coverage ``(N, H, W)`` in one of ``MODES``."""
    if fragments is None:
        raise ValueError(f"fragments: needed for mode {mode!r}")
    covered = (fragments.face_id >= 0).to(points.dtype)
    return covered if mode == "hard" else antialias(covered[..., None], points, drawing, fragments)[..., 0]


def _clip(points: Tensor, image_size: tuple[int, int]) -> Tensor:
    """(u, v, depth) -> clip space (x, y, z, w), w the depth; z / w rises with the depth within (-1, 1)."""
    u, v, depth = points.float().unbind(-1)
    height, width = image_size
    known = depth.detach()
    # a little beyond the least and the greatest, so that rounding clips nothing
    near, far = 0.99 * known.amin(), 1.01 * known.amax()
    z = (depth * (far + near) - 2 * far * near) / (far - near)
    return torch.stack([(2 * u / width - 1) * depth, (2 * v / height - 1) * depth, z, depth], -1).contiguous()


def _check(points: Tensor, drawing: Drawing) -> None:
    if points.device.type != DEVICE:
        raise ValueError(
            f"backend: nvdiffrast draws on {DEVICE} devices, the mesh and the cameras are on {points.device}"
        )
    if len(drawing.faces) > MAX_FACES:
        raise ValueError(f"mesh: the nvdiffrast backend draws up to {MAX_FACES} faces, got {len(drawing.faces)}")


def _context(device: torch.device) -> Any:
    """One rasterizer for each thread and device, kept."""
    import nvdiffrast.torch as dr

    contexts = _local.__dict__.setdefault("contexts", {})
    if device not in contexts:
        contexts[device] = dr.RasterizeCudaContext(device=device)
    return contexts[device]
