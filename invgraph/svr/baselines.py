"""What a reconstruction must beat: mean shapes, retrieval, and the best that any retrieval could do.

Tatarchenko et al., "What do single-view 3D reconstruction networks learn?", CVPR 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ..data.image_sets import ImageSet
from .image_features import image_features
from .picture_size import with_alpha

Progress = Callable[[int, int], None]
_CHUNK = 256
_LEVELS = tuple(level / 20 for level in range(1, 20))


def voxels_of(data: ImageSet, shapes: Sequence[int]) -> Tensor:
    """(N, R, R, R) bool, indexed x, y, z: voxels of shapes, of the data set's grid."""
    if not len(shapes):
        return torch.zeros((0, *(data.grid.resolution,) * 3), dtype=torch.bool)
    return data.filled(shapes)


def mean_shape(data: ImageSet, shapes: Sequence[int]) -> Tensor:
    """The mean of shapes' voxels, cut where it agrees best with them: at the level of the highest mean IoU.

    Args:
        data: the training set.
        shapes: which of its shapes.

    Returns:
        (R, R, R) bool, indexed x, y, z.

    Raises:
        ValueError: no shapes.
    """
    if not len(shapes):
        raise ValueError("shapes: expected at least one, got none")
    total = torch.zeros((data.grid.resolution,) * 3)
    for _, voxels in _chunks(data, shapes):
        total += voxels.sum(0)
    mean = total / len(shapes)
    cuts = torch.stack([mean > level for level in _LEVELS])
    score = torch.zeros(len(cuts), dtype=torch.float64)
    for _, voxels in _chunks(data, shapes):
        score += _pairwise_iou(cuts, voxels).sum(1)
    return cuts[int(score.argmax())]


def oracle_nearest(data: ImageSet, truth: Tensor, *, progress: Progress | None = None) -> tuple[Tensor, Tensor]:
    """The training shape of the highest IoU with each true one: a bound for every method that retrieves.

    Args:
        data: the training set.
        truth: (N, R, R, R) bool, indexed x, y, z.
        progress: called with the training shapes compared and those in all.

    Returns:
        (N,) indices of training shapes, and (N,) their IoU, float64.
    """
    best = torch.full((len(truth),), -1.0, dtype=torch.float64)
    index = torch.zeros(len(truth), dtype=torch.int64)
    for start, voxels in _chunks(data, range(len(data))):
        for rows in torch.arange(len(truth)).split(_CHUNK):
            iou, where = _pairwise_iou(truth[rows], voxels).max(1)
            better = iou > best[rows]
            index[rows[better]], best[rows[better]] = where[better] + start, iou[better]
        if progress is not None:
            progress(start + len(voxels), len(data))
    return index, best


class Retrieval:
    """The training shape that has the most similar picture, by :func:`image_features`.

    Args:
        data: the training set.
        pictures: keep no more than this many of its pictures, spread evenly: of every shape some views, or of some
            shapes one.
        progress: called with the shapes read and those in all.
    """

    def __init__(self, data: ImageSet, *, pictures: int = 100_000, progress: Progress | None = None) -> None:
        if pictures < 1:
            raise ValueError(f"pictures: expected at least 1, got {pictures}")
        shapes = torch.arange(0, len(data), max(1, -(-len(data) // pictures)))
        views = data.num_views
        kept = torch.arange(0, views, -(-views // max(1, min(views, pictures // len(shapes)))))
        self._shape = shapes.repeat_interleave(len(kept))
        rows, done = [], 0
        for part in shapes.split(_CHUNK):
            images = data.images(part[:, None], kept[None]).flatten(0, 1).movedim(-1, 1)
            rows.append(image_features(with_alpha(images.float() / 255)))
            done += len(part)
            if progress is not None:
                progress(done, len(shapes))
        self._features = torch.cat(rows)

    def nearest(self, images: Tensor) -> Tensor:
        """(B,) index of the training shape for each picture in [0, 1]: (B, 4, H, W) straight RGBA, or RGB on white."""
        found = []
        for wanted in image_features(with_alpha(images)).split(_CHUNK):
            # the features all have the same length: the nearest has the largest product
            found.append((wanted @ self._features.T).argmax(1))
        return self._shape[torch.cat(found)] if found else torch.zeros(0, dtype=torch.int64)


def _chunks(data: ImageSet, shapes: Sequence[int]) -> Iterator[tuple[int, Tensor]]:
    """Voxels (n, R, R, R) of a few shapes at a time, with the place of the first: they need not fit in memory."""
    for start in range(0, len(shapes), _CHUNK):
        yield start, voxels_of(data, shapes[start : start + _CHUNK])


def _pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """(N, M) float64 IoU of each of N with each of M bool grids."""
    x, y = a.flatten(1).float(), b.flatten(1).float()  # counts below 2^24 are exact
    shared = (x @ y.T).double()
    joined = x.sum(1).double()[:, None] + y.sum(1).double() - shared
    return torch.where(joined > 0, shared / joined.clamp_min(1), 1.0)
