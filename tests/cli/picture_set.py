"""A small data set in the format of the SoftRas/NMR files: boxes and balls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

import invgraph as ig
from invgraph.data.image_sets import nmr_cameras, nmr_voxels
from invgraph.data.image_sets.nmr_frame import file_order
from invgraph.geometry import Mesh, icosphere
from invgraph.ops import winding_number

BOXES, BALLS = "02933112", "03636649"  # a cabinet and a lamp, as far as the names go


def solid(kind: str, sides: tuple[float, float, float]) -> Mesh:
    """A box or an ellipsoid around the origin."""
    ball = icosphere(2)
    verts = ball.verts / ball.verts.norm(dim=1, keepdim=True)
    if kind == BOXES:
        verts = verts / verts.abs().amax(1, keepdim=True)
    return Mesh(0.5 * verts * torch.tensor(sides), ball.faces)


def write_split(root: Path, split: str, shapes: dict[str, list[Mesh]], points: int = 0) -> None:
    """Write the files of a split: pictures with normals for colours, voxels, and points if any are asked for."""
    root.mkdir(exist_ok=True)
    for synset, meshes in shapes.items():
        images, voxels = [], []
        for mesh in meshes:
            drawn = ig.render(mesh, nmr_cameras(), outputs=("alpha", "normal"))
            color = (0.5 + 0.5 * drawn.normal) * (drawn.alpha > 0)[..., None]
            rgba = torch.cat([color, drawn.alpha[..., None]], -1).clamp(0, 1)
            images.append((255 * rgba).round().to(torch.uint8).permute(0, 3, 1, 2).numpy())
            voxels.append(file_order(nmr_voxels(mesh).filled).numpy().astype(np.uint8))
        np.savez(root / f"{synset}_{split}_images.npz", np.stack(images))
        np.savez(root / f"{synset}_{split}_voxels.npz", np.stack(voxels))
        if points:
            place = (torch.rand(len(meshes), points, 3, generator=torch.Generator().manual_seed(0)) - 0.5).half()
            inside = [winding_number(p.float(), m.verts, m.faces).numpy() > 0.5 for p, m in zip(place, meshes)]
            packed = np.packbits(np.stack(inside), axis=1)
            np.savez(root / f"{synset}_{split}_points.npz", points=place.numpy(), occupancies=packed)


TRAIN = {
    BOXES: [solid(BOXES, s) for s in ((1, 0.5, 0.5), (0.4, 1, 0.4), (0.7, 0.3, 1))],
    BALLS: [solid(BALLS, s) for s in ((1, 0.7, 0.7), (0.5, 1, 0.5))],
}
TEST = {BOXES: [solid(BOXES, (0.9, 0.5, 0.55))], BALLS: [solid(BALLS, (0.5, 0.95, 0.5)), solid(BALLS, (1, 0.8, 0.6))]}


def write_set(root: Path) -> Path:
    """A training and a test split; returns the folder."""
    write_split(root, "train", TRAIN)
    write_split(root, "test", TEST)
    return root
