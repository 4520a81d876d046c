"""The table of fields: what each way of fitting and extracting reaches, row by row."""

from __future__ import annotations

import argparse
import importlib

ROWS = {
    "grid": ("fields_samples", "100,000 occupancies to a grid field"),
    "decoder": ("fields_samples", "the same through the Occupancy Network decoder"),
    "voxels": ("fields_samples", "fields against voxelisations (docs/fields/voxels.md)"),
    "lookup": ("fields_samples", "trilinear look-ups: time against the ways of torch"),
    "points_siren": ("fields_points", "100,000 oriented points through a SIREN"),
    "points_noisy": ("fields_points", "10,000 noisy points without normals to a grid field"),
    "points_fields": ("fields_points", "the same through the other fields"),
    "mise": ("fields_extract", "multi-resolution extraction against all nodes"),
    "refined": ("fields_extract", "refinement and simplification"),
    "isosurface_time": ("fields_isosurface", "differentiable isosurfaces: time"),
    "isosurface_sparse": ("fields_isosurface", "differentiable isosurfaces: nodes asked"),
    "isosurface_silhouette": ("fields_isosurface", "silhouettes through isosurfaces"),
    "fits": ("fields_fits", "masks to a field to a mesh: invgraph fit --shape"),
    "rays_time": ("fields_rays", "silhouettes along rays: time"),
    "rays_bias": ("fields_rays", "silhouettes along rays: where they settle"),
    "shape_sampling": ("fields_shapes", "meshes to a data set of shapes: time"),
    "shape_reading": ("fields_shapes", "data sets of shapes: samples read a second"),
    "made_shapes": ("fields_pictures", "made shapes: time"),
    "picture_reading": ("fields_pictures", "data sets in pictures: read at random"),
}


def fields(arguments: argparse.Namespace) -> None:
    """The rows that are named after the table's name, or all of them."""
    for name in arguments.rows or ROWS:
        module, title = ROWS[name]
        print(f"\n#### {title}\n", flush=True)
        getattr(importlib.import_module(f"benchmarks.{module}"), name)(arguments)
