"""Shapes of a class differ: a class whose shapes are nearly one is learned by recognising it."""

import pytest
import torch

from invgraph.data import make_shape
from invgraph.data.image_sets.nmr_frame import nmr_voxels

pytest.importorskip("manifold3d")


@pytest.mark.parametrize("name", ["car", "boat", "bottle", "mug", "phone", "airplane"])
def test_shapes_of_a_class_share_less_than_half(name):
    filled = torch.stack([nmr_voxels(make_shape(name, i)).filled for i in range(14)]).flatten(1).float()
    shared = filled @ filled.T
    total = filled.sum(1)
    iou = shared / (total[:, None] + total - shared)
    others = iou[~torch.eye(len(iou), dtype=torch.bool)]
    assert float(others.mean()) < 0.5
