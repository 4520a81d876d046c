"""One shape held by the network, beside a fit of a mesh to the same silhouettes."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import torch

from benchmarks.measure import header, machine, row
from invgraph.data.image_sets import NmrShapes
from invgraph.data.made import make_shapes
from invgraph.data.made.options import MadeOptions
from invgraph.data.views import Views
from invgraph.fit import fit
from invgraph.geometry import Mesh
from invgraph.metrics import silhouette_iou
from invgraph.render import render
from invgraph.svr import load_model
from invgraph.svr.train_options import PRESETS, RunOptions
from invgraph.svr.training import LAST, train
from invgraph.svr.voxel_iou import voxel_iou

CLASSES = ("airplane", "bottle", "car", "chair")
STEPS, BATCH = 3_000, 4


def overfit(arguments: argparse.Namespace) -> None:
    """The laptop preset's network and objective on 24 pictures of one shape; the mean over its 24 answers."""
    print(machine() + "\n")
    header("shape", "voxel IoU, network", "fit", "ratio", "silhouette IoU, network", "fit", "ratio")
    for name in CLASSES:
        with tempfile.TemporaryDirectory() as folder:
            make_shapes(folder, MadeOptions(count=1, seed=1, classes=(name,), split=(1, 0, 0), points=0))
            data = NmrShapes(folder, split="train")
            voxels, outlines = zip(_network(data, Path(folder)), _fit(data), strict=True)
        numbers = [[*pair, pair[0] / pair[1]] for pair in (voxels, outlines)]
        row(name, *(f"{x:.3f}" for x in (*numbers[0], *numbers[1])))


def _network(data: NmrShapes, folder: Path) -> tuple[float, float]:
    # of one shape that is not its own mirror image, mirrored pictures are of another one
    options = dataclasses.replace(PRESETS["laptop"], steps=STEPS, batch=BATCH, mirror=False)
    run = RunOptions(accelerator="cpu", validate_every=STEPS, validate_on=1)
    train(data, data, options, folder / "run", run=run)
    images = data.images(0).movedim(-1, 1).float() / 255
    return _scores(data, load_model(folder / "run" / LAST).reconstruct(images))


def _fit(data: NmrShapes) -> tuple[float, float]:
    masks = data.images(0)[..., 3].float() / 255
    return _scores(data, [fit(None, Views(data.cameras(), masks)).mesh])


def _scores(data: NmrShapes, meshes: list[Mesh]) -> tuple[float, float]:
    """Means over the meshes of the voxel IoU, and of the silhouette IoU in all 24 views."""
    truth = data.filled([0]).expand(len(meshes), -1, -1, -1)
    masks = data.images(0)[..., 3].float() / 255
    outlines = torch.stack([silhouette_iou(render(mesh, data.cameras()).alpha, masks).mean() for mesh in meshes])
    return float(voxel_iou(meshes, truth).mean()), float(outlines.mean())
