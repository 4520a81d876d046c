"""Timing, and the scenes that are timed."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from invgraph.geometry import Mesh, icosphere


def median_ms(step: Callable[[], object], repeats: int) -> float:
    """Median of wall-clock milliseconds after one unmeasured call."""
    step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def row(*cells: object) -> None:
    """One line of a Markdown table."""
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def header(*cells: str) -> None:
    """The head of a Markdown table."""
    row(*cells)
    row(*("---" for _ in cells))


def disc(level: int, size: int, fill: float = 0.4) -> tuple[Tensor, Mesh]:
    """An icosphere whose disc fills a fraction of a square image: points (1, V, 3) in pixels and depth; the mesh."""
    mesh = icosphere(level)
    radius = math.sqrt(fill / math.pi) * size
    return torch.cat([mesh.verts[:, :2] * radius + size / 2, mesh.verts[:, 2:] * 0.3 + 3], 1)[None], mesh


def torus(rings: int, size: int) -> tuple[Tensor, Mesh]:
    """A torus of ``2 rings^2`` faces, seen from above."""
    angle = torch.arange(rings) * (2 * math.pi / rings)
    around, along = torch.meshgrid(angle, angle, indexing="ij")
    radius = 1 + 0.45 * torch.cos(along)
    verts = torch.stack([radius * torch.cos(around), radius * torch.sin(around), 0.45 * torch.sin(along)], -1)
    index = torch.arange(rings * rings).reshape(rings, rings)
    a, b, c, d = index, index.roll(-1, 0), index.roll((-1, -1), (0, 1)), index.roll(-1, 1)
    faces = torch.cat([torch.stack([a, b, c], -1).reshape(-1, 3), torch.stack([a, c, d], -1).reshape(-1, 3)])
    verts = verts.reshape(-1, 3)
    return torch.cat([verts[:, :2] * size * 0.33 + size / 2, verts[:, 2:] + 3], 1)[None], Mesh(verts, faces)


def pairs(points: Tensor, mesh: Mesh, sigma: float, min_probability: float = 1e-4) -> float:
    """Pixel-face pairs within reach: the sum of the triangles' areas grown by sqrt(9.2 sigma) pixels."""
    reach = math.sqrt(math.log(1 / min_probability - 1) * sigma)
    corner = points[0][mesh.faces][..., :2]
    edge = corner.roll(-1, 1) - corner
    area = (edge[:, 0, 0] * edge[:, 1, 1] - edge[:, 0, 1] * edge[:, 1, 0]).abs() / 2
    return float((area + edge.norm(dim=-1).sum(-1) * reach + math.pi * reach**2).sum())
