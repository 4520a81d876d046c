"""What a reconstructor is trained for: the silhouettes of its surfaces, or occupancies where 3D truth is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from .. import losses
from ..cameras import Cameras
from ..errors import InputError
from ..geometry import Mesh
from ..metrics import silhouette_iou
from ..render import render
from .batches import Batch
from .model import Reconstructor
from .occupancy_decoder import FieldDecoder

ObjectiveName = Literal["silhouette", "occupancy"]
Coverage = Literal["soft", "outline", "antialias"]
SOFT_RAS = {"laplacian": 5e-3, "flattening": 5e-4}
"""Weights of Soft Rasterizer's experiments on ShapeNet."""


@dataclass(frozen=True)
class ObjectiveOptions:
    """The objective and its schedule.

    Attributes:
        objective: "silhouette": the pictures' outlines alone; "occupancy": points of space that are known to be inside
            or outside, as Occupancy Networks are trained.
        coverage: how silhouettes are drawn, see :func:`invgraph.render.render`.
        sigma: softness in squared pixels at the start and from the middle of the training on; falls geometrically.
        relax: factor of the weights at the start; falls geometrically to 1 in the same time.
        weights: of the decoder's terms by name; one that is not here counts 0.
    """

    objective: ObjectiveName = "silhouette"
    coverage: Coverage = "outline"
    sigma: tuple[float, float] = (4.0, 0.25)
    relax: float = 1.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(SOFT_RAS))

    def __post_init__(self) -> None:
        for name, value, known in (
            ("objective", self.objective, get_args(ObjectiveName)),
            ("coverage", self.coverage, get_args(Coverage)),
        ):
            if value not in known:
                raise ValueError(f"{name}: expected one of {known}, got {value!r}")
        for name, number in (("sigma", min(self.sigma)), ("relax", self.relax)):
            if not 0 < number < float("inf"):
                raise ValueError(f"{name}: expected finite numbers above 0, got {getattr(self, name)}")


class Objective(nn.Module):
    """A reconstructor with what it is trained for, in one module, so that one call is one step's forward pass.

    Args:
        model: what is trained.
        cameras: those of the data set's views, by their numbers; None where batches bring their own.
        options: see :class:`ObjectiveOptions`.

    Raises:
        InputError: occupancies asked of a decoder that gives none.
    """

    def __init__(self, model: Reconstructor, cameras: Cameras | None, options: ObjectiveOptions) -> None:
        super().__init__()
        if options.objective == "occupancy" and not isinstance(model.decoder, FieldDecoder):
            raise InputError(f"objective 'occupancy': needs the decoder 'occupancy', got {model.options.decoder!r}")
        self.model, self.options = model, options
        self._cameras = cameras

    def forward(self, batch: Batch, progress: float = 1.0) -> dict[str, Tensor]:
        """Weighted terms by name, their sum as ``loss``, and ``iou``, what they stand for, without a gradient.

        Args:
            batch: shapes in one or more views each.
            progress: share of the training that is done, in [0, 1], for the schedule.
        """
        if self.options.objective == "occupancy":
            terms, iou = self._occupancy(batch)
        else:
            terms, iou = self._silhouettes(batch, progress)
        return {**terms, "loss": torch.stack(list(terms.values())).sum(), "iou": iou.detach()}

    def silhouettes(
        self,
        shapes: Mesh | list[Mesh],
        views: Tensor,
        coverage: Coverage,
        sigma: float = 1.0,
        cameras: Cameras | None = None,
    ) -> Tensor:
        """Each shape in its views: N shapes and (N, n) numbers of views -> (N, n, H, W).

        ``cameras`` (N n) are those of the pictures where a view's number does not tell.
        """
        n = views.shape[1]
        if cameras is None:
            assert self._cameras is not None
            cameras = self._cameras.to(views.device)[views.flatten()]
        if isinstance(shapes, Mesh):
            drawn: Mesh | list[Mesh] = shapes.with_verts(shapes.verts.repeat_interleave(n, 0))
        else:
            drawn = [mesh for mesh in shapes for _ in range(n)]
        return render(drawn, cameras, mode=coverage, sigma=sigma).alpha.unflatten(0, views.shape)

    def _silhouettes(self, batch: Batch, progress: float) -> tuple[dict[str, Tensor], Tensor]:
        """The shape that each view suggests, seen in every view of the same object.

        A view says nothing of the far side; that the shape must look right there too is what teaches it (the multi-view
        loss of Kato et al. 2018, *Neural 3D Mesh Renderer*, and Liu et al. 2019, *Soft Rasterizer*).
        """
        B, n = batch.views.shape
        code = self.model.encode(batch.images.flatten(0, 1))
        with torch.autocast(code.device.type, enabled=False):  # geometry needs its digits
            shapes, regularizers = self.model.decoder.decode(code.float())
            seen = batch.views[:, None].expand(B, n, n).reshape(B * n, n)
            sigma = _fall(*self.options.sigma, progress)
            own = batch.all_cameras()
            how = {} if own is None else {"cameras": own}
            alpha = self.silhouettes(shapes, seen, self.options.coverage, sigma, **how).flatten(0, 1)
            truth = batch.masks[:, None].expand(B, n, *batch.masks.shape[1:]).reshape(alpha.shape)
            terms = {"silhouette": losses.silhouette_iou(alpha, truth)}
            relax = _fall(self.options.relax, 1.0, progress)
            for name, value in regularizers.items():
                weight = self.options.weights.get(name, 0.0)
                if weight:
                    terms[name] = relax * weight * value
        return terms, silhouette_iou(alpha, truth).mean()

    def _occupancy(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """The binary cross entropy of a shape's points, of the shape that its first view suggests."""
        code = self.model.encode(batch.images[:, 0])
        assert isinstance(self.model.decoder, FieldDecoder)
        with torch.autocast(code.device.type, enabled=False):
            logits = self.model.decoder.logits(batch.points, code.float())
            loss = binary_cross_entropy_with_logits(logits, batch.occupancies)
        inside, truth = logits.detach() > 0, batch.occupancies > 0.5
        both, either = (inside & truth).sum(1), (inside | truth).sum(1)
        return {"occupancy": loss}, (both / either.clamp(min=1)).mean()


def _fall(start: float, end: float, progress: float) -> float:
    """From ``start`` to ``end``, geometrically, in the first half."""
    return start * (end / start) ** min(1.0, 2 * progress)
