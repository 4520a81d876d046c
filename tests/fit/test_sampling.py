import pytest
import torch

from invgraph.fit.sampling import ViewSampler


@pytest.mark.parametrize(("views", "batch"), [(24, 8), (20, 6), (5, 8), (7, 1)])
def test_every_view_once_an_epoch(views, batch):
    sampler = ViewSampler(torch.randn(views, 3), batch, torch.Generator().manual_seed(1))
    for _ in range(2):
        seen: list[int] = []
        while len(seen) < views:
            chosen = sampler.next().tolist()
            assert 1 <= len(chosen) <= batch
            seen += chosen
        assert sorted(seen) == list(range(views))


def test_a_batch_looks_from_all_sides():
    """Four cameras in each of two opposite bunches: a batch of two always has one of each."""
    positions = torch.tensor([1.0, -1.0]).repeat(4)[:, None] * torch.tensor([[0.0, 0.0, 3.0]]) + 0.1 * torch.randn(8, 3)
    sampler = ViewSampler(positions, 2, torch.Generator().manual_seed(0))
    for _ in range(8):
        chosen = sampler.next()
        assert positions[chosen, 2].sign().sum() == 0


def test_state_continues_the_epoch():
    generator = torch.Generator().manual_seed(3)
    sampler = ViewSampler(torch.randn(9, 3), 2, generator)
    sampler.next()
    state, random = sampler.state_dict(), generator.get_state()
    expected = [sampler.next().tolist() for _ in range(9)]
    other = torch.Generator()
    other.set_state(random)
    again = ViewSampler(torch.randn(9, 3, generator=torch.Generator().manual_seed(0)), 2, other)
    again._strata = sampler._strata
    again.load_state_dict(state)
    assert [again.next().tolist() for _ in range(9)] == expected
