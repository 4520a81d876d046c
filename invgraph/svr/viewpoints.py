"""Where the camera stood: which of the training set's cameras a picture was taken by."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..cameras import Cameras
from ..errors import InputError
from .packed_cameras import pack, unpack

UNKNOWN = -100
"""The number of a camera that is none of them; :func:`torch.nn.functional.cross_entropy` leaves it out."""
_SAME = 1e-4  # in what two cameras may differ by rounding, lengths in pictures' sides


class Viewpoints(nn.Module):
    """Tells from a code which of a few cameras the picture was taken by.

    Data sets of rendered shapes have the same cameras for each shape; a picture's azimuth is then one of a few, and two
    layers tell which. Knowing it, the shape can be drawn as the picture shows it.

    Args:
        code_size: length of a code.
        count: of the cameras; unknown until :meth:`remember`.
    """

    table: Tensor

    def __init__(self, code_size: int, count: int) -> None:
        super().__init__()
        self.scores = nn.Sequential(nn.Linear(code_size, code_size), nn.ReLU(inplace=True), nn.Linear(code_size, count))
        self.register_buffer("table", torch.zeros(count, 3, 7))

    def forward(self, code: Tensor) -> Tensor:
        """(B, count) logits of the cameras, of codes (B, code_size or more)."""
        return self.scores(code[:, : self.scores[0].in_features])

    def likeliest(self, code: Tensor) -> Tensor:
        """(B, 3, 7): the camera of each code, see :func:`as_remembered`; raises what :meth:`cameras` raises."""
        return as_remembered(self.cameras(1))[self.forward(code).argmax(1)]

    def remember(self, cameras: Cameras) -> None:
        """Keep the cameras, whatever the size of their pictures: they are saved with the weights."""
        self.table.copy_(as_remembered(cameras))

    def cameras(self, size: int) -> Cameras:
        """The cameras, of pictures of ``size`` pixels along a side.

        Raises:
            InputError: what is remembered, or was read from a file, is no camera.
        """
        try:
            return unpack(self.table, (1, 1)).resize((size, size))
        except ValueError as error:
            raise InputError(f"model: the viewpoints that it tells apart are no cameras: {error}") from error

    def numbers(self, cameras: Cameras) -> Tensor:
        """(B,) int64: which of the cameras each one is; :data:`UNKNOWN` where it is none."""
        apart = (as_remembered(cameras)[:, None] - self.table).abs().flatten(2).amax(2)
        least, number = apart.min(1)
        return torch.where(least < _SAME, number, UNKNOWN)


def as_remembered(cameras: Cameras) -> Tensor:
    """(B, 3, 7) of cameras: packed, of pictures with sides of length 1."""
    return pack(cameras.resize((1, 1)))
