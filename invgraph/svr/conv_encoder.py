"""The image encoder of the Neural 3D Mesh Renderer and of Soft Rasterizer."""

from __future__ import annotations

from torch import Tensor, nn

_CHANNELS = (64, 128, 256)
_HIDDEN = 1024


class ConvEncoder(nn.Sequential):
    """Three strided convolutions and three linear layers: (B, channels, S, S) to (B, code_size).

    5x5 convolutions of stride 2 with 64, 128 and 256 channels, each followed by batch normalisation and a ReLU, then
    linear layers of 1024, 1024 and ``code_size`` outputs, each with a ReLU. Source: Kato et al. 2018, *Neural 3D Mesh
    Renderer*, supplementary material; Liu et al. 2019, *Soft Rasterizer*.

    Args:
        channels: of the pictures.
        image_size: pixels along a side, a multiple of 8.
        code_size: length of the code.
    """

    def __init__(self, channels: int = 4, image_size: int = 64, code_size: int = 512) -> None:
        if image_size % 8:
            raise ValueError(f"image_size: expected a multiple of 8 for the 'conv' encoder, got {image_size}")
        layers: list[nn.Module] = []
        before = channels
        for width in _CHANNELS:
            conv = nn.Conv2d(before, width, 5, stride=2, padding=2, bias=False)
            layers += [conv, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            before = width
        layers.append(nn.Flatten())
        before *= (image_size // 8) ** 2
        for width in (_HIDDEN, _HIDDEN, code_size):
            layers += [nn.Linear(before, width), nn.ReLU(inplace=True)]
            before = width
        super().__init__(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, S, S) in [0, 1] -> (B, code_size), none below 0."""
        return super().forward(images)
