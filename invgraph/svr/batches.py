"""Batches of a training run, each a function of the seed and of its number alone.

That makes resuming exact, whatever was loaded ahead when a run was killed, and it makes a run the same on any number of
processes: what is drawn at random is drawn for the whole batch, and each process takes its part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..cameras import Cameras
from ..data.image_sets import ImageSet
from ..errors import InputError
from ..fields.ray_pixels import outline_band, sample_pixels
from ..interrupt import interrupts_held
from .augment import colour_factors, jitter_colours, mirrored_cameras
from .packed_cameras import pack, unpack
from .picture_size import resized


class Batch(NamedTuple):
    """Shapes, each in a few of its views."""

    images: Tensor
    """(B, m, C, S, S) in [0, 1]: what the encoder sees, the first m of the views."""
    masks: Tensor
    """(B, n, H, W) in [0, 1]: the silhouettes, at the size of the data set's pictures; n is 0 where there are none."""
    views: Tensor
    """(B, n) numbers of the views; of a mirrored shape they begin after the last view."""
    points: Tensor
    """(B, K, 3) in the world of the cameras; K is 0 without 3D supervision."""
    occupancies: Tensor
    """(B, K) in {0, 1}."""
    cameras: Tensor = torch.empty(0, 0, 3, 7)
    """(B, n, 3, 7): R, t and K of each picture; n is 0 where views and shapes share cameras, see ``with_mirrored``."""
    pixels: Tensor = torch.empty(0, 0, 0, dtype=torch.int64)
    """(B, n, P), ``row * W + column`` of pixels of the silhouettes, half of them near the outline; P may be 0."""
    pixel_weights: Tensor = torch.empty(0, 0, 0)
    """(B, n, P) with which the mean over them stands for the mean over all pixels."""

    def all_cameras(self, codes: int) -> Cameras | None:
        """Cameras (B codes n): those of a shape's n pictures, for each of its codes; None where shared."""
        if not self.cameras.shape[1]:
            return None
        each = self.cameras[:, None].expand(-1, codes, -1, -1, -1).reshape(-1, 3, 7)
        height, width = self.masks.shape[-2:]
        return unpack(each, (height, width))


@dataclass(frozen=True)
class BatchOptions:
    """What a batch is.

    Attributes:
        shapes: in a batch, of all processes together.
        views: different ones of each shape.
        inputs: how many of them come as pictures, and not as silhouettes alone; None: all.
        points: with their occupancy, of each shape; 0 for silhouettes alone.
        augment: strength of the changes of colour, see :func:`jitter_colours`.
        mirror: show half of the shapes mirrored, their left on the right: x is -x, in pictures, cameras and points.
        channels: 3 or 4, of the pictures.
        image_size: pixels along a side, as the encoder sees pictures.
        seed: of everything that is drawn.
        pixels: of each view, for silhouettes along rays; 0 for none.
    """

    shapes: int = 16
    views: int = 2
    points: int = 0
    augment: float = 0.0
    mirror: bool = False
    channels: int = 4
    seed: int = 0
    image_size: int = 64
    pixels: int = 0
    inputs: int | None = None


class StepBatches(Dataset[Batch]):
    """The batch of each step; ``batches[step]`` for any step from 0 on.

    Shapes come in a new order each epoch, and every shape once an epoch; an epoch may end within a batch.

    Args:
        data: training shapes.
        options: see :class:`BatchOptions`.
        part: of how many processes, and which this is; the number of shapes in a batch is a multiple of the former.
    """

    def __init__(self, data: ImageSet, options: BatchOptions, part: tuple[int, int] = (1, 0)) -> None:
        processes, rank = part
        if options.shapes < 1 or options.shapes % processes:
            raise ValueError(f"shapes: expected a multiple of {processes} processes, got {options.shapes}")
        if not 1 <= options.views <= data.num_views:
            raise ValueError(f"views: expected 1 to {data.num_views}, got {options.views}")
        self._data, self._options = data, options
        # nobody draws what has no silhouettes
        self._own_cameras = data.has_silhouettes and data.shared_cameras is None
        share = options.shapes // processes
        self._mine = slice(rank * share, (rank + 1) * share)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)

    def __getitem__(self, step: int) -> Batch:
        options, mine = self._options, self._mine
        generator = _generator(options.seed, 1, step)
        views = torch.rand(options.shapes, self._data.num_views, generator=generator).argsort(1)[mine, : options.views]
        factors = colour_factors(options.shapes * options.views, generator).unflatten(0, (options.shapes, -1))[mine]
        first = step * options.shapes
        shapes = torch.tensor([self._shape(first + i) for i in range(options.shapes)[mine]])

        pictures = self._data.images(shapes[:, None], views)
        B, _, H, W, C = pictures.shape
        masks = pictures[..., 3].float() / 255 if C == 4 else torch.empty(B, 0, H, W)
        images = pictures[:, : options.inputs].movedim(-1, -3).contiguous().float() / 255
        images = resized(images.flatten(0, 1), options.image_size)[:, : options.channels].contiguous()
        if options.augment:
            images = jitter_colours(images, factors[:, : options.inputs].flatten(0, 1), options.augment)
        images = images.unflatten(0, (B, -1))
        begin = first + mine.start
        points, inside = self._points(shapes, begin)
        turned = torch.zeros(B, dtype=torch.bool)
        if options.mirror:
            turned = (torch.rand(options.shapes, generator=generator) < 0.5)[mine]
            images[turned], masks[turned] = images[turned].flip(-1), masks[turned].flip(-1)
            points[turned] *= points.new_tensor([-1.0, 1.0, 1.0])
        cameras = self._cameras(shapes, views, turned)
        views = views + self._data.num_views * turned[:, None]
        return Batch(images, masks, views, points, inside, cameras, *self._pixels(masks, begin))

    def _cameras(self, shapes: Tensor, views: Tensor, turned: Tensor) -> Tensor:
        if not self._own_cameras:
            return torch.empty(len(shapes), 0, 3, 7)
        cameras = self._data.cameras_of(shapes[:, None], views)
        plain, mirrored = (pack(c).unflatten(0, views.shape) for c in (cameras, mirrored_cameras(cameras)))
        return torch.where(turned[:, None, None, None], mirrored, plain)

    def _points(self, shapes: Tensor, first: int) -> tuple[Tensor, Tensor]:
        if not self._options.points:
            return torch.empty(len(shapes), 0, 3), torch.empty(len(shapes), 0)
        found = [
            self._data.points(shape, self._options.points, generator=_generator(self._options.seed, 2, first + i))
            for i, shape in enumerate(shapes.tolist())
        ]
        return torch.stack([f.points for f in found]), torch.stack([f.occupancies.float() for f in found])

    def _pixels(self, masks: Tensor, first: int) -> tuple[Tensor, Tensor]:
        count = self._options.pixels if masks.shape[1] else 0
        if not count:
            empty = torch.empty(*masks.shape[:2], 0)
            return empty.long(), empty
        near = outline_band(masks.flatten(0, 1)).view(masks.shape)
        found = [
            sample_pixels(one, count, generator=_generator(self._options.seed, 3, first + i))
            for i, one in enumerate(near)
        ]
        return torch.stack([f.index for f in found]), torch.stack([f.weights for f in found])

    def _shape(self, place: int) -> int:
        """Which shape is at a place of the endless sequence of epochs."""
        epoch, within = divmod(place, len(self._data))
        if epoch != self._epoch:
            generator = _generator(self._options.seed, 0, epoch)
            self._epoch, self._order = epoch, torch.randperm(len(self._data), generator=generator)
        return int(self._order[within])


def loader(
    batches: StepBatches, first: int, steps: int, workers: int = 0, *, pinned: bool = False
) -> DataLoader[Batch | InputError]:
    """Load the batches of the steps from ``first`` to ``steps``, in order, ahead of time if there are workers.

    ``pinned``: into memory that a GPU takes them from while it works. What is wrong with the data comes in place of a
    batch, so that it is the same wherever the batch was loaded.
    """
    return _Loader(
        _Told(batches),
        batch_size=None,
        sampler=range(first, steps),
        num_workers=workers,
        pin_memory=pinned,
        multiprocessing_context="spawn" if workers else None,  # a fork may inherit locks that threads hold
    )


class _Loader(DataLoader["Batch | InputError"]):
    """Ctrl-C does not end its workers: what it means is decided where they are waited for."""

    def __iter__(self) -> Any:
        with interrupts_held():
            return super().__iter__()


class _Told(Dataset["Batch | InputError"]):
    def __init__(self, batches: StepBatches) -> None:
        self._batches = batches

    def __getitem__(self, step: int) -> Batch | InputError:
        try:
            return self._batches[step]
        except InputError as error:
            return error


def _generator(seed: int, kind: int, number: int) -> torch.Generator:
    """A source of its own for each seed, purpose and number."""
    # consecutive seeds of the Mersenne twister give unlike streams only if they are spread over its 64 bits first
    mixed = (seed * 0x9E3779B97F4A7C15 + kind * 0xBF58476D1CE4E5B9 + number * 0x94D049BB133111EB) % 2**63
    return torch.Generator().manual_seed(mixed)
