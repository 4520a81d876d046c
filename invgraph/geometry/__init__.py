"""Meshes: connectivity, files, templates, sampling, remeshing and the visual hull."""

from .appearance import FaceColors, Texture, VertexColors
from .files import load_mesh, save_mesh
from .hull import carve_bounds, visual_hull
from .mesh import Mesh
from .remesh import remesh
from .sampling import sample_surface
from .simplify import simplify
from .templates import icosphere
from .topology import Topology

__all__ = [
    "FaceColors",
    "Mesh",
    "Texture",
    "Topology",
    "VertexColors",
    "carve_bounds",
    "icosphere",
    "load_mesh",
    "remesh",
    "sample_surface",
    "save_mesh",
    "simplify",
    "visual_hull",
]
