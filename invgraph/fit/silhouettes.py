"""A shape's silhouettes beside the masks of some views: what is drawn, and how far off it is."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import losses
from ..data import Views
from ..render import render
from ..shapes import Shape
from .options import FitOptions
from .schedule import Stage


def silhouette_term(
    shape: Shape, batch: Views, stage: Stage, options: FitOptions, coverage: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Coverage (B, H, W) of the batch's views, drawn in the stage's mode, and its distance from their masks.

    The distance is relative to the object's share of the image, ``coverage``: the same number for a small object in a
    large image. It is what ``options.silhouette`` says; along rays it is the cross-entropy of logits, whose gradient
    does not vanish in the middle of what is covered: it is what opens holes there.

    Raises:
        TypeError: a shape that is no field cannot be seen along rays.
    """
    known = batch.known
    if stage.mode == "rays" or stage.mode == "closest":
        logits = shape.ray_logits(
            batch.cameras, through=stage.mode == "rays", softness=math.sqrt(stage.sigma), generator=generator
        )
        each = F.binary_cross_entropy_with_logits(logits, batch.masks, reduction="none")
        return torch.sigmoid(logits.detach()), losses.l1(each, torch.zeros_like(each), known=known) / coverage
    alpha = render(shape(), batch.cameras, mode=stage.mode, sigma=stage.sigma).alpha
    if options.silhouette == "iou":
        return alpha, losses.silhouette_iou(alpha, batch.masks, known=known)
    error = losses.mse if options.silhouette == "mse" else losses.l1
    return alpha, error(alpha, batch.masks, known=known) / coverage
