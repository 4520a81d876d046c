"""Made shapes: parametric classes by constructive solid geometry, with pictures, voxels and points."""

from .build import make_shapes
from .classes import SYNSETS
from .options import MadeOptions
from .shape import make_shape

__all__ = ["SYNSETS", "MadeOptions", "make_shape", "make_shapes"]
