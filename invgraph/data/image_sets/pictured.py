"""Folders of models with pictures of them: what the layouts of Occupancy Networks and of DVR share."""

from __future__ import annotations

import functools
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ...camera_conventions import camera_faults
from ...cameras import Cameras
from ...errors import InputError
from ..shapes.folder import CLOUD, FILES, POINTS, VOXELS, ShapeFolder
from ..shapes.npz import load_frame
from ..shapes.records import ShapeCloud, ShapePoints, Voxels
from .camera_file import Matrices, check_matrix, read_matrices
from .grid import Grid
from .indices import Index, chosen
from .synsets import chosen_classes


class PicturedShapes(ABC):
    """Models in folders of classes, ``ROOT/CLASS/MODEL/``, with numbered pictures and one file of cameras each.

    Pictures are decoded when they are asked for; what a folder holds and its cameras are kept. All pictures of a data
    set have one size, and all models as many views as the first one, at least. It may be pickled and used in many
    processes.

    Args:
        root: the folder.
        split: name of the lists ``CLASS/SPLIT.lst``; None: every model.
        classes: class folders, by number or name ("chair"); None: all of them, in order of their names.

    Raises:
        InputError: no such folder, class or list; a class of no models; a first model without pictures or cameras.
    """

    pictures: str
    """Folder of a model that holds them."""
    suffixes: tuple[str, ...]
    channels: int
    keys: Mapping[str, Sequence[tuple[int, int]]]
    """Arrays of the file of cameras, less the number of the view, and the shapes that they may have."""

    def __init__(
        self, root: str | os.PathLike[str], *, split: str | None = None, classes: Sequence[str] | None = None
    ) -> None:
        marks, folder = (self.pictures, *FILES), Path(root)
        if classes is not None and folder.is_dir():
            classes = chosen_classes(str(root), classes, [entry.name for entry in folder.iterdir() if entry.is_dir()])
        found = ShapeFolder(root, split=split, categories=classes, marks=marks)
        self.root, self.names, self._folder, self.split = found.root, found.models, found, split
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
        self._filled: dict[int, np.ndarray] = {}
        self.num_views = len(self._views(0))
        """Views of each model."""
        height, width = self._open(self._views(0)[0]).shape[:2]
        self.image_size: tuple[int, int] = (height, width)
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

    def points(
        self,
        index: int,
        count: int | None = None,
        *,
        noise: float = 0.0,
        generator: torch.Generator | int | None = None,
    ) -> ShapePoints:
        """Points of the padded unit cube with their occupancies.

        Args:
            index: which model.
            count: how many, at random; None: all.
            noise: see :func:`load_points`.
            generator: source of the choice and of the noise, or a seed; the global generator if None.

        Raises:
            ValueError: more than there are.
            InputError: a file that is missing or broken.
        """
        if isinstance(generator, int):
            generator = torch.Generator().manual_seed(generator)
        found = self._folder.points(index, noise=noise, generator=generator)
        if count is None:
            return found
        if not 0 < count <= len(found):
            raise ValueError(f"count: expected 1 to {len(found)}, the points of {self.names[index]}, got {count}")
        rows = torch.randperm(len(found), generator=generator)[:count]
        return ShapePoints(found.points[rows], found.occupancies[rows], found.loc, found.scale)

    def cloud(self, index: int) -> ShapeCloud:
        """Points of the surface, with normals."""
        return self._folder.cloud(index)

    def voxels(self, index: int) -> Voxels:
        """Voxels in the frame of the unit cube, that of the cameras.

        Where only points are known, those of :attr:`grid` most of whose points are inside.
        """
        if self.truth == "points":
            return self.grid.placed(self.filled([index])[0])
        voxels = self._folder.voxels(index)
        center, side = self._own_frame(index)
        return Voxels(voxels.filled, (voxels.low - center) / side, voxels.side / side)

    def filled(self, shapes: Tensor | Sequence[int]) -> Tensor:
        """(B, R, R, R) bool voxels of :attr:`grid`, indexed x, y, z: of points where there are points."""
        return torch.stack([self._solid(int(i)) for i in torch.as_tensor(shapes).tolist()])

    @property
    def truth(self) -> Literal["voxels", "points"] | None:
        """What shapes are compared with: points, as in the papers of these layouts, or voxels where these are all."""
        return "points" if self.has_points else "voxels" if (self.path(0) / VOXELS).is_file() else None

    @functools.cached_property
    def grid(self) -> Grid:
        """The voxels of :meth:`filled`: those of the first model's file, where there are no points."""
        return Grid.of(self.voxels(0)) if self.truth == "voxels" else Grid()

    @property
    def has_silhouettes(self) -> bool:
        """Whether pictures are RGBA."""
        return self.channels == 4

    shared_cameras = None
    """Every model has its own cameras."""

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
        """(H, W, C) uint8; three channels are on white."""
        return self._open(path, on_white=True)

    def _frame(self, index: int, path: Path, file: Matrices) -> tuple[Tensor, float]:
        """Centre and side, in the world of the file of cameras, of what becomes the unit cube."""
        return self._own_frame(index)

    def _own_frame(self, index: int) -> tuple[Tensor, float]:
        """Centre and side, in a model's own frame, of what becomes the unit cube."""
        for name in (POINTS, CLOUD):
            path = self.path(index) / name
            if path.is_file():
                return load_frame(path)
        if (self.path(index) / VOXELS).is_file():
            voxels = self._folder.voxels(index)
            return voxels.low + voxels.side / 2, voxels.side
        return torch.zeros(3, dtype=torch.float64), 1.0

    def _solid(self, index: int) -> Tensor:
        """(R, R, R) bool; kept as bits, since evaluation asks for the same shapes again."""
        shape = (self.grid.resolution,) * 3
        if index not in self._filled:
            if self.truth == "points":
                known = self.points(index)
                found = self.grid.of_points(known.points, known.occupancies)
            elif self.truth == "voxels":
                voxels = self.voxels(index)
                place = Grid.of(voxels)
                found = voxels.filled if place == self.grid else place.at(voxels.filled, self.grid.centers())
            else:
                raise InputError(f"{self.path(index)}: expected {POINTS} or {VOXELS}, got neither")
            self._filled[index] = np.packbits(found.numpy())
        bits = np.unpackbits(self._filled[index], count=self.grid.resolution**3)
        return torch.from_numpy(bits.astype(bool)).view(shape)

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
            file = read_matrices(path)
            K, Rt = [], []
            for picture in self._views(index)[: self.num_views]:
                number = int(picture.stem)
                for key, shapes in self.keys.items():
                    check_matrix(path, f"{key}_{number}", file, shapes)
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
    def _open(path: Path, *, on_white: bool = False) -> np.ndarray:
        """(H, W, 3) uint8 of a picture: its colours, or these on white by its alpha, if it has any."""
        from PIL import Image

        try:
            with Image.open(path) as picture:
                if not (on_white and picture.has_transparency_data):
                    return np.array(picture.convert("RGB"))
                white = Image.new("RGBA", picture.size, "white")
                white.alpha_composite(picture.convert("RGBA"))
                return np.array(white.convert("RGB"))
        except Exception as error:  # Pillow raises many kinds for broken files
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise InputError(f"{path}: not a readable picture ({reason})") from error
