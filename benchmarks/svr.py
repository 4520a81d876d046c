"""A training step of single-view reconstruction, and the same step with PyTorch3D's rasterizer."""

from __future__ import annotations

import argparse
import math

import torch
from torch import Tensor

from benchmarks.measure import Step, header, machine, medians_ms, ms, row
from invgraph.cameras import Cameras
from invgraph.cli.memory import keep_freed_memory
from invgraph.data.image_sets import nmr_cameras
from invgraph.geometry import Mesh, icosphere
from invgraph.render import render, sigma_from_ndc
from invgraph.svr import ModelOptions, Reconstructor
from invgraph.svr.batches import Batch
from invgraph.svr.objective import Coverage, Objective, ObjectiveOptions

ENCODERS = (("conv", False), ("conv", True), ("resnet8", True))
"""Soft Rasterizer's own, and that of the laptop preset; with and without mixed precision."""
SHAPES, SIGMA = 16, 1e-4  # the latter in normalised device coordinates, as Soft Rasterizer has it


def training(arguments: argparse.Namespace) -> None:
    """The setting of Soft Rasterizer: 16 shapes in two views each, four renders a shape, 64x64, 1,280 faces."""
    keep_freed_memory()  # as `invgraph train` does
    print(machine("pytorch3d") + "\n")
    batch, cameras = _batch(), nmr_cameras()
    sigma = sigma_from_ndc(SIGMA, (64, 64))
    options = ObjectiveOptions(coverage="soft", sigma=(sigma, sigma))
    steps, peers = [], []
    for encoder, bf16 in ENCODERS:
        torch.manual_seed(0)
        model = Reconstructor(ModelOptions(encoder=encoder))
        steps.append(_step(Objective(model, cameras, options), batch, bf16))
        peers.append(_step(_Peer(model, cameras, options), batch, bf16))
    verts = model(batch.images.flatten(0, 1)).verts.detach()
    ours = Objective(model, cameras, options)
    seen = cameras[batch.views[:, None].expand(-1, 2, -1).flatten()]

    def drawing() -> None:
        moved = icosphere(3).with_verts(verts.clone().requires_grad_())
        ours.silhouettes(moved, seen, "soft", sigma).square().sum().backward()

    try:
        (peer,) = medians_ms(peers[-1], repeats=1, seconds=1)
    except ImportError:
        peer = math.nan
    *times, drawn = medians_ms(*steps, drawing, repeats=arguments.repeats)
    header("step", "ms", "of it drawing", "PyTorch3D's rasterizer, K = 50")
    for (encoder, bf16), time in zip(ENCODERS, times):
        text = "not installed" if math.isnan(peer) else f"{ms(peer)} ({peer / time:,.0f} times)"
        row(f"{encoder}, {'bf16' if bf16 else 'float32'}", ms(time), f"{ms(drawn)} ({drawn / time:.0%})", text)


def _step(objective: Objective, batch: Batch, bf16: bool) -> Step:
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = objective(batch)["loss"]
        loss.backward()
        optimizer.step()

    return step


def _batch() -> Batch:
    """Ellipsoids, in two views each."""
    generator = torch.Generator().manual_seed(0)
    sides = 0.3 + 0.7 * torch.rand(SHAPES, 3, generator=generator)
    ball = icosphere(3, radius=0.5)
    views = torch.rand(SHAPES, 24, generator=generator).argsort(1)[:, :2]
    meshes = [ball.with_verts(ball.verts * side) for side in sides for _ in range(2)]
    masks = render(meshes, nmr_cameras(views.flatten())).alpha.unflatten(0, views.shape)
    images = masks[:, :, None].expand(-1, -1, 4, -1, -1).contiguous()
    return Batch(images, masks, views, torch.empty(SHAPES, 0, 3), torch.empty(SHAPES, 0))


class _Peer(Objective):
    """The same objective, drawn by PyTorch3D."""

    def silhouettes(
        self, shapes: Mesh | list[Mesh], cameras: Cameras, coverage: Coverage, sigma: float = 1.0
    ) -> Tensor:
        from pytorch3d.renderer.blending import BlendParams, sigmoid_alpha_blend
        from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
        from pytorch3d.renderer.mesh.rasterizer import Fragments
        from pytorch3d.structures import Meshes

        assert isinstance(shapes, Mesh)
        height, width = cameras.image_size
        verts = shapes.verts.repeat_interleave(len(cameras) // len(shapes.verts), 0)
        seen = verts @ cameras.R.mT + cameras.t[:, None]
        pixels = seen @ cameras.K.mT
        xy = 1 - 2 * pixels[..., :2] / (pixels[..., 2:] * width)  # x left, y up
        meshes = Meshes(torch.cat([xy, seen[..., 2:]], -1), shapes.faces.expand(len(verts), -1, -1))
        blur = math.log(1 / 1e-4 - 1) * SIGMA
        found = rasterize_meshes(meshes, height, blur, 50, perspective_correct=True, clip_barycentric_coords=True)
        ones = verts.new_ones(1).expand(len(verts), height, width, 50, 3)
        return sigmoid_alpha_blend(ones, Fragments(*found), BlendParams(sigma=SIGMA))[..., 3]
