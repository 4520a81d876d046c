"""Whether a data set is fit for learning: splits that share their classes and no shapes."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from ...errors import InputError
from .synsets import class_name

SHARED = 0.02
"""Share of a split's shapes that may be in another: ShapeNet holds some models twice."""


class HasDigests(Protocol):
    """A data set that can tell its shapes apart."""

    def digests(self) -> Sequence[Hashable]: ...


class HasClasses(Protocol):
    """A data set that knows its classes."""

    @property
    def classes(self) -> Sequence[str]: ...


def check_classes(splits: Mapping[str, HasClasses]) -> None:
    """Compare the classes of splits, given by name.

    Raises:
        InputError: one has shapes of a class, and another has none.
    """
    for name, data in splits.items():
        for other, lacks in splits.items():
            alone = [class_name(synset) for synset in data.classes if synset not in lacks.classes]
            if alone:
                raise InputError(f"classes: of {', '.join(alone)} there are shapes in {name!r}, and none in {other!r}")


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
