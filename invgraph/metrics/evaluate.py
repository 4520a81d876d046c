"""All figures of a reconstruction against the truth at once."""

from __future__ import annotations

from typing import Any

import torch

from ..geometry.mesh import Mesh
from .surface import surface_distances, tenth_of_edge
from .volume import volume_iou
from .watertight import watertightness


def evaluate(
    pred: Mesh, truth: Mesh, *, points: int = 100_000, volume_points: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """Score a mesh against the true one, in the same frame and units. The truth may be open or non-manifold.

    Args:
        pred: mesh to score.
        truth: true mesh.
        points: on each surface.
        volume_points: in space, for the IoU; None: as ``points``. Its standard error at 100,000 is 0.001 or so: give a
            million (half a second more) before ranking results that are as near as that.
        seed: the same seed gives the same figures.

    Returns:
        A dict of plain values, ready for JSON:

        - ``volume_iou``: :func:`volume_iou`, in [0, 1];
        - ``chamfer_l1``, ``accuracy``, ``completeness``: mean distances in the meshes' units (:func:`chamfer_l1`),
          and ``chamfer_l1_of_radius``: the first as a fraction of ``truth_radius``; ``chamfer_l1_x10``: the first in
          tenths of the longest edge of the truth's bounding box, as the tables of Occupancy Networks and the papers
          that compare with it have it (:func:`tenth_of_edge`);
        - ``f1_1``, ``f1_2``: F-score at 1% and 2% of ``truth_radius``, in [0, 1], with ``precision_1``, ``recall_1``,
          ``precision_2``, ``recall_2``;
        - ``normal_consistency``, in [0, 1];
        - ``truth_radius``: of the truth's bounding sphere, in the meshes' units (centred on its bounding box);
        - ``pred``, ``truth``: :func:`watertightness` of each;
        - ``points``, ``volume_points``, ``seed``, ``units``: how and in what it was measured.

    Raises:
        ValueError: a batch, or a mesh without area.
    """
    volume_points = points if volume_points is None else volume_points
    generator = torch.Generator().manual_seed(seed)
    distances = surface_distances(pred, truth, points=points, seed=generator)
    used = truth.verts.detach()[truth.faces.unique()]
    radius = float(Mesh(used, truth.faces[:0]).bounding_sphere()[1])
    scores: dict[str, Any] = {
        "volume_iou": volume_iou(pred, truth, points=volume_points, seed=generator),
        "chamfer_l1": distances.chamfer_l1,
        "chamfer_l1_of_radius": distances.chamfer_l1 / radius,
        "chamfer_l1_x10": distances.chamfer_l1 / tenth_of_edge(truth),
        "accuracy": float(distances.accuracy.mean()),
        "completeness": float(distances.completeness.mean()),
    }
    for percent in (1, 2):
        threshold = radius * percent / 100
        scores[f"f1_{percent}"] = distances.f_score(threshold)
        scores[f"precision_{percent}"] = distances.precision(threshold)
        scores[f"recall_{percent}"] = distances.recall(threshold)
    scores["normal_consistency"] = distances.normal_consistency
    scores["truth_radius"] = radius
    scores["pred"], scores["truth"] = watertightness(pred), watertightness(truth)
    scores["points"], scores["volume_points"], scores["seed"] = points, volume_points, seed
    scores["units"] = {
        "volume_iou": "fraction",
        "chamfer_l1, accuracy, completeness, truth_radius": "the meshes' own unit of length",
        "chamfer_l1_of_radius": "fraction of truth_radius",
        "chamfer_l1_x10": "tenths of the longest edge of the truth's bounding box (Mescheder et al. 2019)",
        "f1_1, precision_1, recall_1": "fraction of points within 1% of truth_radius",
        "f1_2, precision_2, recall_2": "fraction of points within 2% of truth_radius",
        "normal_consistency": "mean absolute cosine",
    }
    return scores
