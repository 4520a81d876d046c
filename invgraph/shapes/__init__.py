"""What is optimized: each shape turns its parameters into a mesh and states its own regularizers."""

from .shape import Shape
from .template import TemplateShape

__all__ = ["Shape", "TemplateShape"]
