"""What training and evaluation ask of a data set in pictures, whatever its files, and how its layout is recognised."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol

import torch
from torch import Tensor

from ...cameras import Cameras
from ...errors import InputError
from ..shapes.records import ShapePoints, Voxels
from .choy import ChoyShapes
from .dvr import DvrShapes
from .grid import Grid
from .indices import Index
from .nmr import IMAGES, NmrShapes
from .pictured import PicturedShapes


class ImageSet(Protocol):
    """Shapes in pictures of one size, each in as many views: :func:`open_image_set` gives one."""

    @property
    def root(self) -> Path:
        """Folder of the files."""

    @property
    def split(self) -> str | None:
        """Which part of the data set it is."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""

    @property
    def class_of(self) -> Tensor:
        """(N,) int64: class of each shape, an index into :attr:`classes`."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each shape; "CLASS/REST" where there are classes."""

    @property
    def num_views(self) -> int:
        """Views of each shape."""

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the pictures."""

    @property
    def has_silhouettes(self) -> bool:
        """Whether pictures are RGBA, the object where alpha is above 0; otherwise RGB on white."""

    @property
    def has_points(self) -> bool:
        """Whether there are points with occupancies, for 3D supervision."""

    @property
    def truth(self) -> Literal["voxels", "points"] | None:
        """What shapes are compared with, as those who published the layout do; None where no solid is known."""

    @property
    def grid(self) -> Grid:
        """The voxels of :meth:`filled`."""

    @property
    def shared_cameras(self) -> Cameras | None:
        """Cameras of the views, where they are the same for every shape."""

    def __len__(self) -> int: ...

    def images(self, shapes: Index, views: Index | None = None) -> Tensor:
        """uint8 (S..., H, W, 4 or 3): pictures of shapes S; all views on an axis of their own where None are given."""

    def cameras_of(self, shapes: Index, views: Index | None = None) -> Cameras:
        """Cameras of such pictures, all axes in one, in the frame of :meth:`points` and :meth:`voxels`."""

    def points(
        self, index: int, count: int | None = None, *, generator: torch.Generator | int | None = None
    ) -> ShapePoints:
        """Points of the padded unit cube with their occupancies: ``count`` at random, or all of them."""

    def voxels(self, index: int) -> Voxels:
        """Voxels of a shape, as far as its files tell."""

    def filled(self, shapes: Tensor | Sequence[int]) -> Tensor:
        """(B, R, R, R) bool: voxels of :attr:`grid`, indexed x, y, z."""

    def digests(self) -> Sequence[str] | Sequence[bytes]:
        """What tells shapes apart."""


def open_image_set(
    root: str | os.PathLike[str], *, split: str | None, classes: Sequence[str] | None = None
) -> ImageSet:
    """Open a data set whatever its layout: that of SoftRas and NMR, of Occupancy Networks, or of DVR.

    Args:
        root: the folder: of files ``SYNSET_SPLIT_images.npz``, of ``CLASS/MODEL/img_choy2016/``, or of
            ``CLASS/MODEL/image/`` with ``mask/``. Classes may be left out of the last two.
        split: "train", "val", "test" or the name of another list. Of DVR's lists that are named ``softras_SPLIT.lst``
            "train" means ``softras_train.lst``, where there is no ``train.lst``.
        classes: which ones, by the names of their folders or files, or by name ("chair"); None: all that there are.

    Raises:
        InputError: no such folder, none of these layouts, or what the readers of the layout find wrong.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    if next(root.glob(f"*_{IMAGES}.npz"), None) is not None:
        if split is None:
            raise ValueError("split: expected a name, as the files of SoftRas/NMR have them, got None")
        return NmrShapes(root, split=split, classes=classes)
    reader = _layout(root)
    if reader is None:
        raise InputError(
            f"{root}: not a data set of shapes in pictures; expected SYNSET_{split or 'SPLIT'}_{IMAGES}.npz "
            "(SoftRas/NMR), CLASS/MODEL/img_choy2016/ (Occupancy Networks) or CLASS/MODEL/image/ and mask/ (DVR)"
        )
    return reader(root, split=_list_name(root, split), classes=classes)


def _layout(root: Path) -> type[PicturedShapes] | None:
    """By the first model's folder that holds pictures."""
    for folder in _folders(root):
        if (folder / ChoyShapes.pictures).is_dir():
            return ChoyShapes
        if (folder / DvrShapes.pictures).is_dir() and (folder / DvrShapes.masks).is_dir():
            return DvrShapes
    return None


def _folders(root: Path) -> Iterator[Path]:
    """What may be folders of models: those in the root, and those in folders there."""
    inner = sorted(entry for entry in root.iterdir() if entry.is_dir())
    for folder in inner:
        yield folder
        yield from (entry for entry in folder.iterdir() if entry.is_dir())


def _list_name(root: Path, split: str | None) -> str | None:
    if split is None or any(True for pattern in ("", "*/") for _ in root.glob(f"{pattern}{split}.lst")):
        return split
    softras = f"softras_{split}"
    return softras if next(root.glob(f"*/{softras}.lst"), None) is not None else split
