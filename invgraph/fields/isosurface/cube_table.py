"""Tables of dual marching cubes, derived by following the surface around each cube."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .cell import EDGES, FACES


class CubeTable(NamedTuple):
    """How the surface passes through a cube: bit n of a case says that corner n is inside.

    A face whose corners are inside and outside in turn can be crossed in two ways. In cases 0 to 255 all are crossed so
    that the corners inside are apart. A surface that comes back to such a face (its ``problem``, at most one a cube)
    from both sides would have two sheets on one edge of the dual mesh; then both cubes take the case plus 256, in which
    that face is crossed the other way, and which divides the surface in two on either side. (In FlexiCubes, Shen et al.
    2023, these are the cases C16 and C19.)
    """

    patch: Tensor
    """(512, 12) which of the cube's patches of surface crosses an edge, 0 to 3; -1: none."""

    num_patches: Tensor
    """(512,) number of patches."""

    problem: Tensor
    """(256,) face that one patch crosses twice, or -1."""


@lru_cache(maxsize=8)
def cube_table(device: torch.device) -> CubeTable:
    """The table, made once for each device."""
    plain = [_patches(case, None) for case in range(256)]
    problems = [_problem(case, patch) for case, patch in enumerate(plain)]
    turned = [_patches(case, face if face >= 0 else None) for case, face in enumerate(problems)]
    patch = torch.tensor(plain + turned)
    tables = patch, patch.amax(1) + 1, torch.tensor(problems)
    return CubeTable(*(table.to(device) for table in tables))


def _crossed(case: int) -> list[bool]:
    return [(case >> a & 1) != (case >> b & 1) for a, b in EDGES]


def _face_edges(face: int) -> list[int]:
    """Edges around a face: edge n runs from corner n of the face to the next."""
    ring = FACES[face]
    number = {frozenset(ends): edge for edge, ends in enumerate(EDGES)}
    return [number[frozenset((ring[n], ring[(n + 1) % 4]))] for n in range(4)]


def _patches(case: int, turned: int | None) -> list[int]:
    """Patch of each edge; ``turned``: the face that is crossed the other way."""
    crossed = _crossed(case)
    label = [edge if crossed[edge] else -1 for edge in range(12)]
    for face, ring in enumerate(FACES):
        edges = _face_edges(face)
        cut = [edge for edge in edges if crossed[edge]]
        pairs = [tuple(cut)] if len(cut) == 2 else []
        if len(cut) == 4:  # the surface goes around corners n and n + 2: those inside, or those outside if turned
            around = [n for n in range(4) if bool(case >> ring[n] & 1) != (face == turned)]
            pairs = [(edges[n - 1], edges[n]) for n in around]
        for a, b in pairs:
            label = [label[a] if x == label[b] else x for x in label]
    names = sorted(set(label) - {-1})
    return [names.index(x) if x >= 0 else -1 for x in label]


def _problem(case: int, patch: list[int]) -> int:
    crossed = _crossed(case)
    twice = [
        face
        for face in range(6)
        if all(crossed[edge] for edge in _face_edges(face)) and len({patch[edge] for edge in _face_edges(face)}) == 1
    ]
    assert len(twice) <= 1, "crossing a face the other way would not divide the surface"
    return twice[0] if twice else -1
