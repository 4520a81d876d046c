"""Data sets of solids: sampled from meshes, on disk as Occupancy Networks has them, packed for fast reading."""

from .batch import SampleReport, sample_meshes
from .binvox import load_binvox, save_binvox
from .folder import ShapeFolder, save_samples, write_splits
from .names import find_meshes
from .npz import load_pointcloud, load_points, save_pointcloud, save_points
from .packed import PackedShapes
from .packing import pack_shapes
from .records import ShapeCloud, ShapePoints, Voxels
from .sampling import SampleOptions, ShapeSamples, sample_shape, unit_cube
from .voxelize import voxelize
from .watertight import watertight_mesh

__all__ = [
    "PackedShapes",
    "SampleOptions",
    "SampleReport",
    "ShapeCloud",
    "ShapeFolder",
    "ShapePoints",
    "ShapeSamples",
    "Voxels",
    "find_meshes",
    "load_binvox",
    "load_pointcloud",
    "load_points",
    "pack_shapes",
    "sample_meshes",
    "sample_shape",
    "save_binvox",
    "save_pointcloud",
    "save_points",
    "save_samples",
    "unit_cube",
    "voxelize",
    "watertight_mesh",
    "write_splits",
]
