"""Views: what resizing, subsets and splits do, by hand."""

import pytest
import torch

from invgraph.cameras import Cameras
from invgraph.data import Views


def tiny(known: torch.Tensor | None = None, n: int = 1) -> Views:
    cameras = Cameras.look_at((0.0, 0.0, 3.0), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 40.0, (2, 3))
    masks = torch.tensor([[[1.0, 0.0, 0.5], [1.0, 1.0, 0.0]]])
    images = masks[..., None].expand(-1, -1, -1, 3).contiguous()
    one = Views(cameras, masks, images, known)
    return one[[0] * n]


def test_resize_averages_areas_exactly_where_the_ratio_is_not_whole() -> None:
    # columns of width 1.5 over (1, 0, .5): (1 + 0.5 * 0) / 1.5 and (0.5 * 0 + 0.5) / 1.5
    small = tiny().resize((2, 2))
    torch.testing.assert_close(small.masks, torch.tensor([[[2 / 3, 1 / 3], [1.0, 1 / 3]]]))
    assert small.images is not None
    torch.testing.assert_close(small.images[..., 1], small.masks)
    assert small.cameras.image_size == (2, 2)
    assert small.known is None
    torch.testing.assert_close(
        tiny().resize((4, 6)).masks, tiny().masks.repeat_interleave(2, 1).repeat_interleave(2, 2)
    )


def test_resize_leaves_unknown_pixels_out_of_the_average() -> None:
    known = torch.tensor([[[True, False, False], [False, False, True]]])
    small = tiny(known).resize((1, 3))  # columns: (1, unknown 1), (unknown 0, unknown 1), (unknown 0.5, 0)
    torch.testing.assert_close(small.masks, torch.tensor([[[1.0, 0.0, 0.0]]]))
    assert small.known is not None
    assert small.known.tolist() == [[[True, False, True]]]


def test_subset_split_and_normalized() -> None:
    views = tiny(n=16)
    views = Views(views.cameras, views.masks, None, None, tuple("abcdefghijklmnop"))
    assert views[3].names == ("d",)
    assert views[-2:].names == ("o", "p")
    train, held = views.split(4)
    assert held.names == ("c", "g", "k", "o")
    assert len(train) == 12
    assert set(train.names) | set(held.names) == set(views.names)
    assert len(views.split(0)[1]) == 0
    with pytest.raises(ValueError, match="holdout must leave"):
        views.split(16)
    moved = views.normalized((0.0, 0.0, 1.0), 2.0)
    torch.testing.assert_close(moved.cameras.centers[0], torch.tensor([0.0, 0.0, 1.0]))


def test_what_does_not_fit_together_is_refused() -> None:
    views = tiny()
    with pytest.raises(ValueError, match=r"masks must have shape \(1, 2, 3\)"):
        Views(views.cameras, torch.zeros(1, 3, 3))
    with pytest.raises(ValueError, match=r"masks must lie in \[0, 1\]"):
        Views(views.cameras, torch.full((1, 2, 3), float("nan")))
    with pytest.raises(ValueError, match="masks must be float32"):
        Views(views.cameras, torch.zeros(1, 2, 3).double())
    with pytest.raises(ValueError, match="images must be float32"):
        Views(views.cameras, views.masks, torch.zeros(1, 3, 2, 3))
    with pytest.raises(ValueError, match="known must be bool"):
        Views(views.cameras, views.masks, None, torch.ones(1, 2, 3))
    with pytest.raises(ValueError, match="expected 1 names"):
        Views(views.cameras, views.masks, names=("a", "b"))
