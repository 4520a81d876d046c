"""Which pixels to look at: rather those near an outline, each weighted by how much it was preferred."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d


@dataclass(frozen=True, eq=False)
class PixelSample:
    """P pixels of each of N pictures.

    Attributes:
        index: (N, P) int64, ``row * W + column``.
        pixels: (N, P, 2) coordinates (u, v) of their centres, as :func:`invgraph.fields.ray_alpha` takes them.
        weights: (N, P) such that ``(weights * values).mean(1)`` is expected to be the mean of the values over all
            pixels that could be drawn.
    """

    index: Tensor
    pixels: Tensor
    weights: Tensor

    def of(self, images: Tensor) -> Tensor:
        """(N, P) values of images (N, H, W) at the pixels."""
        return images.flatten(1).gather(1, self.index)


def outline_band(masks: Tensor, reach: int = 2) -> Tensor:
    """(N, H, W) bool: pixels with both sides of the outline (``mask > 0.5`` or not) at most ``reach`` pixels away.

    The distance is the greater of those along rows and columns. Bands of several masks, say of the target and of the
    present alpha, are joined by ``|``.

    Args:
        masks: (N, H, W) in [0, 1], or bool.
        reach: in pixels, >= 1.
    """
    if masks.ndim != 3:
        raise ValueError(f"masks: expected shape (N, H, W), got {tuple(masks.shape)}")
    if reach < 1:
        raise ValueError(f"reach: expected at least 1 pixel, got {reach}")
    inside = (masks > 0.5).float()[:, None]
    window = 2 * reach + 1
    near_inside, near_outside = (max_pool2d(x, window, stride=1, padding=reach) for x in (inside, 1 - inside))
    return (near_inside * near_outside)[:, 0] > 0


def sample_pixels(
    preferred: Tensor,
    count: int,
    *,
    generator: torch.Generator,
    share: float = 0.5,
    known: Tensor | None = None,
    dtype: torch.dtype = torch.float32,
) -> PixelSample:
    """Draw pixels of each picture, a given share of them for being preferred, the others from everywhere.

    Draws are with replacement and stratified: spread evenly over the pixels in the order of rows. A picture without a
    preferred pixel gets all from everywhere.

    Args:
        preferred: (N, H, W) bool, as :func:`outline_band` gives it.
        count: pixels a picture, P.
        generator: drawn from on its device.
        share: of the draws that go to preferred pixels alone, in [0, 1).
        known: (N, H, W) bool: false pixels are never drawn. None: all may be.
        dtype: of coordinates and weights.

    Raises:
        ValueError: shapes or numbers that are none of these; a picture without a known pixel.
    """
    if preferred.ndim != 3 or preferred.dtype != torch.bool:
        raise ValueError(f"preferred: expected bool (N, H, W), got {preferred.dtype} {tuple(preferred.shape)}")
    if known is not None and (known.shape != preferred.shape or known.dtype != torch.bool):
        raise ValueError(f"known: expected bool {tuple(preferred.shape)}, got {known.dtype} {tuple(known.shape)}")
    if count < 1:
        raise ValueError(f"count: expected at least 1 pixel, got {count}")
    if not 0 <= share < 1:
        raise ValueError(f"share: expected within [0, 1), got {share}")
    allowed = torch.ones_like(preferred) if known is None else known
    anywhere = allowed.flatten(1).double()
    total = anywhere.sum(1, keepdim=True)
    if bool((total == 0).any()):
        raise ValueError(f"known: expected a known pixel in every picture, got none in {int(total.argmin())}")
    special = (preferred & allowed).flatten(1).double()
    some = special.sum(1, keepdim=True)
    part = torch.where(some > 0, share, 0.0)
    chance = (1 - part) * anywhere / total + part * special / some.clamp_min(1)

    ladder = chance.cumsum(1)
    jitter = torch.rand((len(chance), count), generator=generator, device=generator.device, dtype=torch.float64)
    at = (torch.arange(count, device=chance.device) + jitter.to(chance.device)) / count * ladder[:, -1:]
    index = torch.searchsorted(ladder, at, right=True)
    last = (chance > 0).double().cumsum(1).argmax(1, keepdim=True)  # rounding may lead beyond the last possible pixel
    index = index.minimum(last)
    weights = 1 / (total * chance.gather(1, index))
    width = preferred.shape[2]
    pixels = torch.stack([index % width, index // width], -1).to(dtype) + 0.5
    return PixelSample(index, pixels, weights.to(dtype))
