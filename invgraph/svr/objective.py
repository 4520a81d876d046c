"""What a reconstructor is trained for: the silhouettes of its surfaces, or occupancies where 3D truth is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from .. import losses
from ..cameras import Cameras
from ..errors import InputError
from ..geometry import Mesh
from ..render import render
from .augment import with_mirrored
from .batches import Batch
from .model import Reconstructor
from .occupancy_decoder import FieldDecoder
from .ray_silhouettes import check_field, ray_loss, sampled_iou, silhouette_logits
from .viewpoints import UNKNOWN

ObjectiveName = Literal["silhouette", "occupancy"]
Coverage = Literal["soft", "outline", "antialias"]
SilhouetteBy = Literal["surface", "rays", "both"]
SOFT_RAS = {"laplacian": 5e-3, "flattening": 5e-4}
"""Weights of Soft Rasterizer's experiments on ShapeNet."""
_RAYS_UNTIL = 0.5  # of the training, by both
_TYPICAL, _LEAST = 0.1, 0.02  # shares of a shape's points that are inside it: one that counts 1; added to all


@dataclass(frozen=True)
class ObjectiveOptions:
    """The objective and its schedule.

    Attributes:
        objective: "silhouette": the pictures' outlines alone; "occupancy": points of space that are known to be inside
            or outside, as Occupancy Networks are trained.
        inputs: how many of a shape's views are shown to the network, the first ones; each gives a shape that is
            compared with all views. None: all.
        coverage: how silhouettes are drawn, see :func:`invgraph.render.render`.
        silhouette_by: "surface": drawn; "rays": along rays at a sample of the pixels, of the decoders of fields, see
            :func:`~invgraph.svr.ray_silhouettes.silhouette_logits`; "both": along rays in the first half of the
            training, then drawn.
        sigma: softness in squared pixels at the start and from the middle of the training on; falls geometrically.
        relax: factor of the weights at the start; falls geometrically to 1 in the same time.
        weights: of the decoder's terms by name, and of "viewpoint", the cross entropy of the cameras that a network
            with viewpoints tells pictures to be taken by; one that is not here counts 0.
    """

    objective: ObjectiveName = "silhouette"
    inputs: int | None = None
    coverage: Coverage = "outline"
    sigma: tuple[float, float] = (4.0, 0.25)
    relax: float = 1.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(SOFT_RAS))
    silhouette_by: SilhouetteBy = "surface"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("objective", self.objective, get_args(ObjectiveName)),
            ("coverage", self.coverage, get_args(Coverage)),
            ("silhouette_by", self.silhouette_by, get_args(SilhouetteBy)),
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
        InputError: occupancies asked of a decoder that gives none, or rays of one that is no field.
    """

    def __init__(self, model: Reconstructor, cameras: Cameras | None, options: ObjectiveOptions) -> None:
        super().__init__()
        if options.objective == "occupancy" and not isinstance(model.decoder, FieldDecoder):
            raise InputError(f"objective 'occupancy': needs the decoder 'occupancy', got {model.options.decoder!r}")
        if options.silhouette_by != "surface" and options.objective == "silhouette":
            check_field(model.decoder)
        self.model, self.options = model, options
        self._cameras = None if cameras is None else with_mirrored(cameras)

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
        self, shapes: Mesh | list[Mesh], cameras: Cameras, coverage: Coverage, sigma: float = 1.0
    ) -> Tensor:
        """Each of N shapes in its n views: cameras (N n), those of the first shape first -> (N n, H, W)."""
        if isinstance(shapes, Mesh):
            n = len(cameras) // len(shapes.verts)
            drawn: Mesh | list[Mesh] = shapes.with_verts(shapes.verts.repeat_interleave(n, 0))
        else:
            n = len(cameras) // len(shapes)
            drawn = [mesh for mesh in shapes for _ in range(n)]
        return render(drawn, cameras, mode=coverage, sigma=sigma).alpha

    def _silhouettes(self, batch: Batch, progress: float) -> tuple[dict[str, Tensor], Tensor]:
        """The shape that each view suggests, seen in every view of the same object.

        A view says nothing of the far side; that the shape must look right there too is what teaches it (the multi-view
        loss of Kato et al. 2018, *Neural 3D Mesh Renderer*, and Liu et al. 2019, *Soft Rasterizer*).
        """
        images = batch.images[:, : self.options.inputs]
        code = self.model.encode(images.flatten(0, 1), self._taken_by(batch, images.shape[1]))
        by = self.options.silhouette_by
        see = self._along_rays if by == "rays" or (by == "both" and progress < _RAYS_UNTIL) else self._drawn
        with torch.autocast(code.device.type, enabled=False):  # geometry needs its digits
            cameras = self._seen_by(batch, len(code) // len(batch.views))
            loss, iou, regularizers = see(code.float(), batch, cameras, _fall(*self.options.sigma, progress))
            terms = {"silhouette": loss}
            relax = _fall(self.options.relax, 1.0, progress)
            for name, value in regularizers.items():
                terms[name] = relax * self.options.weights[name] * value
            terms |= self._viewpoint(code, batch)
        return terms, iou

    def _viewpoint(self, code: Tensor, batch: Batch) -> dict[str, Tensor]:
        """The cross entropy of telling the cameras that the codes' pictures were taken by, where it counts."""
        told, weight = self.model.viewpoints, self.options.weights.get("viewpoint", 0)
        taken_by = self._taken_by(batch, len(code) // len(batch.views))
        if told is None or not weight or taken_by is None:
            return {}
        wrong = cross_entropy(told(code.float()), told.numbers(taken_by), ignore_index=UNKNOWN, reduction="sum")
        return {"viewpoint": weight * wrong / len(code)}

    def _taken_by(self, batch: Batch, inputs: int) -> Cameras | None:
        """The cameras of the first ``inputs`` pictures of each shape; None: there are none of all shapes."""
        shared = self._shared(batch.views.device)
        return None if shared is None else shared[batch.views[:, :inputs].flatten()]

    def _drawn(
        self, code: Tensor, batch: Batch, cameras: Cameras, sigma: float
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Loss, IoU and the decoder's terms of codes (B n, code_size), from rendered surfaces."""
        shapes, regularizers = self.model.decoder.decode(code, self._wanted())
        codes = len(code) // len(batch.views)
        alpha = self.silhouettes(shapes, cameras, self.options.coverage, sigma)
        truth = _for_each_code(batch.masks, codes).flatten(0, 1)
        loss = losses.silhouette_iou(alpha, truth)
        return loss, 1 - loss, regularizers

    def _along_rays(
        self, code: Tensor, batch: Batch, cameras: Cameras, sigma: float
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """The same from the field itself, at the batch's pixels."""
        codes = len(code) // len(batch.views)
        index, weights = _for_each_code(batch.pixels, codes), _for_each_code(batch.pixel_weights, codes)
        truth = _for_each_code(batch.masks.flatten(2).gather(2, batch.pixels), codes)
        decoder, wanted = self.model.decoder, self._wanted()
        logits, regularizers = silhouette_logits(decoder, code, cameras, index, math.sqrt(sigma), wanted)
        iou = sampled_iou(logits.detach(), truth, weights).mean()
        return ray_loss(logits, truth, weights), iou, regularizers

    def _seen_by(self, batch: Batch, codes: int) -> Cameras:
        """Cameras (B codes n): those of each shape's views, for each of its codes."""
        own = batch.all_cameras(codes)
        if own is not None:
            return own
        shared = self._shared(batch.views.device)
        if shared is None:
            raise ValueError("batch: expected cameras of its pictures, as the objective has none of the views")
        return shared[_for_each_code(batch.views, codes).flatten()]

    def _shared(self, device: torch.device) -> Cameras | None:
        """The cameras of all shapes, moved to a device once."""
        if self._cameras is not None and self._cameras.R.device != device:
            self._cameras = self._cameras.to(device)
        return self._cameras

    def _wanted(self) -> list[str]:
        return [name for name, weight in self.options.weights.items() if weight]

    def _occupancy(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """The binary cross entropy of a shape's points, of the shape that its first view suggests.

        A shape counts by the inverse of the share of its points that are inside: else the IoU of thin shapes, which are
        wrong about few points, would count for little.
        """
        code = self.model.encode(batch.images[:, 0], self._taken_by(batch, 1))
        decoder = self.model.decoder
        assert isinstance(decoder, FieldDecoder)
        # in mixed precision, if it is on: a point's place may be off by 1/500 of the side, a sixteenth of a voxel
        logits = decoder.logits(batch.points, code).float()
        weights = _TYPICAL / (batch.occupancies.mean(1, keepdim=True) + _LEAST)
        loss = binary_cross_entropy_with_logits(logits, batch.occupancies, weights.expand_as(logits))
        inside, truth = logits.detach() > decoder.level, batch.occupancies > 0.5  # as the surface has it
        both, either = (inside & truth).sum(1), (inside | truth).sum(1)
        terms = {"occupancy": loss, **self._viewpoint(code, batch)}
        return terms, (both / either.clamp(min=1)).mean()


def _for_each_code(x: Tensor, codes: int) -> Tensor:
    """(B, n, ...) of the views of each shape -> (B codes, n, ...): each of a shape's codes is seen in all its views."""
    return x[:, None].expand(-1, codes, *x.shape[1:]).flatten(0, 1)


def _fall(start: float, end: float, progress: float) -> float:
    """From ``start`` to ``end``, geometrically, in the first half."""
    return start * (end / start) ** min(1.0, 2 * progress)
