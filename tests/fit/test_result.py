import pytest
import torch

from invgraph.fit import silhouette_iou
from invgraph.fit.progress import overlay


def test_silhouette_iou_of_soft_masks():
    mask = torch.tensor([[[0.5, 1.0], [0.0, 0.2]]])
    alpha = torch.tensor([[[0.5, 0.4], [0.2, 0.2]]])
    assert silhouette_iou(mask, mask).item() == 1.0
    assert silhouette_iou(alpha, mask).item() == pytest.approx((0.5 + 0.4 + 0.2) / (0.5 + 1.0 + 0.2 + 0.2))
    known = torch.tensor([[[True, False], [True, True]]])
    assert silhouette_iou(alpha, mask, known).item() == pytest.approx(0.7 / 0.9)
    assert silhouette_iou(torch.zeros(1, 2, 2), torch.zeros(1, 2, 2)).item() == 1.0


def test_overlay_colours():
    alpha, mask = torch.tensor([[1.0, 1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]])
    expected = torch.tensor([[[1.0, 1.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]])  # agree, too much, missing
    torch.testing.assert_close(overlay(alpha, mask), expected)
