"""Differentiable isosurfaces: meshes as functions of the values, and of the positions, of a grid's nodes."""

from .marching_tetrahedra import boundary_nodes, marching_tetrahedra
from .tetrahedral_grid import TetrahedralGrid

__all__ = ["TetrahedralGrid", "boundary_nodes", "marching_tetrahedra"]
