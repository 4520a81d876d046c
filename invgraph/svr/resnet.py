"""Residual networks: ResNet-18, and one of eight layers for small pictures."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

_WIDTHS = (64, 128, 256, 512)
_SMALL_WIDTHS = (48, 64, 128, 256)
_PATCH = 4  # pixels along a side that the small network's first layer makes one


class ResNet18(nn.Module):
    """Deep Residual Learning for Image Recognition (He et al. 2016), 18 layers: (B, channels, S, S) to (B, code_size).

    Its parameters have the names of torchvision's, so that weights from there fit; see :func:`make_encoder`.

    Args:
        channels: of the pictures.
        code_size: length of the code.
    """

    def __init__(self, channels: int = 4, code_size: int = 512) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, _WIDTHS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(_WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        before = _WIDTHS[0]
        for k, width in enumerate(_WIDTHS):
            stage = nn.Sequential(Block(before, width, 1 if k == 0 else 2), Block(width, width, 1))
            self.add_module(f"layer{k + 1}", stage)
            before = width
        self.fc = nn.Linear(before, code_size)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, S, S) in [0, 1] -> (B, code_size)."""
        x = self.maxpool(relu(self.bn1(self.conv1(images))))
        for k in range(len(_WIDTHS)):
            x = self.get_submodule(f"layer{k + 1}")(x)
        return self.fc(x.mean((2, 3)))


def resnet8(channels: int = 4, image_size: int = 64, code_size: int = 512) -> nn.Sequential:
    """A residual network for pictures of 64x64 on processors: (B, channels, S, S) to (B, code_size).

    A convolution of stride 4 to 48 channels, a block of two convolutions at each of three sizes with 64, 128 and 256
    channels, and one linear layer that sees where in the picture each feature is. A third of the multiplications of
    :class:`ResNet18`, and about half of those of :class:`ConvEncoder` with an eighth of its weights.

    Args:
        channels: of the pictures.
        image_size: pixels along a side, a multiple of 16.
        code_size: length of the code.
    """
    smallest = _PATCH * 2 ** (len(_SMALL_WIDTHS) - 2)
    if image_size % smallest:
        raise ValueError(f"image_size: expected a multiple of {smallest} for the 'resnet8' encoder, got {image_size}")
    first, *widths = _SMALL_WIDTHS
    stem = nn.Conv2d(channels, first, _PATCH + 2, stride=_PATCH, padding=1, bias=False)
    layers: list[nn.Module] = [stem, nn.BatchNorm2d(first), nn.ReLU(inplace=True)]
    before = first
    for k, width in enumerate(widths):
        layers.append(Block(before, width, 1 if k == 0 else 2))
        before = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * (image_size // smallest) ** 2, code_size))


class Block(nn.Module):
    """Two 3x3 convolutions around which their input passes."""

    def __init__(self, size_in: int, size_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(size_in, size_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(size_out)
        self.conv2 = nn.Conv2d(size_out, size_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(size_out)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or size_in != size_out:
            conv = nn.Conv2d(size_in, size_out, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(size_out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        return relu(self.downsample(x) + y)
