"""Data sets of many shapes in pictures: the SoftRas/NMR ShapeNet files."""

from .nmr import NmrShapes
from .nmr_frame import nmr_cameras, nmr_voxels
from .splits import check_splits

__all__ = ["NmrShapes", "check_splits", "nmr_cameras", "nmr_voxels"]
