"""The primitives on a GPU, against PyTorch3D's and nvdiffrast's CUDA kernels."""

from __future__ import annotations

import argparse
from functools import partial

import torch

from benchmarks import peers, scenes, steps
from benchmarks.measure import against, header, machine
from invgraph.render import sigma_from_ndc


def cuda(arguments: argparse.Namespace) -> None:
    """Soft silhouette against PyTorch3D; rasterize, interpolate and antialias against nvdiffrast."""
    if not torch.cuda.is_available():
        print("no GPU")
        return
    print(machine("pytorch3d", "nvdiffrast") + "\n")
    header("soft silhouette, forward + backward, sigma 1e-4 NDC", "invgraph ms", "PyTorch3D ms (K = 50)", "ratio")
    for scene in (
        scenes.disc(3, 64, batch=64),
        scenes.disc(4, 256),
        scenes.disc(4, 256, batch=8),
        scenes.disc(6, 512),
        scenes.disc(6, 1024),
    ):
        there = scene.to("cuda")
        step = steps.soft(there, sigma_from_ndc(1e-4, (scene.size, scene.size)))
        against(str(scene), step, partial(peers.pytorch3d_silhouette, there, 1e-4, 50), arguments.repeats, 20)
    print()
    header("rasterize + interpolate (3) + antialias, forward + backward", "invgraph ms", "nvdiffrast ms", "ratio")
    for scene in (
        scenes.disc(3, 64, batch=64),
        scenes.disc(4, 256),
        scenes.disc(6, 512),
        scenes.disc(6, 512, batch=16),
        scenes.disc(7, 2048),
    ):
        there = scene.to("cuda")
        against(
            str(scene),
            steps.picture(there),
            partial(peers.nvdiffrast_picture, there, 3),
            arguments.repeats,
        )
