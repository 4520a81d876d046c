"""Signed distance to the outline of a soft mask, in pixels, accurate to a few hundredths of a pixel.

A mask's own values saturate a pixel away from its outline; a surface extracted from them is terraced. The distance is
linear across the outline, which is what marching cubes assumes, and bounds how far a point may move before it crosses.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

FAR = 1e9  # stands for "no outline"; finite, so that sums and products stay numbers


def outline_distance(masks: Tensor) -> Tensor:
    """Distance (N, H, W), pixels, from each pixel's centre to the 0.5 outline of ``masks (N, H, W)``; positive inside.

    Masks are read as coverage, the fraction of the pixel's square that is inside. The pixel at the outline then gives
    the line that cuts it: its normal from the mask's gradient, its offset from the coverage (Gustavson and Strand,
    Anti-aliased Euclidean Distance Transform, 2011). Every other pixel takes the distance to a stretch, two pixels
    long, of the line in the nearest such pixel. A mask of zeros and ones works too; its outline runs between pixels.

    A mask without an outline gives plus or minus ``FAR`` throughout.
    """
    m = masks.detach().cpu().numpy().astype(np.float32, copy=False)
    out = np.stack([_distance(mask) for mask in m])
    return torch.from_numpy(out).to(masks)


def _distance(m: np.ndarray) -> np.ndarray:
    from scipy.ndimage import distance_transform_edt, sobel

    inside = m >= 0.5
    edge = _edge_pixels(m, inside)
    if not edge.any():
        return np.where(inside, np.float32(FAR), np.float32(-FAR))
    row, column = np.nonzero(edge)
    ny = sobel(m, 0, mode="nearest")[edge]
    nx = sobel(m, 1, mode="nearest")[edge]
    length = np.hypot(nx, ny)
    flat = length < 1e-6  # a line one pixel wide has no gradient; any direction will do
    nx, ny = np.where(flat, 1, nx / np.where(flat, 1, length)), np.where(flat, 0, ny / np.where(flat, 1, length))
    offset = _edge_offset(nx, ny, m[edge])

    nearest_row, nearest_column = distance_transform_edt(~edge, return_distances=False, return_indices=True)
    label = np.empty(m.shape, np.int32)
    label[row, column] = np.arange(len(row), dtype=np.int32)
    label = label[nearest_row, nearest_column]
    dy = np.arange(m.shape[0], dtype=np.float32)[:, None] - nearest_row
    dx = np.arange(m.shape[1], dtype=np.float32)[None, :] - nearest_column
    nx, ny, offset = (a.astype(np.float32)[label] for a in (nx, ny, offset))
    across = np.abs(dx * nx + dy * ny + offset)
    along = np.maximum(np.abs(dx * ny - dy * nx) - 1, 0)
    distance = np.hypot(across, along)
    return np.where(inside, distance, -distance)


def _edge_pixels(m: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Of every two neighbours on different sides of the outline, the one that it cuts: the nearer to 0.5, or both."""
    depth = np.abs(m - 0.5)
    edge = np.zeros_like(inside)
    for a, b in (
        ((slice(1, None),), (slice(None, -1),)),
        ((slice(None), slice(1, None)), (slice(None), slice(None, -1))),
    ):
        crossed = inside[a] != inside[b]
        edge[a] |= crossed & (depth[a] <= depth[b] + 0.01)
        edge[b] |= crossed & (depth[b] <= depth[a] + 0.01)
    return edge


def _edge_offset(nx: np.ndarray, ny: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Distance from a pixel's centre to the line with unit normal (nx, ny) that covers ``coverage`` of its square.

    The inverse of the area that a half-plane cuts from the unit square: a triangle below ``corner``, then a trapezium.
    """
    high, low = np.maximum(np.abs(nx), np.abs(ny)), np.minimum(np.abs(nx), np.abs(ny))
    corner = 0.5 * low / high
    less = np.minimum(coverage, 1 - coverage)
    triangle = 0.5 * (high + low) - np.sqrt(np.maximum(2 * high * low * less, 0))
    trapezium = (0.5 - less) * high
    return np.copysign(np.where(less < corner, triangle, trapezium), coverage - 0.5)
