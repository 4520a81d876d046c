"""Voxel IoU at 32^3, by the protocol of SoftRas and the Neural Mesh Renderer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data.image_sets.grid import Grid
from ..data.shapes.voxelize import voxelize
from ..geometry.mesh import Mesh
from ..metrics import occupancy_iou


def filled_by(mesh: Mesh, grid: Grid | None = None) -> Tensor:
    """(R, R, R) bool, indexed x, y, z: voxels that a mesh fills; none where the mesh has no faces.

    Args:
        mesh: one mesh in the frame of the cameras.
        grid: which voxels; None: those of SoftRas and NMR.
    """
    grid = grid or Grid()
    if mesh.num_faces == 0:
        return torch.zeros((grid.resolution,) * 3, dtype=torch.bool)
    verts = mesh.verts.detach().cpu()
    return voxelize(Mesh((verts - verts.new_tensor(grid.center)) / grid.side, mesh.faces.cpu()), grid.resolution)


def voxel_iou(pred: Sequence[Mesh] | Tensor, truth: Tensor) -> Tensor:
    """Intersection over union of voxels, a figure for each shape.

    A mesh's voxels are those whose middle it holds or that its surface crosses, of the grid in which the unit cube
    takes 31 of 32 voxels (Liu et al., Soft Rasterizer, ICCV 2019; Kato et al., Neural 3D Mesh Renderer, CVPR 2018).
    The files' axes are y, x, z: :meth:`NmrShapes.voxels` has turned them into x, y, z, as they are here.

    Args:
        pred: N meshes in the world of :func:`nmr_cameras`, or their voxels (N, 32, 32, 32) bool.
        truth: (N, 32, 32, 32) bool, indexed x, y, z.

    Returns:
        (N,) float64 in [0, 1].

    Raises:
        TypeError, ValueError: not bool, or shapes that differ.
    """
    if not isinstance(pred, Tensor):
        pred = torch.stack([filled_by(mesh) for mesh in pred])
    if truth.ndim != 4:
        raise ValueError(f"truth: expected shape (N, R, R, R), got {tuple(truth.shape)}")
    return occupancy_iou(pred.flatten(1), truth.flatten(1))
