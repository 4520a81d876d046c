"""Image, mesh and point-set losses: plain functions of tensors that give a scalar.

Image losses average over known pixels and views. Mesh losses are the literature's sums by default
(``reduction="sum"``); ``reduction="mean"`` divides by the number of summed terms, so that a weight chosen on one
mesh keeps its meaning on a finer one. Batched meshes are averaged over the batch.
"""

from .image import bce, l1, mse, silhouette_iou
from .mesh import laplacian_cotangent, laplacian_uniform, normal_loss, smoothness, vertex_uniformity
from .points import chamfer_l1, chamfer_l2_squared, earth_movers_distance, nearest_point

__all__ = [
    "bce",
    "chamfer_l1",
    "chamfer_l2_squared",
    "earth_movers_distance",
    "l1",
    "laplacian_cotangent",
    "laplacian_uniform",
    "mse",
    "nearest_point",
    "normal_loss",
    "silhouette_iou",
    "smoothness",
    "vertex_uniformity",
]
