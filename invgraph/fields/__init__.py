"""Functions of space: occupancy and signed distance, what fits them, and the surfaces they bound."""

from .analytic import Box, Capsule, Sphere, Torus
from .check_finite import check_finite
from .combine import Difference, Intersection, Moved, SmoothUnion, Union
from .conv_onet import ConvONet
from .field import Field
from .grid import GridField
from .occupancy_network import OccupancyDecoder
from .ray_alpha import ray_alpha, ray_logits
from .rays import Rays, camera_rays

__all__ = [
    "Box",
    "Capsule",
    "ConvONet",
    "Difference",
    "Field",
    "GridField",
    "Intersection",
    "Moved",
    "OccupancyDecoder",
    "Rays",
    "SmoothUnion",
    "Sphere",
    "Torus",
    "Union",
    "camera_rays",
    "check_finite",
    "ray_alpha",
    "ray_logits",
]
