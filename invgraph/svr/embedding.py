"""Codes in the plane."""

from __future__ import annotations

import importlib.util

import torch
from torch import Tensor


def require_tsne() -> None:
    """Raise ImportError, with what to do, unless scikit-learn is installed."""
    if importlib.util.find_spec("sklearn") is None:
        raise ImportError("t-SNE needs scikit-learn (pip install '.[train]'); --codes 0 leaves it out")


def embed(codes: Tensor, *, seed: int = 0) -> Tensor:
    """t-SNE (van der Maaten and Hinton, JMLR 2008) of codes, from their principal axes.

    Args:
        codes: (N, C) finite.
        seed: the same seed gives the same picture.

    Returns:
        (N, 2) float64 within the unit square.

    Raises:
        ImportError: scikit-learn is not installed.
    """
    require_tsne()
    from sklearn.manifold import TSNE

    if codes.ndim != 2 or not bool(codes.isfinite().all()):
        raise ValueError(f"codes: expected finite values of shape (N, C), got {tuple(codes.shape)}")
    x = codes.double()
    x = x - x.mean(0) if len(x) else x
    if len(x) > 3 and bool((x.abs() > 1e-12).any()):
        perplexity = min(30.0, (len(x) - 1) / 3)
        method = TSNE(perplexity=perplexity, init="pca" if x.shape[1] > 1 else "random", random_state=seed)
        place = torch.from_numpy(method.fit_transform((x / x.std()).numpy())).double()
    else:  # too few, or all alike
        place = torch.zeros(len(x), 2, dtype=torch.float64)
        place[:, 0] = torch.arange(len(x))
    if not len(place):
        return place
    low, extent = place.amin(0), (place.amax(0) - place.amin(0)).amax().clamp_min(1e-9)
    place = (place - low) / extent
    return place + (1 - place.amax(0)) / 2
