"""A U-Net for feature maps in two or three dimensions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, max_pool3d, relu


class UNet(nn.Module):
    """Convolutions at ever coarser resolutions and back, with a shortcut at each (Ronneberger 2015, Cicek 2016).

    A level is two 3^D convolutions; going down halves the resolution and doubles the channels, going up does the
    opposite by a transposed convolution, whose result is put beside the features of the way down. There is no
    normalisation: a map's features depend on that map alone, in training too.

    Args:
        dims: 2 or 3.
        channels: of the input and of the output.
        width: channels of the finest level.
        levels: resolutions; the input's must be divisible by 2 ** (levels - 1).
    """

    def __init__(self, dims: int, channels: int, width: int, levels: int) -> None:
        super().__init__()
        self.pool = {2: max_pool2d, 3: max_pool3d}[dims]
        Conv, Transposed = (nn.Conv2d, nn.ConvTranspose2d) if dims == 2 else (nn.Conv3d, nn.ConvTranspose3d)

        def pair(size_in: int, size_out: int) -> nn.Sequential:
            first, second = Conv(size_in, size_out, 3, padding=1), Conv(size_out, size_out, 3, padding=1)
            return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())

        widths = [width * 2**level for level in range(levels)]
        self.down = nn.ModuleList([pair(size_in, size_out) for size_in, size_out in zip([channels, *widths], widths)])
        self.rise = nn.ModuleList([Transposed(2 * size, size, 2, stride=2) for size in widths[:-1]])
        self.up = nn.ModuleList([pair(2 * size, size) for size in widths[:-1]])
        self.out = Conv(width, channels, 1)
        for module in [*self.down.modules(), *self.up.modules()]:
            if isinstance(module, Conv) and module.bias is not None:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, R, ...) -> the same shape."""
        passed = []
        for level, convolve in enumerate(self.down):
            x = convolve(self.pool(x, 2) if level else x)
            passed.append(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([relu(self.rise[level](x)), passed[level]], 1))
        return self.out(x)
