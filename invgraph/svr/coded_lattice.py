"""Values on a lattice that a code chooses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_COARSE, _MIDDLE, _PART = 4, 8, 4  # nodes along an axis; nodes that one of the middle ones becomes
NODES = _MIDDLE * _PART
"""Along an axis."""
_START = 0.1  # of the usual size of the last layer's weights: shapes begin nearly alike


class CodedLattice(nn.Module):
    """Codes (B, code_size) -> values at the ``NODES^3`` nodes of a lattice, x first, z fastest.

    A linear layer gives ``channels`` features at 4^3 nodes, a transposed convolution three quarters as many at 8^3, and
    a linear layer makes each of these the values of 4^3 nodes: as coarse as it is where it is dear, a quarter of the
    time of transposed convolutions all the way.

    Args:
        code_size: length of a code.
        channels: a multiple of 4.
    """

    def __init__(self, code_size: int, channels: int) -> None:
        super().__init__()
        if channels < 4 or channels % 4:
            raise ValueError(f"channels: expected a multiple of 4, got {channels}")
        middle = 3 * channels // 4
        self.lift = nn.Linear(code_size, channels * _COARSE**3)
        self.grow = nn.ConvTranspose3d(channels, middle, 4, stride=2, padding=1)
        self.spread = nn.Linear(middle, _PART**3)
        with torch.no_grad():
            self.spread.weight.mul_(_START)
        nn.init.zeros_(self.spread.bias)

    def forward(self, code: Tensor) -> Tensor:
        """(B, NODES, NODES, NODES)."""
        x = F.leaky_relu(self.lift(code), 0.1).unflatten(1, (-1, _COARSE, _COARSE, _COARSE))
        parts = self.spread(F.leaky_relu(self.grow(x), 0.1).movedim(1, -1)).unflatten(-1, (_PART,) * 3)
        return parts.permute(0, 1, 4, 2, 5, 3, 6).reshape(-1, NODES, NODES, NODES)


def read_lattice(lattice: Tensor, boxes: Tensor, points: Tensor) -> Tensor:
    """(B, Q) values of lattices (B, X, Y, Z) over boxes (B, 2, 3) at points (B, Q, 3), trilinear.

    Outside of a box they are those at its faces.
    """
    low, high = boxes[:, None].unbind(2)
    scale = 2 / (high - low)
    place = torch.addcmul(-1 - low * scale, points, scale).flip(-1)  # the last axis first, as grid_sample wants it
    found = F.grid_sample(lattice[:, None], place[:, :, None, None], padding_mode="border", align_corners=True)
    return found.flatten(1)
