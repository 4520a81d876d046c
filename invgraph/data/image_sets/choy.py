"""The ShapeNet folders of Occupancy Networks, with the renderings of Choy et al. (3D-R2N2, ECCV 2016)."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np

from .camera_file import Matrices
from .pictured import PicturedShapes


class ChoyShapes(PicturedShapes):
    """Read ``ROOT/CLASS/MODEL/img_choy2016/``: pictures ``000.jpg``, ... and ``cameras.npz``.

    ``camera_mat_i`` (3, 3) maps to pixels, ``[0, W] x [0, H]`` with (0, 0) the top-left corner; ``world_mat_i`` (3, 4)
    takes points of the model's own frame to the camera's: x right, y down, z forward. ``loc`` and ``scale`` of
    ``points.npz`` or ``pointcloud.npz`` take the unit cube to the model's frame; cameras are given in that of the cube,
    as ``get_camera_args`` of Occupancy Networks makes them. The pictures are jpg on white: there are no silhouettes.
    """

    __doc__ = f"{__doc__}\n{(PicturedShapes.__doc__ or '').partition('each.')[2]}"

    pictures = "img_choy2016"
    suffixes = (".jpg", ".png")
    channels = 3
    keys = MappingProxyType({"camera_mat": [(3, 3)], "world_mat": [(3, 4), (4, 4)]})

    def _camera_file(self, index: int) -> Path:
        return self.path(index) / self.pictures / "cameras.npz"

    def _matrices(self, number: int, file: Matrices) -> tuple[np.ndarray, np.ndarray]:
        K, world = (file[f"{key}_{number}"].astype(np.float64) for key in self.keys)
        return K, world[:3]
