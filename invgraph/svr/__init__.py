"""Single-view reconstruction: a network that turns one picture into a surface."""

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

__all__ = [
    "ConvEncoder",
    "Decoder",
    "DistanceDecoder",
    "FieldDecoder",
    "MeshDecoder",
    "ModelOptions",
    "Reconstructor",
    "ResNet18",
    "ViT",
    "load_model",
    "load_pretrained",
    "make_encoder",
    "model_entry",
    "save_model",
]
