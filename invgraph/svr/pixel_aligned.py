"""A field whose points see the picture where they lie in it.

A code of a few hundred numbers says what kind of shape a picture shows, and not where exactly its outline runs. Here
each point is seen by the camera that took the picture and takes the picture's own features from where it lands: the
pixel-aligned features of PIFu (Saito et al. 2019) and DISN (Xu et al. 2019).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..fields.multilinear import interpolate_rows
from .coded_lattice import SLOPE, LatticeTrunk, last_layer
from .sight import Sight, covered, places

_CODED, _MIXED = 32, 64  # features that the code gives a point; that all that is known of it gives
_OUTSIDE = -8.0  # logit of what the silhouette does not cover
_ROWS = 2048  # points are looked at in multiples of so many


class PixelAlignedField(nn.Module):
    """Points and codes -> logits of being inside.

    Three things are known of a point: what the code says of its neighbourhood, on a lattice of 8^3 nodes; what the
    picture shows where the point lies in it; and what it shows where its mirror image at x = 0 lies, as most things
    are symmetric and the far side is not seen. Two layers make a logit of them. Points that the silhouette does not
    cover are outside, and are not looked at: three fifths of those of a training.

    Args:
        sight: what codes hold.
        channels: see :class:`LatticeTrunk`.
        bounds: (2, 3), of the lattice.
    """

    bounds: Tensor

    def __init__(self, sight: Sight, channels: int, bounds: Tensor) -> None:
        super().__init__()
        self.sight = sight
        self.trunk = LatticeTrunk(sight.code_size, channels)
        self.coded = nn.Linear(self.trunk.width, _CODED)
        self.of_code = nn.Linear(_CODED, _MIXED)
        self.of_picture = nn.Linear(2 * sight.features, _MIXED, bias=False)
        self.of_place = nn.Linear(2 + 1 + 3, _MIXED, bias=False)
        self.mix = nn.Linear(_MIXED, _MIXED)
        self.values = last_layer(_MIXED, 1)
        self.register_buffer("bounds", bounds, persistent=False)

    def forward(self, points: Tensor, code: Tensor) -> Tensor:
        """Logits (B, P) at points (B, P, 3) for codes (B, sight.length)."""
        if not points.numel():
            return points.sum(-1)
        first, camera, silhouette, features = self.sight.split(code)
        lattice = self.coded(self.trunk(first))
        with torch.autocast(code.device.type, enabled=False):
            place, plain, covers = _seen(points.to(code.dtype), camera.detach(), silhouette.detach())
            row = covers.flatten().nonzero()[:, 0]
            covered_rows = len(row)
            # for matrices of another size in each step, new kernels would be made in each step
            row = F.pad(row, (0, -covered_rows % _ROWS))
            place, plain, which = place.flatten(0, 1)[row], plain.flatten(0, 1)[row], row // points.shape[1]
            shown = interpolate_rows(features.movedim(1, -1), place.flatten(0, 1).flip(-1), which.repeat_interleave(2))
            low, high = self.bounds
            coded = interpolate_rows(lattice.float(), (plain[:, -3:] - low) / (high - low), which)
        shown = shown.view(len(row), 2 * features.shape[1])  # of the point, then of its mirror image
        mixed = self.of_code(coded) + self.of_picture(shown) + self.of_place(plain)
        values = self.values(F.leaky_relu(self.mix(F.leaky_relu(mixed, SLOPE)), SLOPE))[:covered_rows, 0]
        logits = points.new_full(covers.shape, _OUTSIDE).flatten()
        return logits.index_put((row[:covered_rows],), values.to(points.dtype)).view_as(covers)


def _seen(points: Tensor, camera: Tensor, silhouette: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where points (B, P, 3) and their mirror images lie in the picture, and what is known of them without features.

    Returns:
        place: (B, P, 2, 2), of both, from 0 to 1.
        plain: (B, P, 6): the coverage at both, the depth from the origin on, away from the camera, then the point.
        covers: (B, P), whether the silhouette covers the point.
    """
    P = points.shape[1]
    both = torch.cat([points, points * points.new_tensor([-1.0, 1.0, 1.0])], 1)
    place = places(camera, both)
    coverage = covered(silhouette, place).unflatten(1, (2, P)).mT
    depth = points @ camera[:, 2, :3, None]
    plain = torch.cat([coverage, depth, points], -1)
    return place.unflatten(1, (2, P)).transpose(1, 2), plain, coverage[..., 0] > 0
