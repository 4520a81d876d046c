"""Functions of space: occupancy and signed distance, what fits them, and the surfaces they bound."""

from .analytic import AnalyticField, Box, Capsule, Sphere, Torus
from .auto_decoder import AutoDecoder
from .check_finite import check_finite
from .combine import Difference, Intersection, Moved, SmoothUnion, Union
from .conv_onet import ConvONet
from .deep_sdf import DeepSDF
from .descend import descend
from .extract import Extraction, extract_mesh
from .field import Field
from .fit_samples import fit_samples
from .grid import GridField
from .iou import field_iou
from .isosurface import (
    CubeGrid,
    FlexiCubesResult,
    SparseValues,
    TetrahedralGrid,
    field_surface,
    flexicubes,
    marching_tetrahedra,
    sparse_values,
)
from .normals import field_normals
from .occupancy_network import OccupancyDecoder
from .points_cloud import PointCloud
from .points_files import load_points
from .points_fit import PointsFit, fit_points
from .points_options import FitPointsOptions
from .random_shapes import random_shape, sample_zero_set
from .ray_alpha import ray_alpha, ray_logits
from .ray_pixels import PixelSample, outline_band, sample_pixels
from .rays import Rays, camera_rays
from .refine import refine_mesh
from .siren import Siren, siren_loss

__all__ = [
    "AnalyticField",
    "AutoDecoder",
    "Box",
    "Capsule",
    "ConvONet",
    "CubeGrid",
    "DeepSDF",
    "Difference",
    "Extraction",
    "Field",
    "FitPointsOptions",
    "FlexiCubesResult",
    "GridField",
    "Intersection",
    "Moved",
    "OccupancyDecoder",
    "PixelSample",
    "PointCloud",
    "PointsFit",
    "Rays",
    "Siren",
    "SmoothUnion",
    "SparseValues",
    "Sphere",
    "TetrahedralGrid",
    "Torus",
    "Union",
    "camera_rays",
    "check_finite",
    "descend",
    "extract_mesh",
    "field_iou",
    "field_normals",
    "field_surface",
    "fit_points",
    "fit_samples",
    "flexicubes",
    "load_points",
    "marching_tetrahedra",
    "outline_band",
    "random_shape",
    "ray_alpha",
    "ray_logits",
    "refine_mesh",
    "sample_pixels",
    "sample_zero_set",
    "siren_loss",
    "sparse_values",
]
