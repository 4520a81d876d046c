"""What a network's file says of the data that it was trained on."""

from __future__ import annotations

from typing import Any

import torch

from ..data.image_sets import ImageSet
from .framing import Framing
from .picture_size import with_alpha


def describe(data: ImageSet) -> dict[str, Any]:
    """Its classes, how many shapes each has, and how silhouettes lie in its pictures."""
    counts = data.class_of.bincount(minlength=len(data.classes)).tolist()
    some = torch.linspace(0, len(data) - 1, min(64, len(data))).long()
    pictures = data.images(some[:, None], torch.arange(0, data.num_views, 3)).flatten(0, 1)
    alphas = pictures[..., 3] if data.has_silhouettes else with_alpha(pictures.movedim(-1, 1).float() / 255)[:, 3]
    return {
        "classes": list(data.classes),
        "counts": counts,
        "split": data.split,
        "framing": Framing.of(alphas).plain(),
    }
