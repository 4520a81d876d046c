"""Whether a data set is fit for learning: splits that share no shapes."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from ...errors import InputError

SHARED = 0.02
"""Share of a split's shapes that may be in another: ShapeNet holds some models twice."""


class HasDigests(Protocol):
    """A data set that can tell its shapes apart."""

    def digests(self) -> Sequence[Hashable]: ...


def check_splits(splits: Mapping[str, HasDigests]) -> None:
    """Compare each shape of each split with those of the others. Reads a picture and the voxels of every shape.

    Args:
        splits: data sets by the name of their split.

    Raises:
        InputError: over 2% of a split's shapes are in another split.

    Warns:
        Fewer are.
    """
    known = {name: data.digests() for name, data in splits.items()}
    names = list(known)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            common = set(known[first]) & set(known[second])
            if not common:
                continue
            small = min(first, second, key=lambda name: len(known[name]))
            count = sum(digest in common for digest in known[small])
            told = f"splits: {count} of {len(known[small])} shapes of {small!r} are in both {first!r} and {second!r}"
            if count > SHARED * len(known[small]):
                raise InputError(told)
            warnings.warn(told, stacklevel=2)
