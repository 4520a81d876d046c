"""Voxels against pictures: what every reader's cameras are tested with."""

import torch

from invgraph.data import Voxels

SAMPLES = 2  # along each edge of a voxel


def reproject(voxels: Voxels, cameras) -> torch.Tensor:
    """(N, H, W) bool: the pixels that filled voxels fall on; a pixel is the one around the point."""
    cells = voxels.filled.nonzero().double()
    within = (torch.arange(SAMPLES) + 0.5) / SAMPLES
    offsets = torch.stack(torch.meshgrid(within, within, within, indexing="ij"), -1).reshape(-1, 3)
    points = (cells[:, None] + offsets).reshape(-1, 3) * voxels.side / len(voxels.filled) + voxels.low
    height, width = cameras.image_size
    drawn = torch.zeros((len(cameras), height, width), dtype=torch.bool)
    for uv, picture in zip(cameras.project(points.to(cameras.R)), drawn):
        column, row = uv[:, 0].floor().long(), uv[:, 1].floor().long()
        seen = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (uv[:, 2] > 0)
        picture[row[seen], column[seen]] = True
    return drawn


def agreement(voxels: Voxels, cameras, masks: torch.Tensor) -> float:
    """IoU of masks (N, H, W) with the voxels in the pictures, the mean of the views."""
    drawn = reproject(voxels, cameras)
    both, either = (drawn & masks).flatten(1).sum(1), (drawn | masks).flatten(1).sum(1)
    return float((both / either).mean())
