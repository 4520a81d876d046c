"""How good a network is on shapes that it is not trained on, and what its answers look like."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..data.image_sets import ImageSet
from ..geometry import Mesh
from ..metrics import silhouette_iou
from ..render import DirectionalLight, render
from ..viz import contact_sheet
from .model import Reconstructor
from .picture_size import resized, with_alpha
from .truth import Truth

_CHUNK = 32


class Validation:
    """The same pictures of the same shapes every time: spread over the split, each in another view.

    ``figure`` names the score that says which network is the best: the IoU of solids as the data set knows them
    (:class:`Truth`), or that of silhouettes where it knows none.

    Args:
        data: the validation split.
        count: shapes.

    Raises:
        InputError: shapes of which neither solids nor silhouettes are known.
    """

    def __init__(self, data: ImageSet, count: int) -> None:
        self._truth = Truth(data) if data.truth is not None or not data.has_silhouettes else None
        self._shapes = torch.linspace(0, len(data) - 1, min(count, len(data))).round().long()
        step = next(k for k in range(7, 7 + data.num_views) if math.gcd(k, data.num_views) == 1)
        views = torch.arange(len(self._shapes)) * step % data.num_views  # no common factor: all views come
        self._images = (data.images(self._shapes, views).movedim(-1, -3).float() / 255).contiguous()
        self._cameras = data.cameras_of(self._shapes, views)
        self._outlined = data.has_silhouettes
        self.figure = "silhouette_iou" if self._truth is None else self._truth.figure

    def score(self, model: Reconstructor) -> dict[str, float]:
        """Means over the shapes: "voxel_iou" or "point_iou", and "silhouette_iou" in the view that was shown."""
        meshes = self._meshes(model, len(self._images))
        scores = {}
        if self._truth is not None:
            scores[self.figure] = float(self._truth.iou(self._shapes, [[mesh] for mesh in meshes]).mean())
        if self._outlined:
            alpha = render(meshes, self._cameras).alpha
            scores["silhouette_iou"] = float(silhouette_iou(alpha, self._images[:, 3]).mean())
        return scores

    def picture(self, model: Reconstructor, count: int = 8) -> Tensor:
        """(H, W, 3): a row for each shape: the picture, the prediction seen in the same view, the error of its outline.

        In the last one what both cover is grey, what is missing red, and what is too much blue.
        """
        count = min(count, len(self._images))
        cameras = self._cameras[:count]
        lights = [DirectionalLight((0.3, 1.0, 0.5))]
        seen = render(self._meshes(model, count), cameras, outputs=("rgb", "alpha"), lights=lights)
        rows = []
        for image, rgb, alpha in zip(with_alpha(self._images), seen.rgb, seen.alpha):
            truth = image[3]
            shared = 0.6 * alpha * truth
            error = torch.stack([shared + truth * (1 - alpha), shared, shared + alpha * (1 - truth)], -1)
            rows += [image.movedim(0, -1), torch.cat([rgb, alpha[..., None]], -1), error]
        return contact_sheet(rows, columns=3)

    def _meshes(self, model: Reconstructor, count: int) -> list[Mesh]:
        device = next(model.parameters()).device
        found: list[Mesh] = []
        for images in self._images[:count].split(_CHUNK):
            images = resized(images, model.options.image_size)[:, : model.options.channels]
            found += [mesh.to("cpu") for mesh in model.reconstruct(images.to(device))]
        return found
