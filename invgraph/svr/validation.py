"""How good a network is on shapes that it is not trained on, and what its answers look like."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data.image_sets import NmrShapes
from ..geometry import Mesh
from ..metrics import silhouette_iou
from ..render import DirectionalLight, render
from ..viz import contact_sheet
from .model import Reconstructor
from .voxel_iou import voxel_iou

_CHUNK = 32


class Validation:
    """The same pictures of the same shapes every time: spread over the split, each in another view.

    Args:
        data: the validation split.
        count: shapes.
    """

    def __init__(self, data: NmrShapes, count: int) -> None:
        shapes = torch.linspace(0, len(data) - 1, min(count, len(data))).round().long()
        views = torch.arange(len(shapes)) * 7 % 24  # 7 and 24 have no common factor: all views come
        self._images = (data.images(shapes, views).movedim(-1, -3).float() / 255).contiguous()
        self._cameras = data.cameras(views)
        self._truth = data.filled(shapes)

    def score(self, model: Reconstructor) -> dict[str, float]:
        """Means over the shapes: ``voxel_iou``, and ``silhouette_iou`` in the view that was shown."""
        meshes = self._meshes(model, len(self._images))
        alpha = render(meshes, self._cameras).alpha
        return {
            "voxel_iou": float(voxel_iou(meshes, self._truth).mean()),
            "silhouette_iou": float(silhouette_iou(alpha, self._images[:, 3]).mean()),
        }

    def picture(self, model: Reconstructor, count: int = 8) -> Tensor:
        """(H, W, 3): a row for each shape: the picture, the prediction seen in the same view, the error of its outline.

        In the last one what both cover is grey, what is missing red, and what is too much blue.
        """
        count = min(count, len(self._images))
        cameras = self._cameras[:count]
        lights = [DirectionalLight((0.3, 1.0, 0.5))]
        seen = render(self._meshes(model, count), cameras, outputs=("rgb", "alpha"), lights=lights)
        rows = []
        for image, rgb, alpha in zip(self._images, seen.rgb, seen.alpha):
            truth = image[3]
            shared = 0.6 * alpha * truth
            error = torch.stack([shared + truth * (1 - alpha), shared, shared + alpha * (1 - truth)], -1)
            rows += [image.movedim(0, -1), torch.cat([rgb, alpha[..., None]], -1), error]
        return contact_sheet(rows, columns=3)

    def _meshes(self, model: Reconstructor, count: int) -> list[Mesh]:
        device = next(model.parameters()).device
        found: list[Mesh] = []
        for images in self._images[:count].split(_CHUNK):
            found += [mesh.to("cpu") for mesh in model.reconstruct(images[:, : model.options.channels].to(device))]
        return found
