"""Weights that were trained elsewhere, for another task or other pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import InputError

_NESTED = ("state_dict", "model")  # under which others keep the weights, beside more
_HEADS = ("fc", "head", "classifier", "heads")
_POSITIONS = "pos_embed"


def load_pretrained(encoder: nn.Module, path: str | os.PathLike[str]) -> None:
    """Load weights into an encoder; see :func:`~invgraph.svr.make_encoder`.

    What may differ: the last layer (``fc``, ``head``, ``classifier``) is left as it is if its size does not fit;
    channels that the file's first convolution lacks get weights of 0; the positions of a vision transformer are
    resampled to other numbers of patches. All else must fit.

    Raises:
        InputError: the file cannot be read, or does not fit, with the first name that does not.
    """
    path = Path(path)
    found, own = _read(path), encoder.state_dict()
    fitted = {name: _fit(name, found[name], value) for name, value in own.items() if name in found}
    for name, value in own.items():
        if name in fitted and fitted[name].shape == value.shape:
            continue
        if name.split(".")[0] in _HEADS:
            fitted[name] = value
        elif name not in fitted:
            if name.endswith("num_batches_tracked"):  # weights older than the counter
                fitted[name] = value
                continue
            some = next(iter(found), "nothing")
            raise InputError(f"{path}: holds no {name!r}, which {type(encoder).__name__} needs (but {some!r})")
        else:
            got = tuple(found[name].shape)
            raise InputError(f"{path}: {name!r} has shape {got}, expected {tuple(value.shape)}")
    encoder.load_state_dict(fitted)


def _read(path: Path) -> dict[str, Tensor]:
    """Tensors by name."""
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: Any = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except ImportError as error:
        raise InputError(f"{path}: safetensors is not installed (pip install safetensors)") from error
    except Exception as error:  # many kinds, for a truncated or foreign file
        raise InputError(f"{path}: not a readable file of weights ({type(error).__name__})") from error
    for key in _NESTED:
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path}: expected a state dict, tensors by name")
    return {name.removeprefix("module."): value for name, value in found.items()}


def _fit(name: str, found: Tensor, own: Tensor) -> Tensor:
    """``found`` in the shape of ``own`` where there is a way, otherwise as it is."""
    if found.shape == own.shape:
        return found
    same_filters = found.ndim == own.ndim == 4 and found.shape[0] == own.shape[0] and found.shape[2:] == own.shape[2:]
    if same_filters and found.shape[1] < own.shape[1]:
        missing = found.new_zeros(len(own), own.shape[1] - found.shape[1], *own.shape[2:])
        return torch.cat([found, missing], 1)
    if name == _POSITIONS and found.ndim == own.ndim == 3 and found.shape[2] == own.shape[2]:
        token, old = found[:, :1], found[:, 1:]
        side, wanted = (int((x.shape[1] - 1) ** 0.5) for x in (found, own))
        if side**2 == old.shape[1] and wanted**2 == own.shape[1] - 1:
            plane = old.transpose(1, 2).unflatten(2, (side, side))
            plane = interpolate(plane, size=(wanted, wanted), mode="bicubic", align_corners=False)
            return torch.cat([token, plane.flatten(2).transpose(1, 2)], 1)
    return found
