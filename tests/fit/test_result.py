import torch

from invgraph import Cameras, Views
from invgraph.fit import peak_memory_mb, score_views
from invgraph.geometry import icosphere
from invgraph.render import render


def test_scores_each_view_in_the_world_frame():
    eye = torch.tensor([[10.0, 0.0, 0.0]]).repeat(10, 1) + torch.randn(10, 3)
    cameras = Cameras.look_at(eye, torch.zeros(10, 3), torch.tensor([0.0, 0.0, 1.0]).expand(10, 3), 30.0, (32, 48))
    masks = render(icosphere(3), cameras).alpha
    known = torch.ones_like(masks, dtype=torch.bool)
    spoiled = masks.clone()
    spoiled[3, :16], known[3, :16] = 1.0, False  # unknown: says nothing
    spoiled[7, :16] = 1.0
    scores = score_views(icosphere(3), Views(cameras, spoiled, known=known))
    right = torch.arange(10) != 7
    torch.testing.assert_close(scores[right], torch.ones(9))
    assert scores[7] < 0.8


def test_peak_memory_is_that_of_a_process_with_torch():
    assert 50 < peak_memory_mb() < 1e6
