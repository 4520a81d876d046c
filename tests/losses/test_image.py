"""Image losses against hand-computed values, unknown pixels and gradients."""

import math

import pytest
import torch

from invgraph.losses import bce, l1, mse, silhouette_iou

PRED = torch.tensor([[[0.5, 1.0], [0.0, 0.25]]], dtype=torch.float64)
TARGET = torch.tensor([[[1.0, 1.0], [0.0, 0.0]]], dtype=torch.float64)
KNOWN = torch.tensor([[[True, True], [True, False]]])


def test_hand_computed_values():
    # intersection 0.5 + 1, union 1 + 1 + 0 + 0.25
    assert silhouette_iou(PRED, TARGET).item() == pytest.approx(1 - 1.5 / 2.25)
    assert silhouette_iou(PRED, TARGET, known=KNOWN).item() == pytest.approx(1 - 1.5 / 2.0)
    assert l1(PRED, TARGET).item() == pytest.approx(0.75 / 4)
    assert l1(PRED, TARGET, known=KNOWN).item() == pytest.approx(0.5 / 3)
    assert mse(PRED, TARGET).item() == pytest.approx((0.25 + 0.0625) / 4)
    assert mse(PRED, TARGET, known=KNOWN).item() == pytest.approx(0.25 / 3)
    expected = (-math.log(0.5) - math.log(0.75)) / 4
    assert bce(PRED, TARGET).item() == pytest.approx(expected, abs=2e-6)
    assert bce(PRED, TARGET, known=KNOWN).item() == pytest.approx(-math.log(0.5) / 3, abs=2e-6)


def test_iou_is_the_mean_over_views_and_empty_views_agree():
    pred = torch.cat([PRED, torch.zeros_like(PRED)])
    target = torch.cat([TARGET, torch.zeros_like(TARGET)])
    assert silhouette_iou(pred, target).item() == pytest.approx((1 - 1.5 / 2.25) / 2)
    wrong = torch.cat([TARGET, torch.ones_like(TARGET)])
    assert silhouette_iou(pred, wrong).item() == pytest.approx((1 - 1.5 / 2.25 + 1) / 2)


def test_weights_and_channels():
    image = torch.zeros(1, 2, 2, 3)
    other = image.clone()
    other[0, 0, 0] = torch.tensor([1.0, 2.0, 3.0])
    weight = torch.tensor([[[3.0, 1.0], [0.0, 0.0]]])
    assert l1(image, other, known=weight).item() == pytest.approx(2.0 * 3 / 4)
    assert mse(image, other).item() == pytest.approx(14 / 12)


@pytest.mark.parametrize("loss", [silhouette_iou, l1, mse, bce])
def test_unknown_pixels_change_nothing(loss):
    pred, target = torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    known = torch.rand(2, 3, 4) > 0.4
    reference = loss(pred, target, known=known)
    spoilt = torch.where(known, pred, torch.nan).requires_grad_()
    value = loss(spoilt, torch.where(known, target, torch.inf), known=known)
    value.backward()
    assert value.item() == reference.item()
    assert torch.isfinite(spoilt.grad).all()
    assert (spoilt.grad[~known] == 0).all()
    nothing = loss(spoilt, target, known=torch.zeros_like(known))
    assert nothing.item() == 0


@pytest.mark.parametrize("loss", [silhouette_iou, l1, mse, bce])
def test_gradcheck(loss):
    pred = (0.05 + 0.9 * torch.rand(2, 3, 4, dtype=torch.float64)).requires_grad_()
    target = torch.rand(2, 3, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: loss(p, target, known=target > 0.2), pred)


def test_bce_is_finite_when_saturated_and_wrong():
    pred = torch.tensor([[[0.0, 1.0]]], requires_grad=True)
    value = bce(pred, 1 - pred.detach())
    value.backward()
    assert value.item() == pytest.approx(-math.log(1e-6), rel=1e-2)
    assert torch.isfinite(pred.grad).all()


def test_refuses_what_does_not_fit():
    mask = torch.rand(2, 3, 4)
    with pytest.raises(ValueError, match=r"target: expected the shape of pred \(2, 3, 4\), got \(2, 4, 3\)"):
        l1(mask, torch.rand(2, 4, 3))
    with pytest.raises(ValueError, match="known: expected shape"):
        mse(torch.rand(2, 3, 4, 3), torch.rand(2, 3, 4, 3), known=torch.ones(2, 3, 4, 3))
    with pytest.raises(ValueError, match="silhouettes of shape"):
        silhouette_iou(torch.rand(2, 3, 4, 1), torch.rand(2, 3, 4, 1))
    with pytest.raises(TypeError, match="floating-point"):
        bce(mask > 0.5, mask)
    with pytest.raises(ValueError, match="eps"):
        bce(mask, mask, eps=0.7)
