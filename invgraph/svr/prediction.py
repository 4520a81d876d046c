"""From ordinary pictures to meshes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ..data.pictures import IMAGE_SUFFIXES, informative, read_image, read_mask
from ..errors import InputError
from ..geometry.mesh import Mesh
from .framing import Framed, Framing, frame_picture
from .model import ModelOptions, Reconstructor
from .picture_size import on_white, resized
from .refine import STEPS, can_refine, refined

FRAMING = "framing"
"""Where a checkpoint's description of its data keeps :meth:`Framing.plain`."""


class Reconstructs(Protocol):
    """What prediction and evaluation ask of a network: :class:`Reconstructor`, or a caller's own."""

    options: ModelOptions

    def encode(self, images: Tensor) -> Tensor: ...

    def reconstruct(self, images: Tensor) -> list[Mesh]: ...


def read_picture(path: str | os.PathLike[str], mask: str | os.PathLike[str] | None = None) -> Tensor:
    """A picture and its silhouette.

    Args:
        path: picture, of any size.
        mask: silhouette of that size; None: the picture's alpha channel.

    Returns:
        (H, W, 4) float32 straight RGBA in [0, 1].

    Raises:
        InputError: missing or broken files, sizes that differ, a picture without alpha and mask.
    """
    path = Path(path)
    color, alpha = read_image(path)
    if mask is not None:
        alpha = read_mask(Path(mask))
        if alpha.shape != color.shape[:2]:
            sizes = f"{alpha.shape[1]}x{alpha.shape[0]} pixels, its image {color.shape[1]}x{color.shape[0]}"
            raise InputError(f"{mask}: the mask is {sizes}")
    elif alpha is None or not informative(alpha):
        what = "has no alpha channel" if alpha is None else "has an alpha channel that is opaque everywhere"
        raise InputError(f"{path}: the picture {what} and no mask is given, so nothing tells the object from the rest")
    return torch.cat([color, alpha[..., None]], -1)


def find_mask(picture: Path, masks: Path) -> Path:
    """The mask of a picture: the file itself, or that of its name in a folder.

    Raises:
        InputError: there is none.
    """
    if not masks.is_dir():
        return masks
    names = [picture.name, *(f"{stem}{end}" for end in IMAGE_SUFFIXES for stem in (picture.stem, picture.name))]
    found = next((masks / name for name in names if (masks / name).is_file()), None)
    if found is None:
        raise InputError(f"{picture}: no mask of the name {picture.stem} in {masks}")
    return found


def framing_of(model: Reconstructs) -> Framing:
    """How the silhouettes of the network's training set lie in its pictures; that of the NMR set if it does not say."""
    values = getattr(model, "data", {}).get(FRAMING)
    return Framing() if values is None else Framing.from_plain(values)


def for_network(images: Tensor, options: ModelOptions) -> Tensor:
    """Pictures (B, 4, H, H), straight RGBA in [0, 1], as a network of these options takes them: (B, C, S, S).

    Pictures (B, 3, H, H) are on white, as those that networks of three channels learn from; for these, others are put
    on white too.

    Raises:
        InputError: a network of other channels than 1 (masks), 3 or 4, or one that needs alpha, and there is none.
    """
    channels = options.channels
    if channels not in (1, 3, 4):
        raise InputError(f"model: expected a network of 1, 3 or 4 channels, got one of {channels}")
    if images.shape[1] == 3 != channels:
        raise InputError(f"model: it takes pictures of {channels} channels with silhouettes, and these have none")
    if channels == 3:
        images = on_white(images)
    images = resized(images, options.image_size)
    return images[:, 3:] if channels == 1 else images


def predict(
    model: Reconstructor, pictures: Sequence[Tensor], *, batch: int = 32, refine: int = STEPS
) -> tuple[list[Mesh], list[Framed]]:
    """Reconstruct the objects of pictures.

    Args:
        model: a trained network.
        pictures: each (H, W, 4) straight RGBA in [0, 1], see :func:`read_picture`; sizes may differ.
        batch: pictures at a time.
        refine: see :func:`reconstructed`.

    Returns:
        Meshes in the canonical frame (x right, y up, z to the object's front, longest side about 1), and the pictures
        as the network saw them, with what is unlike its training set.

    Raises:
        InputError: a picture's silhouette is empty or full, with its number.
    """
    framing, framed = framing_of(model), []
    for i, picture in enumerate(pictures):
        try:
            framed.append(frame_picture(picture, framing, model.options.image_size))
        except InputError as error:
            raise InputError(f"pictures[{i}]: {error}") from None
    meshes: list[Mesh] = []
    for start in range(0, len(framed), batch):
        images = torch.stack([f.image for f in framed[start : start + batch]])
        meshes += reconstructed(model, images, refine)
    return meshes, framed


def reconstructed(model: Reconstructs, images: Tensor, refine: int = 0) -> list[Mesh]:
    """Meshes, on the CPU, of pictures in [0, 1]: (B, 4, H, H) straight RGBA, or (B, 3, H, H) on white.

    With ``refine`` steps they are brought to the pictures' silhouettes, where the network can
    (:func:`~invgraph.svr.refine.can_refine`).
    """
    images = for_network(images, model.options).to(_device(model))
    meshes = refined(model, images, refine) if refine and can_refine(model) else model.reconstruct(images)
    return [mesh.detach().to("cpu") for mesh in meshes]


def encoded(model: Reconstructs, images: Tensor) -> Tensor:
    """Codes (B, C), float32 on the CPU, of such pictures."""
    with torch.no_grad():
        codes = model.encode(for_network(images, model.options).to(_device(model)))
        return codes[:, : model.options.code_size].float().cpu()


def _device(model: object) -> torch.device:
    parameters = getattr(model, "parameters", lambda: iter(()))()
    return next((p.device for p in parameters), torch.device("cpu"))
