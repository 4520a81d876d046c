"""Sampled pixels: where they lie, and that their weights make up for it."""

import pytest
import torch

from invgraph.fields import outline_band, sample_pixels


def disc(size=40, radius=12.0):
    at = torch.arange(size) + 0.5 - size / 2
    return ((at[:, None] ** 2 + at**2).sqrt() < radius).float()


def test_the_band_lies_along_the_outline():
    mask = torch.stack([disc(), torch.zeros(40, 40), torch.ones(40, 40)])
    band = outline_band(mask, reach=2)
    at = torch.arange(40) + 0.5 - 20
    distance = ((at[:, None] ** 2 + at**2).sqrt() - 12).abs()
    assert band[0][distance < 1].all()
    assert not band[0][distance > 4].any()
    assert not band[1:].any()


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_weighted_means_are_those_of_all_pixels(share):
    masks = torch.stack([disc(), disc(radius=7.0), torch.zeros(40, 40)])
    known = torch.ones_like(masks, dtype=torch.bool)
    known[:, :, :9] = False
    values = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(0)) + 3 * masks
    drawn = sample_pixels(
        outline_band(masks), 200_000, generator=torch.Generator().manual_seed(1), share=share, known=known
    )
    mean = (drawn.weights * drawn.of(values)).mean(1)
    truth = torch.stack([v[k].mean() for v, k in zip(values, known)])
    torch.testing.assert_close(mean, truth, rtol=0.01, atol=0)
    assert drawn.of(known).all()


def test_shares_and_places():
    masks = disc()[None]
    band = outline_band(masks, reach=1)
    drawn = sample_pixels(band, 1000, generator=torch.Generator().manual_seed(0), share=0.5)
    within = float(drawn.of(band).double().mean())
    assert within == pytest.approx(0.5 + 0.5 * float(band.double().mean()), abs=0.02)
    column, row = (drawn.pixels - 0.5).unbind(-1)
    assert torch.equal((row * 40 + column).long(), drawn.index)
    again = sample_pixels(band, 1000, generator=torch.Generator().manual_seed(0), share=0.5)
    assert torch.equal(drawn.index, again.index)


def test_wrong_arguments():
    band, generator = torch.zeros(2, 4, 4, dtype=torch.bool), torch.Generator()
    with pytest.raises(ValueError, match="share"):
        sample_pixels(band, 5, generator=generator, share=1.0)
    with pytest.raises(ValueError, match="known: expected a known pixel in every picture, got none in 0"):
        sample_pixels(band, 5, generator=generator, known=band)
    with pytest.raises(ValueError, match="preferred: expected bool"):
        sample_pixels(band.float(), 5, generator=generator)
    with pytest.raises(ValueError, match="reach"):
        outline_band(band, reach=0)
