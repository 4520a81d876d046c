"""Differentiable isosurfaces: meshes as functions of the values, and of the positions, of a grid's nodes."""

from .cube_grid import CubeGrid
from .flexicubes import FlexiCubesResult, flexicubes
from .marching_tetrahedra import boundary_nodes, marching_tetrahedra
from .sparse import SparseValues, field_surface, sparse_values
from .tetrahedral_grid import TetrahedralGrid

__all__ = [
    "CubeGrid",
    "FlexiCubesResult",
    "SparseValues",
    "TetrahedralGrid",
    "boundary_nodes",
    "field_surface",
    "flexicubes",
    "marching_tetrahedra",
    "sparse_values",
]
