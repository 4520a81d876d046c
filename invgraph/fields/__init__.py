"""Functions of space: occupancy and signed distance, what fits them, and the surfaces they bound."""

from .analytic import Box, Capsule, Sphere, Torus
from .check_finite import check_finite
from .combine import Difference, Intersection, Moved, SmoothUnion, Union
from .field import Field
from .occupancy_network import OccupancyDecoder

__all__ = [
    "Box",
    "Capsule",
    "Difference",
    "Field",
    "Intersection",
    "Moved",
    "OccupancyDecoder",
    "SmoothUnion",
    "Sphere",
    "Torus",
    "Union",
    "check_finite",
]
