"""The folders of Differentiable Volumetric Rendering (Niemeyer et al., CVPR 2020) that are supervised in 2D."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from .camera_file import Matrices, check_matrix
from .pictured import PicturedShapes


class DvrShapes(PicturedShapes):
    """Read ``ROOT/CLASS/MODEL/``: ``image/0000.png``, ..., ``mask/0000.png``, ... and ``cameras.npz``.

    ``NMR_Dataset`` is such a folder, with the lists ``softras_train.lst``, ``softras_val.lst``, ``softras_test.lst``.
    ``camera_mat_i @ world_mat_i @ scale_mat_i``, each (4, 4), takes a point of the unit cube to the picture, which
    spans [-1, 1] from its left to its right side and from its top to its bottom; without ``scale_mat_i`` the cameras'
    world is the cube's. An axis that ``camera_mat_i`` mirrors is mirrored in ``world_mat_i`` too. A pixel is object
    where the first channel of its mask is above 0.

    The authors' own rays take -1 and 1 for the centres of the outermost pixels, which are 1/64 apart from where the
    cameras that drew the NMR pictures have them.
    """

    __doc__ = f"{__doc__}\n{(PicturedShapes.__doc__ or '').partition('each.')[2]}"

    pictures = "image"
    masks = "mask"
    suffixes = (".png", ".jpg")
    channels = 4
    keys = MappingProxyType({"camera_mat": [(3, 3), (4, 4)], "world_mat": [(3, 4), (4, 4)]})

    def _camera_file(self, index: int) -> Path:
        return self.path(index) / "cameras.npz"

    def _matrices(self, number: int, file: Matrices) -> tuple[np.ndarray, np.ndarray]:
        camera, world = (file[f"{key}_{number}"].astype(np.float64) for key in self.keys)
        height, width = self.image_size
        to_pixels = np.array([[width / 2, 0, width / 2], [0, height / 2, height / 2], [0, 0, 1.0]])
        sign = np.diag(np.where(np.diag(camera)[:3] < 0, -1.0, 1.0))
        return to_pixels @ camera[:3, :3] @ sign, sign @ world[:3]

    def _frame(self, index: int, path: Path, file: Matrices) -> tuple[Tensor, float]:
        names = [key for key in file if re.fullmatch(r"scale_mat_\d+", key)]
        if not names:
            return torch.zeros(3, dtype=torch.float64), 1.0
        for name in names:
            check_matrix(path, name, file, [(4, 4)])
        scales = [file[name] for name in names]
        matrix = scales[0].astype(np.float64)
        expected = np.eye(4)
        expected[:3] = np.column_stack([matrix[0, 0] * np.eye(3), matrix[:3, 3]])
        if not (
            np.array_equal(matrix, expected) and matrix[0, 0] > 0 and all(np.array_equal(s, scales[0]) for s in scales)
        ):
            raise InputError(f"{path}: 'scale_mat_0': expected one scale and shift (4, 4), the same for all views")
        return torch.from_numpy(matrix[:3, 3].copy()), float(matrix[0, 0])

    def _picture(self, path: Path) -> np.ndarray:
        color = self._open(path)
        at = path.parents[1] / self.masks / f"{path.stem}.png"
        mask = self._open(at)[..., :1]
        if mask.shape[:2] != color.shape[:2]:
            raise InputError(f"{at}: is {mask.shape[:2]} pixels, its picture is {color.shape[:2]}")
        if not mask.any():
            raise InputError(f"{at}: there is no silhouette in it")
        return np.concatenate([color, np.where(mask > 0, 255, 0).astype(np.uint8)], axis=-1)
