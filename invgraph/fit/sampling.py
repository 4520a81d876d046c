"""Which views a step looks at."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class ViewSampler:
    """Stratified mini-batches: every view once an epoch, and the views of a batch spread in direction.

    The views are ordered so that neighbours in the order look from similar directions, and cut into as many strata as
    a batch has places; each batch takes one random view of each stratum. Random batches would often see one side of
    the object only, and the other side would drift meanwhile.

    Args:
        positions: (N, 3) camera centres relative to the object.
        batch: views a step; N or more means all of them every time.
        generator: source of randomness, on the CPU.
    """

    def __init__(self, positions: Tensor, batch: int, generator: torch.Generator) -> None:
        if positions.ndim != 2 or positions.shape[1] != 3 or len(positions) == 0:
            raise ValueError(f"positions: expected (N, 3) with N >= 1, got {tuple(positions.shape)}")
        if batch < 1:
            raise ValueError(f"batch: expected at least 1, got {batch}")
        directions = torch.nn.functional.normalize(positions.detach().cpu().to(torch.float64), dim=1)
        batch = min(batch, len(positions))
        self._strata = torch.tensor_split(_by_direction(directions), batch)
        self._generator = generator
        self._epoch: list[Tensor] = []

    def next(self) -> Tensor:
        """(B,) indices of the next batch's views, ascending."""
        if not self._epoch:
            self._epoch = self._shuffled()
        return self._epoch.pop(0)

    def _shuffled(self) -> list[Tensor]:
        columns = [s[torch.randperm(len(s), generator=self._generator)] for s in self._strata]
        longest = max(len(c) for c in columns)
        return [torch.stack([c[i] for c in columns if i < len(c)]).sort().values for i in range(longest)]

    def state_dict(self) -> dict[str, Any]:
        """What remains of this epoch (the generator's state is the caller's)."""
        return {"epoch": [b.tolist() for b in self._epoch]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken."""
        self._epoch = [torch.tensor(b, dtype=torch.int64) for b in state["epoch"]]


def _by_direction(directions: Tensor) -> Tensor:
    """Order (N,) in which neighbours are close: halve along the widest axis until single views are left."""
    order = torch.arange(len(directions))

    def halve(part: Tensor) -> list[Tensor]:
        if len(part) <= 1:
            return [part]
        points = directions[part]
        axis = int((points.amax(0) - points.amin(0)).argmax())
        part = part[points[:, axis].argsort(stable=True)]
        middle = len(part) // 2
        return halve(part[:middle]) + halve(part[middle:])

    return torch.cat(halve(order))
