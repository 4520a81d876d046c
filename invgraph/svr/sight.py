"""What is known of a picture beside the encoder's numbers: its camera, its silhouette, and features of its pixels."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from .resnet import Block

_CAMERA = (3, 7)  # see packed_cameras
_PATCH = 2  # pixels along a side, of each feature
_NEAREST = 1e-3  # depth, in units of the world
_FINE, _COARSE = 16, 48  # channels of the network of these, at a half and a quarter of the picture's size


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
        """What :meth:`join` has joined: (B, code_size), (B, 3, 7), (B, S, S) and (B, features, S / 2, S / 2)."""
        parts = code.split([torch.Size(shape).numel() for shape in self.shapes], 1)
        return [part.unflatten(1, shape) for part, shape in zip(parts, self.shapes)]

    def with_camera(self, code: Tensor, camera: Tensor) -> Tensor:
        """Codes (B, length), as if the pictures were taken by other cameras (B, 3, 7)."""
        first, _, silhouette, features = self.split(code)
        return self.join(first, camera, silhouette, features)


class PictureFeatures(nn.Module):
    """Pictures (B, channels, S, S) -> features (B, features, S / 2, S / 2), S a multiple of 4.

    Those of a half of the picture's size say where an edge runs; to them are added those of a neighbourhood of 24
    pixels, which say what it is an edge of.
    """

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.fine = _halved(channels, _FINE)
        self.coarse = nn.Sequential(_halved(_FINE, _COARSE), Block(_COARSE, _COARSE, 1))
        self.edges = nn.Conv2d(_FINE, features, 3, padding=1)
        self.meanings = nn.Sequential(nn.Conv2d(_COARSE, features * 2**2, 1), nn.PixelShuffle(2))

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        fine = self.fine(images)
        return self.edges(fine) + self.meanings(self.coarse(fine))


def _halved(size_in: int, size_out: int) -> nn.Sequential:
    convolution = nn.Conv2d(size_in, size_out, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(size_out), nn.ReLU(inplace=True))


def places(camera: Tensor, points: Tensor) -> Tensor:
    """(B, P, 2): where points (B or 1, P, 3) lie in the pictures of cameras (B, 3, 7): x, y from 0 to 1."""
    R, t, K = camera[..., :3], camera[..., 3:4], camera[..., 4:]  # of pictures with sides of length 1
    u, v, w = ((K @ R) @ points.mT + K @ t).unbind(1)
    w = w.clamp(min=_NEAREST)  # what is behind the camera is far beside the picture, not in it
    return torch.stack([u / w, v / w], -1)


def covered(silhouette: Tensor, place: Tensor) -> Tensor:
    """(B, P) coverage in [0, 1] of silhouettes (B, S, S) at places (B, P, 2), bilinear; 0 beside the picture."""
    return grid_sample(silhouette[:, None], 2 * place[:, :, None] - 1, align_corners=False)[:, 0, :, 0]
