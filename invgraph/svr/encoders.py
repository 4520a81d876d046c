"""Networks that turn a picture into a code."""

from __future__ import annotations

import os

from torch import nn

from ..errors import InputError
from .conv_encoder import ConvEncoder
from .resnet import ResNet18, resnet8
from .vit import ViT

ENCODERS = ("conv", "resnet8", "resnet18", "vit")


def make_encoder(
    name: str,
    channels: int = 4,
    image_size: int = 64,
    code_size: int = 512,
    weights: str | os.PathLike[str] | None = None,
) -> nn.Module:
    """An encoder: images (B, channels, image_size, image_size) in [0, 1] -> codes (B, code_size).

    Args:
        name: "conv" (the CNN of Soft Rasterizer), "resnet8" (a third of the work of the next), "resnet18", "vit" (six
            layers of 192 channels, 8 x 8 patches), or "timm:NAME" and "torchvision:NAME" for a model of those
            libraries, where they are installed.
        channels: of the pictures.
        image_size: pixels along a side.
        code_size: length of the code.
        weights: file of pretrained weights (.safetensors, or a state dict saved by torch, read without running code
            that it may hold). Its last layer may be that of another task, and is then left out; a picture's further
            channels start without influence. None: random weights, of torch's global generator.

    Raises:
        InputError: the library is not installed or has no such model; the weights cannot be read or do not fit.
        ValueError: an unknown name or a size that the encoder cannot take.
    """
    library, _, model = name.partition(":")
    if name == "conv":
        encoder: nn.Module = ConvEncoder(channels, image_size, code_size)
    elif name == "resnet8":
        encoder = resnet8(channels, image_size, code_size)
    elif name == "resnet18":
        encoder = ResNet18(channels, code_size)
    elif name == "vit":
        encoder = ViT(channels, image_size, code_size)
    elif library == "timm" and model:
        encoder = _timm(model, channels, image_size, code_size)
    elif library == "torchvision" and model:
        encoder = _torchvision(model, channels, code_size)
    else:
        known = ", ".join(repr(known) for known in ENCODERS)
        raise ValueError(f"encoder: expected {known}, 'timm:NAME' or 'torchvision:NAME', got {name!r}")
    if weights is not None:
        from .pretrained import load_pretrained

        load_pretrained(encoder, weights)
    return encoder


def _timm(name: str, channels: int, image_size: int, code_size: int) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise InputError(f"encoder 'timm:{name}': timm is not installed (pip install timm)") from error
    if name not in timm.list_models():  # other names may be addresses that timm would download from
        raise InputError(f"encoder 'timm:{name}': timm {timm.__version__} has no such model")
    sizes = {"in_chans": channels, "num_classes": code_size}
    try:
        return timm.create_model(name, pretrained=False, img_size=image_size, **sizes)
    except TypeError:  # networks of convolutions take any size, and no argument for it
        return timm.create_model(name, pretrained=False, **sizes)


def _torchvision(name: str, channels: int, code_size: int) -> nn.Module:
    try:
        import torchvision
    except ImportError as error:
        raise InputError(
            f"encoder 'torchvision:{name}': torchvision is not installed (pip install torchvision)"
        ) from error
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise InputError(f"encoder 'torchvision:{name}': torchvision {torchvision.__version__} has no such model")
    model = torchvision.models.get_model(name, weights=None, num_classes=code_size)
    return with_channels(model, channels)


def with_channels(model: nn.Module, channels: int) -> nn.Module:
    """The model with its first convolution replaced by one that takes that many channels; in place.

    Raises:
        ValueError: a model without convolutions.
    """
    convolutions = ((name, layer) for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d))
    name, layer = next(convolutions, ("", None))
    if layer is None:
        raise ValueError("model: expected one that begins with a convolution, got none")
    if layer.in_channels == channels:
        return model
    fresh = type(layer)(
        channels,
        layer.out_channels,
        layer.kernel_size,  # type: ignore[arg-type]
        stride=layer.stride,  # type: ignore[arg-type]
        padding=layer.padding,  # type: ignore[arg-type]
        bias=layer.bias is not None,
    )
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, fresh)
    return model
