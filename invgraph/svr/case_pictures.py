"""Reconstructions beside what was seen and what is true."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras import Cameras
from ..data.image_sets import ImageSet
from ..geometry.mesh import Mesh
from ..viz import shaded
from .picture_size import with_alpha
from .prediction import Reconstructs, reconstructed
from .surfaces import Surfaces

SIDE = 192
_TURN = 3  # a third of the views on, 120 degrees in the NMR pictures: shows what the picture does not


def case_pictures(
    model: Reconstructs, data: ImageSet, surfaces: Surfaces, shape: int, view: int, *, refine: int = 0
) -> list[tuple[str, Tensor]]:
    """Pictures (SIDE, SIDE, 4), with captions: the input, then network and truth, as seen there and from behind."""
    seen = data.images(shape, view).movedim(-1, 0)[None].float() / 255
    mesh = reconstructed(model, seen, refine)[0]
    cameras = data.cameras_of(shape, [view, (view + data.num_views // _TURN) % data.num_views])
    pred, truth = drawn(mesh, cameras), drawn(plain(surfaces[shape]), cameras)
    return [
        ("input", enlarged(with_alpha(seen)[0].movedim(0, -1))),
        ("network", pred[0]),
        ("truth", truth[0]),
        ("network, turned", pred[1]),
        ("truth, turned", truth[1]),
    ]


def drawn(mesh: Mesh, cameras: Cameras, side: int = SIDE) -> Tensor:
    """(N, side, side, 4) shaded pictures from cameras; empty ones of an empty mesh."""
    if mesh.num_faces == 0:
        return torch.zeros(len(cameras), side, side, 4)
    return shaded(mesh, cameras.resize((side, side)))


def plain(mesh: Mesh) -> Mesh:
    """The surface alone, so that both are seen in the same clay."""
    return mesh.with_appearance(None)


def enlarged(picture: Tensor, side: int = SIDE) -> Tensor:
    """A small picture (H, H, C) with its pixels to be seen, at (side, side, C)."""
    return torch.nn.functional.interpolate(picture.movedim(-1, 0)[None], (side, side), mode="nearest")[0].movedim(0, -1)
