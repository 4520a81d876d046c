"""Which pictures are asked for: shapes and views, as indices that are broadcast against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Index = Tensor | Sequence[int] | int


@dataclass(frozen=True)
class Chosen:
    """Pairs of a shape and a view, in order, and the shape of the array that they came in."""

    shapes: list[int]
    views: list[int]
    size: torch.Size

    def __len__(self) -> int:
        return len(self.shapes)


def chosen(shapes: Index, views: Index | None, count: int, num_views: int) -> Chosen:
    """Broadcast indices of shapes and of views; ``views`` None is all of them, on a last axis of its own.

    Raises:
        IndexError: indices out of range.
    """
    index = torch.as_tensor(shapes).cpu()
    if views is None:
        index, view = index[..., None], torch.arange(num_views)
    else:
        view = torch.as_tensor(views).cpu()
    index, view = torch.broadcast_tensors(index, view)
    for name, values, size in (("shapes", index, count), ("views", view, num_views)):
        wrong = values[(values < 0) | (values >= size)]
        if len(wrong):
            raise IndexError(f"{name}: expected indices from 0 to {size - 1}, got {int(wrong[0])}")
    return Chosen(index.flatten().tolist(), view.flatten().tolist(), index.shape)
