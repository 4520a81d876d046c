"""Views on disk -> `Views`: cameras, silhouettes, photographs, what is wrong or risky in them; data sets of shapes."""

from .doctor import examine
from .frames import Finding
from .load import load_views
from .masks import Threshold
from .shapes import (
    PackedShapes,
    SampleOptions,
    SampleReport,
    ShapeCloud,
    ShapeFolder,
    ShapePoints,
    ShapeSamples,
    Voxels,
    find_meshes,
    load_binvox,
    load_pointcloud,
    load_points,
    pack_shapes,
    sample_meshes,
    sample_shape,
    save_binvox,
    save_pointcloud,
    save_points,
    save_samples,
    unit_cube,
    voxelize,
    watertight_mesh,
    write_splits,
)
from .views import Views

__all__ = [
    "Finding",
    "PackedShapes",
    "SampleOptions",
    "SampleReport",
    "ShapeCloud",
    "ShapeFolder",
    "ShapePoints",
    "ShapeSamples",
    "Threshold",
    "Views",
    "Voxels",
    "examine",
    "find_meshes",
    "load_binvox",
    "load_pointcloud",
    "load_points",
    "load_views",
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
