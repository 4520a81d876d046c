"""The edges of a body-centred cubic lattice that a surface crosses, numbered without sorting."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from .cell import corner_of_cells, strides

OCTANTS = 8
"""Edges that a middle owns: to the corners of its cell, number ``4 x + 2 y + z``, then to the next middles along x, y
and z. A corner owns those to the next corners along x, y and z."""


class LatticeEdges:
    """Which edges change sign: a bit an edge at the node that owns it, and a running number of the edges before.

    Args:
        corners: (X+1, Y+1, Z+1) bool: which corners of the cells are inside; none on the box.
        middles: (X, Y, Z) bool: which middles of the cells are.
    """

    def __init__(self, corners: Tensor, middles: Tensor) -> None:
        corner_bits = _along_axes(corners, 0)
        middle_bits = _along_axes(middles, OCTANTS)
        for octant in range(OCTANTS):
            middle_bits |= (middles ^ corner_of_cells(corners, octant)).to(torch.int16) << octant
        self._bits = torch.cat([corner_bits.view(-1), middle_bits.view(-1)]).int()
        rank, count = _ranks(corners.device)
        self._rank = rank.view(-1)
        counts = count.index_select(0, self._bits)
        self._first = counts.cumsum(0, dtype=torch.int32) - counts
        self._cells = tuple(middles.shape)
        self._num_corners = corners.numel()

    def number(self, owners: Tensor, edges: Tensor) -> Tensor:
        """Numbers of edges, by the nodes that own them and which of the node's edges they are (broadcast)."""
        bits = self._bits[owners]
        return self._first[owners] + self._rank[bits * (OCTANTS + 3) + edges]

    @property
    def ends(self) -> Tensor:
        """(X, 2) int64 nodes at the ends of the edges, in the order of their numbers."""
        owners = self._bits.nonzero()[:, 0]
        which = torch.arange(OCTANTS + 3, device=owners.device)
        at, edge = (self._bits[owners][:, None] >> which & 1).nonzero().unbind(1)
        owner = owners[at]
        return torch.stack([owner, self._other_end(owner, edge)], 1)

    def _other_end(self, owner: Tensor, edge: Tensor) -> Tensor:
        _, y, z = self._cells
        step = strides(self._cells, owner.device)
        corner_step = strides([n + 1 for n in self._cells], owner.device)
        is_corner = owner < self._num_corners
        axis = torch.where(is_corner, edge, edge - OCTANTS).clamp(0, 2)
        next_one = owner + torch.where(is_corner, corner_step[axis], step[axis])
        cell = owner - self._num_corners
        place = torch.stack([cell // (y * z), cell // z % y, cell % z], 1)
        octant = torch.stack([edge >> 2 & 1, edge >> 1 & 1, edge & 1], 1)
        corner = ((place + octant) * corner_step).sum(1)
        return torch.where(~is_corner & (edge < OCTANTS), corner, next_one)


def _along_axes(inside: Tensor, first: int) -> Tensor:
    """int16 bits ``first`` + d: the node differs from the next along axis d."""
    bits = torch.zeros(inside.shape, dtype=torch.int16, device=inside.device)
    for d in range(3):
        length = inside.shape[d] - 1
        differs = inside.narrow(d, 0, length) ^ inside.narrow(d, 1, length)
        bits.narrow(d, 0, length).bitwise_or_(differs.to(torch.int16) << first + d)
    return bits


@lru_cache(maxsize=8)
def _ranks(device: torch.device) -> tuple[Tensor, Tensor]:
    """For each set of bits: (2048, 11) the bits set below each bit, and (2048,) the bits set."""
    bits = torch.arange(1 << (OCTANTS + 3))[:, None] >> torch.arange(OCTANTS + 3) & 1
    return (bits.cumsum(1) - bits).to(device), bits.sum(1).to(device, torch.int32)
