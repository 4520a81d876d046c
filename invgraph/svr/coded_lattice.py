"""Values on a lattice that a code chooses."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_COARSE, _MIDDLE = 4, 8  # nodes along an axis
NODES = 32
"""Along an axis."""
SLOPE = 0.1
"""Of the units, below 0."""
_START = 0.1  # of the usual size of the last layer's weights: shapes begin nearly alike


class LatticeTrunk(nn.Module):
    """Codes (B, code_size) -> features (B, 8, 8, 8, width), x first.

    A linear layer gives ``channels`` features at 4^3 nodes, a transposed convolution three quarters as many at 8^3:
    ``width``. What follows makes each node several by a linear layer, see :func:`split_nodes`: as coarse as it is where
    it is dear, a quarter of the time of transposed convolutions all the way.

    Args:
        code_size: length of a code.
        channels: a multiple of 4.
    """

    def __init__(self, code_size: int, channels: int) -> None:
        super().__init__()
        if channels < 4 or channels % 4:
            raise ValueError(f"channels: expected a multiple of 4, got {channels}")
        self.width = 3 * channels // 4
        self.lift = nn.Linear(code_size, channels * _COARSE**3)
        self.grow = nn.ConvTranspose3d(channels, self.width, 4, stride=2, padding=1)

    def forward(self, code: Tensor) -> Tensor:
        """See the class."""
        x = F.leaky_relu(self.lift(code), SLOPE).unflatten(1, (-1, _COARSE, _COARSE, _COARSE))
        return F.leaky_relu(self.grow(x), SLOPE).movedim(1, -1)


class CodedLattice(nn.Module):
    """Codes (B, code_size) -> values at the ``NODES^3`` nodes of a lattice, x first, z fastest.

    Args:
        code_size, channels: see :class:`LatticeTrunk`.
    """

    def __init__(self, code_size: int, channels: int) -> None:
        super().__init__()
        self.trunk = LatticeTrunk(code_size, channels)
        self.spread = last_layer(self.trunk.width, (NODES // _MIDDLE) ** 3)

    def forward(self, code: Tensor) -> Tensor:
        """(B, NODES, NODES, NODES)."""
        return split_nodes(self.spread(self.trunk(code)), NODES // _MIDDLE)[..., 0]


def last_layer(size_in: int, size_out: int) -> nn.Linear:
    """One whose values begin small."""
    layer = nn.Linear(size_in, size_out)
    with torch.no_grad():
        layer.weight.mul_(_START)
    nn.init.zeros_(layer.bias)
    return layer


def split_nodes(features: Tensor, parts: int) -> Tensor:
    """(B, n, n, n, C parts^3) of nodes -> (B, n parts, n parts, n parts, C): each node becomes ``parts^3`` of them."""
    B, n = features.shape[:2]
    apart = features.unflatten(-1, (parts, parts, parts, -1))
    return apart.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(B, n * parts, n * parts, n * parts, -1)


def read_lattice(lattice: Tensor, boxes: Tensor, points: Tensor) -> Tensor:
    """(B, Q) values of lattices (B, X, Y, Z) over boxes (B, 2, 3) at points (B, Q, 3), trilinear.

    Outside of a box they are those at its faces.
    """
    low, high = boxes[:, None].unbind(2)
    scale = 2 / (high - low)
    place = torch.addcmul(-1 - low * scale, points, scale).flip(-1)  # the last axis first, as grid_sample wants it
    found = F.grid_sample(lattice[:, None], place[:, :, None, None], padding_mode="border", align_corners=True)
    return found.flatten(1)
