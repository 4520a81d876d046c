"""One made shape: a class, a seed and a number give a closed, coloured mesh in the unit cube."""

from __future__ import annotations

import hashlib

import numpy as np
import torch

from ...geometry.appearance import FaceColors
from ...geometry.mesh import Mesh
from .classes import SYNSETS, builders


def make_shape(name: str, index: int, *, seed: int = 0) -> Mesh:
    """Put together a shape.

    Args:
        name: class, one of :data:`SYNSETS`.
        index: number of the shape. Different numbers, and different seeds, give different shapes.
        seed: of the data set.

    Returns:
        Mesh, float32, closed, with :class:`FaceColors`; its bounding box is centred at the origin and its longest side
        is 1; x right, y up, z to the front.

    Raises:
        ValueError: no such class.
        ImportError: manifold3d is not installed.
    """
    if name not in SYNSETS:
        raise ValueError(f"name: expected one of {', '.join(SYNSETS)}, got {name!r}")
    build = builders()[name]
    from .parts import Dice

    verts, faces, colours = build(Dice(np.random.default_rng(shape_seed(name, index, seed)))).surface()
    low, high = verts.min(0), verts.max(0)
    verts = (verts - 0.5 * (low + high)) / (high - low).max()
    return Mesh(torch.from_numpy(verts).float(), torch.from_numpy(faces), FaceColors(torch.from_numpy(colours)))


def shape_seed(name: str, index: int, seed: int) -> int:
    """Seed of a shape's random numbers, which does not depend on the shapes beside it."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}/{index}".encode()).digest()[:8], "big")
