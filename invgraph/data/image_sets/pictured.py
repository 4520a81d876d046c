"""Folders of models with pictures of them: what the layouts of Occupancy Networks and of DVR share."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...camera_conventions import camera_faults
from ...cameras import Cameras
from ...errors import InputError
from ..shapes.folder import CLOUD, FILES, POINTS, VOXELS, ShapeFolder
from ..shapes.npz import load_frame
from ..shapes.records import ShapeCloud, ShapePoints, Voxels
from .indices import Index, chosen

Matrices = dict[str, np.ndarray]


class PicturedShapes(ABC):
    """Models in folders of classes, ``ROOT/CLASS/MODEL/``, with numbered pictures and one file of cameras each.

    Pictures are decoded when they are asked for; what a folder holds and its cameras are kept. All pictures of a data
    set have one size, and all models as many views as the first one, at least. It may be pickled and used in many
    processes.

    Args:
        root: the folder.
        split: name of the lists ``CLASS/SPLIT.lst``; None: every model.
        classes: names of class folders; None: all of them, in order of their names.

    Raises:
        InputError: no such folder, class or list; a class of no models; a first model without pictures or cameras.
    """

    pictures: str
    """Folder of a model that holds them."""
    suffixes: tuple[str, ...]
    channels: int
    keys: tuple[str, ...]
    """Arrays of the file of cameras, less the number of the view."""

    def __init__(
        self, root: str | os.PathLike[str], *, split: str | None = None, classes: Sequence[str] | None = None
    ) -> None:
        marks = (self.pictures, *FILES)
        found = ShapeFolder(root, split=split, categories=classes, marks=marks)
        self.root, self.names, self._folder = found.root, found.models, found
        of = [name.rpartition("/")[0] for name in self.names]
        self.classes: tuple[str, ...] = tuple(dict.fromkeys(of) if classes is None else classes)
        """Names of the classes, in the order of :attr:`class_of`; "" where models are in the root itself."""
        for name in self.classes:
            if name not in of:
                raise InputError(f"{self.root / name}: there are no models of this class in {split or 'it'}")
        number = {name: i for i, name in enumerate(self.classes)}
        self.class_of: Tensor = torch.tensor([number[name] for name in of])
        """(N,) int64: class of each model, an index into :attr:`classes`."""
        self._files: dict[int, list[Path]] = {}
        self._cameras: dict[int, Cameras] = {}
        self.num_views = len(self._views(0))
        """Views of each model."""
        self.image_size = self._open(self._views(0)[0]).shape[:2]
        """Height and width of the pictures."""

    def __len__(self) -> int:
        return len(self.names)

    def path(self, index: int) -> Path:
        """Folder of a model."""
        return self._folder.path(index)

    def images(self, shapes: Index, views: Index | None = None) -> Tensor:
        """Pictures, read from their files.

        Args:
            shapes: indices of models, of any shape S.
            views: indices of views; None: all of each model. Otherwise broadcast against ``shapes``.

        Returns:
            uint8 (S..., H, W, C): RGB or, where the layout has masks, straight RGBA.

        Raises:
            IndexError: indices out of range.
            InputError: pictures that cannot be read, are not of one size, or have no silhouette.
        """
        asked = chosen(shapes, views, len(self), self.num_views)
        out = torch.empty((len(asked), *self.image_size, self.channels), dtype=torch.uint8)
        for row, (i, k) in enumerate(zip(asked.shapes, asked.views)):
            path = self._views(i)[k]
            picture = self._picture(path)
            if picture.shape != tuple(out.shape[1:]):
                raise InputError(f"{path}: is {picture.shape[:2]} pixels, other pictures are {self.image_size}")
            out[row] = torch.from_numpy(picture)
        return out.reshape(*asked.size, *out.shape[1:])

    def cameras_of(self, shapes: Index, views: Index | None = None) -> Cameras:
        """Cameras of pictures, in the order of :meth:`images` with all axes in one.

        float32, in the frame of the unit cube, that of :meth:`points`.

        Raises:
            IndexError: indices out of range.
            InputError: a file of cameras that is missing, broken or lacks views; matrices that are no camera.
        """
        asked = chosen(shapes, views, len(self), self.num_views)
        if not len(asked):
            raise IndexError("shapes: expected at least one index, got none")
        of = [self._of_model(i) for i in asked.shapes]
        R, t, K = (
            torch.stack([getattr(cameras, name)[k] for cameras, k in zip(of, asked.views)]) for name in ("R", "t", "K")
        )
        return of[0]._with(R, t, K)

    def points(self, index: int, *, noise: float = 0.0, generator: torch.Generator | int | None = None) -> ShapePoints:
        """Points of the padded unit cube with their occupancies; arguments as of :func:`load_points`."""
        return self._folder.points(index, noise=noise, generator=generator)

    def cloud(self, index: int) -> ShapeCloud:
        """Points of the surface, with normals."""
        return self._folder.cloud(index)

    def voxels(self, index: int) -> Voxels:
        """Voxels, as their file places them."""
        return self._folder.voxels(index)

    @property
    def has_points(self) -> bool:
        """Whether the first model has points for 3D supervision."""
        return (self.path(0) / POINTS).is_file()

    def digests(self) -> list[str]:
        """What tells models apart: their names."""
        return list(self.names)

    @abstractmethod
    def _matrices(self, number: int, file: Matrices) -> tuple[np.ndarray, np.ndarray]:
        """K (3, 3) in pixels and [R | t] (3, 4) of a view, from the arrays of the file of cameras."""

    @abstractmethod
    def _camera_file(self, index: int) -> Path: ...

    def _picture(self, path: Path) -> np.ndarray:
        """(H, W, C) uint8."""
        return self._open(path)

    def _frame(self, index: int, path: Path, file: Matrices) -> tuple[Tensor, float]:
        """Centre and side, in the world of the file of cameras, of what becomes the unit cube."""
        for name in (POINTS, CLOUD):
            path = self.path(index) / name
            if path.is_file():
                return load_frame(path)
        if (self.path(index) / VOXELS).is_file():
            voxels = self.voxels(index)
            return voxels.low + voxels.side / 2, voxels.side
        return torch.zeros(3, dtype=torch.float64), 1.0

    def _views(self, index: int) -> list[Path]:
        """Pictures of a model, in the order of their numbers."""
        if index not in self._files:
            folder = self.path(index) / self.pictures
            found = [p for p in folder.iterdir() if p.suffix in self.suffixes] if folder.is_dir() else []
            wanted = max(1, getattr(self, "num_views", 1))
            if len(found) < wanted:
                kinds = " or ".join(self.suffixes)
                raise InputError(f"{folder}: expected at least {wanted} pictures ({kinds}), got {len(found)}")
            if wrong := [p.name for p in found if not p.stem.isdecimal()]:
                raise InputError(f"{folder / wrong[0]}: expected a number for a name")
            self._files[index] = sorted(found, key=lambda p: int(p.stem))
        return self._files[index]

    def _of_model(self, index: int) -> Cameras:
        """Cameras of all views of a model."""
        if index not in self._cameras:
            path = self._camera_file(index)
            file = _arrays(path)
            K, Rt = [], []
            for picture in self._views(index)[: self.num_views]:
                number = int(picture.stem)
                for key in self.keys:
                    _check(path, f"{key}_{number}", file)
                intrinsics, pose = self._matrices(number, file)
                K.append(intrinsics)
                Rt.append(pose)
            k, rt = torch.from_numpy(np.stack(K)), torch.from_numpy(np.stack(Rt))
            faults = camera_faults(rt[:, :, :3], rt[:, :, 3], k)
            if faults:
                view, told = faults[0]
                number = int(self._views(index)[view].stem)
                raise InputError(f"{path}: {' and '.join(f'{key}_{number}' for key in self.keys)}: {told}")
            cameras = Cameras(rt[:, :, :3], rt[:, :, 3], k, self.image_size)
            center, side = self._frame(index, path, file)
            self._cameras[index] = cameras.normalized(center, side).to(dtype=torch.float32)
        return self._cameras[index]

    @staticmethod
    def _open(path: Path) -> np.ndarray:
        """(H, W, 3) uint8 of a picture."""
        from PIL import Image

        try:
            with Image.open(path) as picture:
                return np.array(picture.convert("RGB"))
        except Exception as error:  # Pillow raises many kinds for broken files
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise InputError(f"{path}: not a readable picture ({reason})") from error


def _arrays(path: Path) -> Matrices:
    if not path.is_file():
        raise InputError(f"{path}: no such file of cameras")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except Exception as error:  # zipfile and numpy raise many kinds for broken archives
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path}: not a readable npz archive, truncated perhaps ({reason})") from error


def _check(path: Path, key: str, file: Matrices) -> None:
    """A matrix of 3 or 4 rows and columns, of finite numbers."""
    if key not in file:
        raise InputError(f"{path}: expected the key {key!r}, got {', '.join(sorted(file)[:4]) or 'none'} ...")
    array = file[key]
    if array.dtype.kind not in "fiu" or array.shape not in ((3, 3), (3, 4), (4, 4)):
        raise InputError(f"{path}: {key!r} is {array.dtype} of shape {array.shape}, expected a matrix of 3 or 4 rows")
    if not np.isfinite(array).all():
        raise InputError(f"{path}: {key!r} is not finite")
