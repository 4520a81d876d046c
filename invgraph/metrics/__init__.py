"""Figures for reconstructions: volume IoU, Chamfer-L1, F-score, normal consistency, silhouette IoU, watertightness.

Plain numbers, without gradients; the terms to optimise are in :mod:`invgraph.losses`.
"""

from .evaluate import evaluate
from .silhouette import silhouette_iou
from .surface import SurfaceDistances, chamfer_l1, f_score, normal_consistency, surface_distances, tenth_of_edge
from .volume import occupancy_iou, volume_iou
from .watertight import watertightness

__all__ = [
    "SurfaceDistances",
    "chamfer_l1",
    "evaluate",
    "f_score",
    "normal_consistency",
    "occupancy_iou",
    "silhouette_iou",
    "surface_distances",
    "tenth_of_edge",
    "volume_iou",
    "watertightness",
]
