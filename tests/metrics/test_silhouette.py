import pytest
import torch

from invgraph.metrics import silhouette_iou


def test_hard_and_soft():
    pred = torch.tensor([[[1.0, 0.6], [0.0, 0.0]]])
    target = torch.tensor([[[1.0, 0.4], [1.0, 0.0]]])
    assert silhouette_iou(pred, target).tolist() == pytest.approx([1 / 3])
    assert silhouette_iou(pred, target, threshold=None).tolist() == pytest.approx([1.4 / 2.6])
    assert silhouette_iou(pred, pred, threshold=None).tolist() == [1.0]


def test_unknown_pixels_and_empty_views():
    pred, target = torch.rand(3, 8, 9), torch.rand(3, 8, 9)
    known = torch.rand(3, 8, 9) > 0.5
    spoilt = target.where(known, 1 - target)
    for threshold in (0.5, None):
        a = silhouette_iou(pred, target, known=known, threshold=threshold)
        assert torch.equal(a, silhouette_iou(pred, spoilt, known=known, threshold=threshold))
        assert silhouette_iou(pred * 0, target * 0, threshold=threshold).tolist() == [1, 1, 1]
        assert silhouette_iou(pred * 0, target, threshold=threshold).tolist() == [0, 0, 0]


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"target: expected shape \(2, 4, 4\) as pred has, got \(4, 4\)"):
        silhouette_iou(torch.zeros(2, 4, 4), torch.zeros(4, 4))
