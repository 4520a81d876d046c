"""Residual blocks of fully connected layers, and the readout of points and features that is made of them."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import leaky_relu


class ResNetBlock(nn.Module):
    """``shortcut(x) + W1 relu(W0 relu(x))``: a pre-activation block of two fully connected layers (He 2016).

    W1 starts at zero, so that a block starts as its shortcut: the identity, or a linear map where the number of
    channels changes. ``slope`` is relu's below 0: with one that is not 0 no channel can die.
    """

    def __init__(self, size_in: int, size_out: int, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        hidden = min(size_in, size_out)
        self.layer0 = nn.Linear(size_in, hidden)
        self.layer1 = nn.Linear(hidden, size_out)
        self.shortcut = nn.Identity() if size_in == size_out else nn.Linear(size_in, size_out, bias=False)
        nn.init.kaiming_normal_(self.layer0.weight, nonlinearity="relu")
        nn.init.zeros_(self.layer1.weight)
        if isinstance(self.shortcut, nn.Linear):
            nn.init.kaiming_normal_(self.shortcut.weight, nonlinearity="linear")

    def forward(self, x: Tensor) -> Tensor:
        """(..., size_in) -> (..., size_out)."""
        y = self.layer0(leaky_relu(x, self.slope))
        return self.shortcut(x) + self.layer1(leaky_relu(y, self.slope))


class ResNetReadout(nn.Module):
    """Points and features to one value: each block first adds a linear map of the features (Peng 2020, section 3.2).

    Args:
        features: channels of the features; 0 for none.
        hidden: channels of the blocks.
        blocks: how many blocks.
        slope: see :class:`ResNetBlock`.
    """

    def __init__(self, features: int, hidden: int, blocks: int = 5, slope: float = 0.0) -> None:
        super().__init__()
        self.slope = slope
        self.lift = nn.Linear(3, hidden)
        self.inject = nn.ModuleList([nn.Linear(features, hidden) for _ in range(blocks if features else 0)])
        self.blocks = nn.ModuleList([ResNetBlock(hidden, hidden, slope) for _ in range(blocks)])
        self.out = nn.Linear(hidden, 1)

    def forward(self, points: Tensor, features: Tensor | None = None) -> Tensor:
        """(B, P, 3) and features (B, P, features), or (B, 1, features) for all points of a shape -> (B, P)."""
        x = self.lift(points)
        for k, block in enumerate(self.blocks):
            if features is not None:
                x = x + self.inject[k](features)
            x = block(x)
        return self.out(leaky_relu(x, self.slope)).squeeze(-1)
