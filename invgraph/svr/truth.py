"""How much a reconstruction shares with what is known of a shape: voxels, or points of space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..data.image_sets import ImageSet
from ..data.image_sets.grid import Grid
from ..data.shapes.voxelize import inside
from ..errors import InputError
from ..geometry.mesh import Mesh
from ..metrics import occupancy_iou
from ..ops.winding_number import winding_number
from .voxel_iou import filled_by, voxel_iou


class Truth:
    """Shapes of a data set as they are known, and the IoU with them.

    ``figure`` says what is measured. "voxel_iou": at the voxels of the data set's grid, by the protocol of SoftRas and
    NMR. "point_iou": at points that are uniform in the padded unit cube, those of ``points.npz``, as Occupancy Networks
    and DVR report it.

    Args:
        data: the data set.

    Raises:
        InputError: neither voxels nor points are known.
    """

    def __init__(self, data: ImageSet) -> None:
        if data.truth is None:
            raise InputError(f"{data.root}: no voxels (model.binvox) and no points (points.npz) to compare shapes with")
        self._data = data
        self.figure = "voxel_iou" if data.truth == "voxels" else "point_iou"

    def iou(self, shapes: Tensor | Sequence[int], pred: Sequence[Sequence[Mesh] | Tensor]) -> Tensor:
        """(N, V) float64 in [0, 1].

        Args:
            shapes: N indices.
            pred: for each of them V reconstructions: meshes in the frame of the cameras, or voxels (V, R, R, R) bool of
                the data set's grid.
        """
        indices = torch.as_tensor(shapes).tolist()
        if self.figure == "voxel_iou":
            known, grid = self._data.filled(indices), self._data.grid
            return torch.stack(
                [voxel_iou(_filled(some, grid), t.expand(len(some), *t.shape)) for some, t in zip(pred, known)]
            )
        rows = []
        for i, some in zip(indices, pred):
            points = self._data.points(i)
            within = torch.stack([self._holds(shape, points.points) for shape in some])
            rows.append(occupancy_iou(within, points.occupancies.expand_as(within)))
        return torch.stack(rows)

    def _holds(self, shape: Mesh | Tensor, points: Tensor) -> Tensor:
        """(P,) bool."""
        if isinstance(shape, Tensor):
            return self._data.grid.at(shape, points)
        if shape.num_faces == 0:
            return torch.zeros(len(points), dtype=torch.bool)
        return inside(winding_number(points, shape.verts.detach().cpu(), shape.faces.cpu()))


def _filled(pred: Sequence[Mesh] | Tensor, grid: Grid) -> Tensor:
    return pred if isinstance(pred, Tensor) else torch.stack([filled_by(mesh, grid) for mesh in pred])
