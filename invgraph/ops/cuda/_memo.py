"""What is known of a tensor's contents, for as long as the tensor lives and is not written to.

Faces and edges are the same tensors in every step of a fit. That their indices are within bounds, which takes a wait
for the device, and the order of their corners, which takes a sort, are found once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

_known: Any = WeakTensorKeyDictionary()  # tensor -> (version, {key: fact})


def remembered(tensor: Tensor, key: Hashable, compute: Callable[[], Any]) -> Any:
    """``compute()``, or what it gave for this key and tensor before, if the tensor is unchanged since."""
    if tensor.is_inference():  # its version is not counted
        return compute()
    version, facts = _known.get(tensor, (-1, {}))
    if version != tensor._version:
        facts = {}
        _known[tensor] = (tensor._version, facts)
    if key not in facts:
        facts[key] = compute()
    return facts[key]


def corner_order(index: Tensor, groups: int) -> tuple[Tensor, Tensor]:
    """The corners of each of ``groups`` points, in the order of ``index`` (flattened): those of point ``g`` are
    ``order[begin[g] : begin[g + 1]]``. Both int64.
    """

    def sort() -> tuple[Tensor, Tensor]:
        point, order = torch.sort(index.flatten(), stable=True)
        return order, torch.searchsorted(point, torch.arange(groups + 1, device=index.device))

    if index.device.type != "cuda":
        return remembered(index, ("corners", groups), sort)
    if torch.cuda.is_current_stream_capturing():  # a graph's memory is its own
        return sort()
    stream = torch.cuda.current_stream(index.device).cuda_stream  # what another stream sorted may not be there yet
    return remembered(index, ("corners", groups, stream), sort)
