"""Shapes shared out among splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

SPLITS = ("train", "val", "test")


def check_shares(shares: Sequence[float]) -> None:
    """Refuse what cannot be the shares of train, val and test.

    Raises:
        ValueError: not three of them, one that is negative or not finite, or none above 0.
    """
    if len(shares) != len(SPLITS) or not min(shares) >= 0 or not 0 < sum(shares) < float("inf"):
        raise ValueError(f"split: expected three shares not below 0 with a sum above 0, got {tuple(shares)}")


def share_out(count: int, shares: Sequence[float]) -> list[range]:
    """Consecutive parts of ``range(count)``, as large as the shares say; they are scaled to a sum of 1."""
    parts, begin, so_far = [], 0, 0.0
    for share in shares:
        so_far += share / sum(shares)
        end = round(count * so_far)
        parts.append(range(begin, end))
        begin = end
    return parts


def shuffled(names: Iterable[str], seed: int) -> list[str]:
    """Names in an order that depends on themselves and the seed alone: not on a file system, say."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())
