import pytest
import torch

from invgraph.svr.expected_iou import best_threshold


def _expected(probability, taken, draws):
    inside = torch.rand(draws, len(probability), generator=torch.Generator().manual_seed(0)) < probability
    return ((inside & taken).sum(1) / (inside | taken).sum(1)).mean()


@pytest.mark.parametrize("power", [0.3, 1.0, 3.0])
def test_no_other_threshold_is_to_be_expected_better(power):
    probability = torch.rand(300, generator=torch.Generator().manual_seed(1)) ** power
    best = best_threshold(probability[None])[0]
    assert (probability - best).abs().min() > 0  # on no place's own: surfaces lie between places
    found = _expected(probability, probability >= best, 4000)
    for other in torch.linspace(0.05, 0.95, 19):
        assert _expected(probability, probability >= other, 4000) < found + 1e-3


def test_sure_shapes_have_a_higher_threshold_than_unsure_ones():
    middle = torch.linspace(-1, 1, 401)
    sure, unsure = (best_threshold((sharpness * middle).sigmoid()[None])[0] for sharpness in (100.0, 1.0))
    assert 0.4 < sure < 0.55
    assert unsure < 0.4


def test_shapes_of_a_batch_do_not_see_each_other():
    probability = torch.rand(3, 50, generator=torch.Generator().manual_seed(2))
    alone = torch.cat([best_threshold(one[None]) for one in probability])
    assert torch.equal(best_threshold(probability), alone)
