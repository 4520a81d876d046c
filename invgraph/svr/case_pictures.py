"""Reconstructions beside what was seen and what is true."""

from __future__ import annotations

import torch
from torch import Tensor

from ..data.image_sets import NmrShapes, nmr_cameras
from ..geometry.mesh import Mesh
from ..viz import shaded
from .predict import Reconstructs, reconstructed
from .surfaces import Surfaces

SIDE = 192
_TURN = 8  # views, 120 degrees: shows what the picture does not


def case_pictures(
    model: Reconstructs, data: NmrShapes, surfaces: Surfaces, shape: int, view: int
) -> list[tuple[str, Tensor]]:
    """Pictures (SIDE, SIDE, 4), with captions: the input, then network and truth, as seen there and from behind."""
    seen = data.images(shape, view).float() / 255
    mesh = reconstructed(model, seen.movedim(-1, 0)[None])[0]
    views = [view, (view + _TURN) % data.num_views]
    pred, truth = drawn(mesh, views), drawn(plain(surfaces[shape]), views)
    return [
        ("input", enlarged(seen)),
        ("network", pred[0]),
        ("truth", truth[0]),
        ("network, turned", pred[1]),
        ("truth, turned", truth[1]),
    ]


def drawn(mesh: Mesh, views: list[int], side: int = SIDE) -> Tensor:
    """(N, side, side, 4) shaded pictures from cameras of the data set; empty ones of an empty mesh."""
    if mesh.num_faces == 0:
        return torch.zeros(len(views), side, side, 4)
    return shaded(mesh, nmr_cameras(views, image_size=side))


def plain(mesh: Mesh) -> Mesh:
    """The surface alone, so that both are seen in the same clay."""
    return mesh.with_appearance(None)


def enlarged(picture: Tensor, side: int = SIDE) -> Tensor:
    """A small picture (H, H, C) with its pixels to be seen, at (side, side, C)."""
    return torch.nn.functional.interpolate(picture.movedim(-1, 0)[None], (side, side), mode="nearest")[0].movedim(0, -1)
