"""The ShapeNet files of SoftRas and of the Neural Mesh Renderer, and made shapes, which are written alike."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ...cameras import Cameras
from ...errors import InputError
from ..shapes.records import ShapePoints, Voxels
from .array_file import Progress, open_array
from .grid import Grid
from .indices import Index, chosen
from .nmr_frame import RESOLUTION, SIZE, VIEWS, as_voxels, nmr_cameras
from .synsets import chosen_classes

IMAGES, VOXELS, POINTS = "images", "voxels", "points"
_FAR = 2.0  # of any axis of a point, whose place is in the padded unit cube


class NmrShapes:
    """Read ``{SYNSET}_{SPLIT}_images.npz`` and ``{SYNSET}_{SPLIT}_voxels.npz``.

    Images are uint8 (N, 24, 4, 64, 64), straight RGBA; voxels (N, 32, 32, 32), uint8 or bool; each file's only array,
    whatever its name. Where ``{SYNSET}_{SPLIT}_points.npz`` is there too: ``points`` (N, P, 3) float16 in the padded
    unit cube and ``occupancies`` (N, P / 8), packed bits, first in the highest.

    The files are memory-mapped: opening takes milliseconds, and only what is asked for is read. Compressed ones are
    unpacked once, see :func:`open_array`. Objects may be pickled and used in many processes.

    Args:
        root: folder of the files.
        split: "train", "val" or "test".
        classes: which ones, by number or name ("chair"); None: all that are there, in the order of their numbers.
        cache: folder for unpacked arrays; None: ``.unpacked`` in ``root``.
        progress: called with the bytes unpacked and those in all.

    Raises:
        InputError: no folder, class or files; truncated or mislabelled ones; wrong shapes or dtypes; no shapes; numbers
            of shapes that disagree.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        split: str,
        classes: Sequence[str] | None = None,
        cache: str | os.PathLike[str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.root, self.split = Path(root), split
        if not self.root.is_dir():
            raise InputError(f"{self.root}: no such folder")
        ending = f"_{split}_{IMAGES}.npz"
        there = sorted(p.name[: -len(ending)] for p in self.root.glob(f"*{ending}"))
        if not there:
            raise InputError(f"{self.root / 'SYNSET'}{ending}: no such file")
        self.classes = chosen_classes(f"{self.root}, split {split!r}", classes, there)
        """Their synsets, in the order of :attr:`class_of`."""
        folder = self._cache = None if cache is None else Path(cache)
        # plain views of the maps: numpy makes a map's rows five times slower
        self._images: list[np.ndarray] = []
        self._voxels: list[np.ndarray] = []
        self._points: list[np.ndarray] = []
        self._bits: list[np.ndarray] = []
        for synset in self.classes:
            stem = self.root / f"{synset}_{split}"
            images = open_array(
                self._path(synset, IMAGES),
                None,
                np.uint8,
                (None, VIEWS, 4, SIZE, SIZE),
                cache=folder,
                progress=progress,
            )
            self._images.append(np.asarray(images))
            cube = (len(images), RESOLUTION, RESOLUTION, RESOLUTION)
            self._voxels.append(np.asarray(_voxels(self._path(synset, VOXELS), cube, folder)))
            path = stem.with_name(f"{stem.name}_{POINTS}.npz")
            if path.is_file():
                points = open_array(path, "points", np.float16, (len(images), None, 3), cache=folder)
                packed = (len(images), -(-points.shape[1] // 8))
                self._points.append(np.asarray(points))
                self._bits.append(np.asarray(open_array(path, "occupancies", np.uint8, packed, cache=folder)))
        if len(self._points) not in (0, len(self.classes)):
            raise InputError(f"{self.root}: some classes have a file of points for {split!r} and some have none")
        counts = [len(images) for images in self._images]
        self._first = [0, *accumulate(counts)]
        self.class_of: Tensor = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        """(N,) int64: class of each shape, an index into :attr:`classes`."""

    num_views = VIEWS
    """Views of each shape."""
    image_size = (SIZE, SIZE)
    """Height and width of the pictures."""
    has_silhouettes = True
    """Pictures are RGBA."""
    truth: Literal["voxels"] = "voxels"
    """What shapes are compared with."""
    grid = Grid()
    """The voxels of :meth:`filled`."""

    def __len__(self) -> int:
        return self._first[-1]

    @property
    def names(self) -> list[str]:
        """ "SYNSET/NUMBER" of each shape, by its place in the file."""
        counts = np.diff(self._first)
        return [f"{synset}/{i}" for synset, n in zip(self.classes, counts) for i in range(n)]

    @property
    def has_points(self) -> bool:
        """Whether there are points for 3D supervision."""
        return bool(self._points)

    @property
    def shared_cameras(self) -> Cameras:
        """Those of all views."""
        return nmr_cameras()

    def cameras(self, views: Sequence[int] | Tensor | None = None) -> Cameras:
        """Cameras of views, the same for every shape: :func:`nmr_cameras`."""
        return nmr_cameras(views)

    def cameras_of(self, shapes: Index, views: Index | None = None) -> Cameras:
        """Cameras of pictures, in the order of :meth:`images` with all axes in one."""
        return nmr_cameras(chosen(shapes, views, len(self), VIEWS).views)

    def images(self, shapes: Index, views: Index | None = None) -> Tensor:
        """Pictures.

        Args:
            shapes: indices of shapes, of any shape S.
            views: indices of views; None: all 24 of each shape. Otherwise broadcast against ``shapes``.

        Returns:
            uint8 (S..., 64, 64, 4), or (S..., 24, 64, 64, 4); ``/ 255`` is straight RGBA. Channels lie as in the file,
            one after the other: the last axis is strided.

        Raises:
            IndexError: indices out of range.
            InputError: a picture without a silhouette.
        """
        asked = chosen(shapes, views, len(self), VIEWS)
        out = torch.empty((len(asked), 4, SIZE, SIZE), dtype=torch.uint8)
        rows = out.numpy()
        for row, (i, k) in enumerate(zip(asked.shapes, asked.views)):
            number, place = self._place(i)
            rows[row] = self._images[number][place, k]
        empty = ~(out[:, 3] > 0).flatten(1).any(1)
        if bool(empty.any()):
            row = int(empty.nonzero()[0])
            number, place = self._place(asked.shapes[row])
            raise InputError(
                f"{self._path(self.classes[number], IMAGES)}: shape {place} has no silhouette in view "
                f"{asked.views[row]}, its alpha is 0 everywhere"
            )
        return out.reshape(*asked.size, 4, SIZE, SIZE).movedim(-3, -1)

    def voxels(self, index: int) -> Voxels:
        """Voxels of a shape, in the world of the cameras."""
        number, place = self._place(index)
        filled = torch.from_numpy(self._voxels[number][place].astype(bool))
        return as_voxels(filled.transpose(0, 1).contiguous())

    def filled(self, shapes: Tensor | Sequence[int]) -> Tensor:
        """(B, 32, 32, 32) bool voxels of shapes, indexed x, y, z."""
        return torch.stack([self.voxels(int(i)).filled for i in torch.as_tensor(shapes).tolist()])

    def points(
        self, index: int, count: int | None = None, *, generator: torch.Generator | int | None = None
    ) -> ShapePoints:
        """Points of the padded unit cube with their occupancies, in the world of the cameras.

        Args:
            index: which shape.
            count: how many, at random; None: all.
            generator: source of the choice, or a seed; the global generator if None.

        Raises:
            ValueError: more than there are, or a data set without points.
            InputError: points that are not finite, or far from the cube.
        """
        if not self._points:
            raise ValueError(f"points: {self.root} has no files of points")
        number, place = self._place(index)
        points, bits = self._points[number][place], np.unpackbits(self._bits[number][place])
        order = torch.arange(len(points))
        if count is not None:
            if not 0 < count <= len(points):
                raise ValueError(f"count: expected 1 to {len(points)}, the points of a shape, got {count}")
            if isinstance(generator, int):
                generator = torch.Generator().manual_seed(generator)
            order = torch.randperm(len(points), generator=generator)[:count]
        rows = order.numpy()
        place_in_cube = torch.from_numpy(points[rows].astype(np.float32))
        if not bool((place_in_cube.abs() < _FAR).all()):
            path = self._path(self.classes[number], POINTS)
            raise InputError(f"{path}: 'points' of shape {place} are not all finite and near the unit cube")
        inside = torch.from_numpy(bits[rows].astype(bool))
        return ShapePoints(place_in_cube, inside, torch.zeros(3, dtype=torch.float64), 1.0)

    def digests(self) -> list[bytes]:
        """What tells shapes apart: a digest of each one's voxels and first picture."""
        from hashlib import blake2b

        found = []
        for images, voxels in zip(self._images, self._voxels):
            for picture, cube in zip(images, voxels):
                found.append(blake2b(picture[0].tobytes() + cube.astype(np.uint8).tobytes(), digest_size=16).digest())
        return found

    def _place(self, index: int) -> tuple[int, int]:
        """Class and row of a shape."""
        if not 0 <= index < len(self):
            raise IndexError(f"shapes: expected indices from 0 to {len(self) - 1}, got {index}")
        number = bisect_right(self._first, index) - 1
        return number, index - self._first[number]

    def _path(self, synset: str, kind: str) -> Path:
        return self.root / f"{synset}_{self.split}_{kind}.npz"

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # memory maps are opened again, not copied
        return _reopen, (self.root, self.split, self.classes, self._cache)


def _reopen(root: Path, split: str, classes: Sequence[str], cache: Path | None) -> NmrShapes:
    return NmrShapes(root, split=split, classes=classes, cache=cache)


def _voxels(path: Path, shape: tuple[int, ...], cache: Path | None) -> np.memmap:
    """Voxels are uint8, or bool as some copies have them."""
    try:
        return open_array(path, None, np.uint8, shape, cache=cache)
    except InputError as error:
        if " is bool, expected" not in str(error):
            raise
        return open_array(path, None, np.bool_, shape, cache=cache)
