"""Voxel IoU at 32^3, by the protocol of SoftRas and the Neural Mesh Renderer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data.image_sets import nmr_voxels
from ..data.image_sets.nmr_frame import RESOLUTION
from ..geometry.mesh import Mesh
from ..metrics import occupancy_iou


def filled_by(mesh: Mesh) -> Tensor:
    """(32, 32, 32) bool, indexed x, y, z: voxels that a mesh fills; none where the mesh has no faces."""
    if mesh.num_faces == 0:
        return torch.zeros((RESOLUTION,) * 3, dtype=torch.bool)
    return nmr_voxels(Mesh(mesh.verts.detach().cpu(), mesh.faces.cpu())).filled


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
