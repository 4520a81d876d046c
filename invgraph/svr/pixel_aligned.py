"""A lattice whose nodes see the picture where they lie in it.

A code of a few hundred numbers says what kind of shape a picture shows, and not where exactly its outline runs. Here
each node is seen by the camera that took the picture and takes the picture's own features from where it lands: the
pixel-aligned features of PIFu (Saito et al. 2019) and DISN (Xu et al. 2019).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..fields.isosurface.box import lattice
from .coded_lattice import NODES, SLOPE, LatticeTrunk, join_nodes, last_layer, split_nodes
from .resnet import Block

_PATCH = 4  # pixels along a side, of each feature
_WIDTH = 48
_CAMERA = (3, 7)  # see packed_cameras
_SEEING = NODES // 2  # nodes along an axis that see features; the others see silhouettes
_PER_NODE, _MIXED = 24, 48  # features that the code gives each of these; that both together give
_OUTSIDE = 2.0  # logits, by which a node begins to be likelier outside where the silhouette is not


class Sight(NamedTuple):
    """How long codes are that hold, after the encoder's numbers, a camera, a silhouette and features of the picture.

    Such codes are what decoders take, so that a code is the whole of what is known of a picture.
    """

    code_size: int
    """Numbers of the encoder."""
    features: int
    image_size: int

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the code's parts."""
        side = self.image_size // _PATCH
        return (self.code_size,), _CAMERA, (self.image_size,) * 2, (self.features, side, side)

    @property
    def length(self) -> int:
        """Of a code."""
        return sum(torch.Size(shape).numel() for shape in self.shapes)

    def join(self, code: Tensor, camera: Tensor, silhouette: Tensor, features: Tensor) -> Tensor:
        """(B, length), float32: places in pictures need more digits than mixed precision has."""
        return torch.cat([part.float().flatten(1) for part in (code, camera, silhouette, features)], 1)

    def split(self, code: Tensor) -> list[Tensor]:
        """What :meth:`join` has joined: (B, code_size), (B, 3, 7), (B, S, S) and (B, features, S / 4, S / 4)."""
        parts = code.split([torch.Size(shape).numel() for shape in self.shapes], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes)]

    def with_camera(self, code: Tensor, camera: Tensor) -> Tensor:
        """Codes (B, length), as if the pictures were taken by other cameras (B, 3, 7)."""
        first, _, silhouette, features = self.split(code)
        return self.join(first, camera, silhouette, features)


class PictureFeatures(nn.Sequential):
    """Pictures (B, channels, S, S) -> features (B, features, S / 4, S / 4), each of a neighbourhood of 22 pixels."""

    def __init__(self, channels: int, features: int) -> None:
        stem = nn.Conv2d(channels, _WIDTH, _PATCH + 2, stride=_PATCH, padding=1, bias=False)
        block = Block(_WIDTH, _WIDTH, 1)
        super().__init__(stem, nn.BatchNorm2d(_WIDTH), nn.ReLU(inplace=True), block, nn.Conv2d(_WIDTH, features, 1))


class AlignedLattice(nn.Module):
    """Codes (B, sight.length) -> values at the ``NODES^3`` nodes of a lattice, x first, z fastest.

    Args:
        sight: what codes hold.
        channels: see :class:`LatticeTrunk`.
        bounds: (2, 3), of the lattice.
    """

    nodes: Tensor
    seeing: Tensor

    def __init__(self, sight: Sight, channels: int, bounds: Tensor) -> None:
        super().__init__()
        self.sight = sight
        self.trunk = LatticeTrunk(sight.code_size, channels)
        self.spread = nn.Linear(self.trunk.width, 2**3 * _PER_NODE)
        self.mix = nn.Linear(_PER_NODE + 2 * sight.features + 2 * 2**3 + 1, _MIXED)
        self.values = last_layer(_MIXED, 2**3)
        self.outside = nn.Parameter(torch.tensor(_OUTSIDE))
        nodes = lattice([NODES] * 3, *bounds)
        pairs = nodes.view([_SEEING, 2] * 3 + [3])
        self.register_buffer("nodes", nodes, persistent=False)
        self.register_buffer("seeing", pairs.mean((1, 3, 5)).view(-1, 3), persistent=False)

    def forward(self, code: Tensor) -> Tensor:
        """(B, NODES, NODES, NODES)."""
        first, camera, silhouette, features = self.sight.split(code)
        coded = split_nodes(F.leaky_relu(self.spread(self.trunk(first)), SLOPE), 2).flatten(1, 3)
        with torch.no_grad(), torch.autocast(code.device.type, enabled=False):
            place = _places(camera, self.seeing)
            depth = self.seeing @ camera[:, 2:, :3].mT  # from the origin on, away from the camera
            covered = _read(silhouette[:, None], _places(camera, self.nodes)).view(-1, NODES, NODES, NODES)
            parts = join_nodes(covered, 2).flatten(1, 3)
        seen = torch.cat([_read(features, place).to(coded.dtype), parts.to(coded.dtype)], -1)
        mixed = self.mix(torch.cat([coded, seen, _mirrored(seen), depth.to(coded.dtype)], -1))
        values = self.values(F.leaky_relu(mixed, SLOPE)).unflatten(1, (_SEEING,) * 3)
        return split_nodes(values, 2)[..., 0] - F.softplus(self.outside) * (1 - covered)


def _mirrored(nodes: Tensor) -> Tensor:
    """(B, P, C) of the nodes on the other side, x and -x exchanged."""
    return nodes.unflatten(1, (_SEEING, -1)).flip(1).flatten(1, 2)


def _places(camera: Tensor, points: Tensor) -> Tensor:
    """(B, P, 2): where points (P, 3) lie in the pictures of cameras (B, 3, 7), which reach from -1 to 1."""
    R, t, K = camera[..., :3], camera[..., 3:4], camera[..., 4:]
    K = torch.stack([2 * K[:, 0] - K[:, 2], 2 * K[:, 1] - K[:, 2], K[:, 2]], 1)  # of pictures from 0 to 1, before
    u, v, w = (K @ R @ points.mT).add_(K @ t).unbind(1)
    return torch.stack([u.div_(w), v.div_(w)], -1)


def _read(image: Tensor, place: Tensor) -> Tensor:
    """(B, P, C) of images (B, C, h, w) at places (B, P, 2); 0 outside."""
    return F.grid_sample(image, place[:, :, None], align_corners=False)[..., 0].mT
