"""Single-view reconstruction: a network that turns one picture into a surface."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .conv_encoder import ConvEncoder
from .decoders import Decoder
from .encoders import make_encoder
from .mesh_decoder import MeshDecoder
from .model import ModelOptions, Reconstructor
from .model_file import load_model, model_entry, save_model
from .occupancy_decoder import FieldDecoder
from .pretrained import load_pretrained
from .resnet import ResNet18
from .sdf_decoder import DistanceDecoder
from .vit import ViT

if TYPE_CHECKING:
    from .evaluation import EvalOptions, Evaluation, evaluate
    from .prediction import predict, read_picture
    from .train_options import RunOptions, TrainOptions
    from .train_watchers import TrainingBar, TrainingBoard, Watcher
    from .training import TrainResult, make_fabric, train

__all__ = [
    "ConvEncoder",
    "Decoder",
    "DistanceDecoder",
    "EvalOptions",
    "Evaluation",
    "FieldDecoder",
    "MeshDecoder",
    "ModelOptions",
    "Reconstructor",
    "ResNet18",
    "RunOptions",
    "TrainOptions",
    "TrainResult",
    "TrainingBar",
    "TrainingBoard",
    "ViT",
    "Watcher",
    "evaluate",
    "load_model",
    "load_pretrained",
    "make_encoder",
    "make_fabric",
    "model_entry",
    "predict",
    "read_picture",
    "save_model",
    "train",
]

_HOMES = {
    "EvalOptions": "evaluation",
    "Evaluation": "evaluation",
    "RunOptions": "train_options",
    "TrainOptions": "train_options",
    "TrainResult": "training",
    "TrainingBar": "train_watchers",
    "TrainingBoard": "train_watchers",
    "Watcher": "train_watchers",
    "evaluate": "evaluation",
    "make_fabric": "training",
    "predict": "prediction",
    "read_picture": "prediction",
    "train": "training",
}
"""What is imported at first use: whoever loads a network and asks it does not wait for what training needs."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
