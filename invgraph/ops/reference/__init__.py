"""Pure-torch twins of the native primitives: slow, dense, differentiable by autograd, short enough to check by eye.

Each takes what its primitive takes (shared topology only) and is the definition that the kernel is tested against, in
any precision and, unlike the kernels, to any order of derivative.
"""

from .antialias import antialias
from .interpolate import interpolate
from .rasterize import rasterize
from .soft_color import soft_color
from .soft_outline import soft_outline
from .soft_silhouette import soft_silhouette

__all__ = ["antialias", "interpolate", "rasterize", "soft_color", "soft_outline", "soft_silhouette"]
