"""Kernels alone: forward and backward on one image, against peers in the same run."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import peers
from benchmarks.measure import disc, header, median_ms, pairs, row, torus
from invgraph import ops
from invgraph.geometry import Mesh
from invgraph.render import sigma_from_ndc


def soft_step(points: Tensor, mesh: Mesh, size: int, sigma: float) -> Callable[[], Tensor]:
    """Forward and backward of the soft silhouette."""

    def step() -> Tensor:
        moved = points[..., :2].clone().requires_grad_()
        alpha = ops.soft_silhouette(moved, mesh.faces, (size, size), sigma)
        (alpha - 0.3).square().sum().backward()
        return alpha.detach()

    return step


def coverage_step(points: Tensor, mesh: Mesh, size: int) -> Callable[[], Tensor]:
    """Forward and backward of the antialiased mask."""
    topology = mesh.topology
    edges, edge_faces = topology.edges, topology.edge_faces

    def step() -> Tensor:
        moved = points.clone().requires_grad_()
        face_id, _, depth = ops.rasterize(moved, mesh.faces, (size, size), barycentric=False)
        mask = (face_id >= 0).to(moved.dtype)[..., None]
        alpha = ops.antialias(mask, depth, moved, mesh.faces, edges, edge_faces)[..., 0]
        (alpha - 0.3).square().sum().backward()
        return alpha.detach()

    return step


def soft(arguments: argparse.Namespace) -> None:
    """Soft silhouette, 256 x 256, 5,120 faces filling 40% of the image, sigma 1e-4 NDC."""
    points, mesh = disc(4, 256)
    sigma = sigma_from_ndc(1e-4, (256, 256))
    step = soft_step(points, mesh, 256, sigma)
    ours = median_ms(step, arguments.repeats)
    header("256 x 256, 5,120 faces, forward + backward", "ms", "ratio")
    row("invgraph", f"{ours:.2f}", 1)
    try:
        peer = peers.pytorch3d_soft_silhouette(points, mesh, 256, 1e-4, faces_per_pixel=50)
    except ImportError:
        row("PyTorch3D, K = 50", "not installed", "")
        return
    theirs = median_ms(peer, 1)
    row("PyTorch3D, K = 50", f"{theirs:.0f}", f"{theirs / ours:.0f}")
    difference = float((peer() - step()).abs().max())
    print(f"\nlargest difference between the two alphas: {difference:.1e} (PyTorch3D keeps 50 faces a pixel)")


def coverage(arguments: argparse.Namespace) -> None:
    """Antialiased masks, 256 x 256 with 5,120 faces and 512 x 512 with 81,920."""
    header(
        "rasterize + antialias, forward + backward", "invgraph ms", "DEODR ms", "ratio", "true area", "ours", "DEODR's"
    )
    for level, size in ((4, 256), (6, 512)):
        points, mesh = disc(level, size)
        step = coverage_step(points, mesh, size)
        ours = median_ms(step, arguments.repeats)
        name = f"{size} x {size}, {mesh.num_faces:,} faces"
        area = f"{0.4 * size * size:.1f}"
        try:
            peer = peers.deodr_coverage(points, mesh, size)
        except ImportError:
            row(name, f"{ours:.2f}", "not installed", "", area, f"{float(step().sum()):.1f}", "")
            continue
        theirs = median_ms(peer, arguments.repeats)
        ours = (ours + median_ms(step, arguments.repeats)) / 2  # before and after the peer: the machine may drift
        sums = f"{float(step().sum()):.1f}", f"{float(torch.as_tensor(peer()).sum()):.1f}"
        row(name, f"{ours:.2f}", f"{theirs:.1f}", f"{theirs / ours:.1f}", area, *sums)


def memory(arguments: argparse.Namespace) -> None:
    """Peak memory beyond the input, in a fresh process."""
    header("soft silhouette, forward + backward", "peak beyond the input, MB")
    for rings, size in ((224, 1024), (224, 2048)):
        out = subprocess.run(
            [sys.executable, "-c", f"from benchmarks.kernels import peak; print(peak({rings}, {size}))"],
            capture_output=True,
            text=True,
            check=True,
        )
        row(f"{2 * rings * rings:,} faces, {size} x {size}", f"{float(out.stdout):.0f}")


def peak(rings: int, size: int) -> float:
    """MB by which a forward and backward raises the process's peak, after a small one has loaded everything (Linux)."""
    small, small_mesh = disc(1, 32)
    soft_step(small, small_mesh, 32, 1.0)()
    points, mesh = torus(rings, size)
    step = soft_step(points, mesh, size, sigma_from_ndc(1e-5, (size, size)))
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    before = _status("VmRSS")
    step()
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    """A field of the process's memory account, KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def growth(arguments: argparse.Namespace) -> None:
    """Faces x 4 and pixels x 4: time follows the pixel-face pairs within reach."""
    header("soft silhouette", "sigma, px^2", "pairs, millions", "ms", "ns a pair")
    for level, size, sigma in (
        (4, 256, 1.6),
        (5, 256, 1.6),
        (6, 256, 1.6),
        (4, 512, 6.5),
        (5, 512, 1.6),
        (5, 1024, 6.5),
        (6, 1024, 1.6),
        (7, 1024, 1.6),
    ):
        points, mesh = disc(level, size)
        count = pairs(points, mesh, sigma)
        ms = median_ms(soft_step(points, mesh, size, sigma), max(3, arguments.repeats // 3))
        row(
            f"{mesh.num_faces:,} faces, {size} x {size}",
            sigma,
            f"{count / 1e6:.1f}",
            f"{ms:.1f}",
            f"{ms * 1e6 / count:.2f}",
        )
