"""A trained network on disk, which is safe to read whoever wrote it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .. import __version__
from ..checkpoint import VERSION, load_checkpoint, save_checkpoint
from ..errors import InputError
from .model import CUSTOM, ModelOptions, Reconstructor

_KEY = "reconstructor"
_TIED = 2  # times that a file may count a number: some networks have the same weights in two places


def model_entry(
    model: Reconstructor, *, data: Mapping[str, Any] | None = None, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What makes a training's checkpoint readable by :func:`load_model`: ``checkpoint.update(model_entry(model))``.

    Tensors are those of the model, not copies: a file that holds them elsewhere too keeps them once.

    Args:
        model: the network.
        data: what it is trained on; None: what the model says already.
        extra: what else to keep; None: what the model says already.
    """
    entry = {
        "code_version": __version__,
        "options": asdict(model.options),
        "data": dict(model.data if data is None else data),
        "extra": dict(model.extra if extra is None else extra),
        "weights": model.state_dict(),
    }
    return {"version": VERSION, _KEY: entry}


def save_model(
    path: str | os.PathLike[str],
    model: Reconstructor,
    *,
    data: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a network, whole or not at all: weights, options, the code's version, and what it was trained on.

    Args:
        path: file to (re)place.
        model: the network.
        data: description of the training set: numbers, strings, tensors and containers of them. None: ``model.data``.
        extra: anything else of these kinds. None: ``model.extra``.

    Raises:
        InputError: the file cannot be written.
        TypeError: ``data`` or ``extra`` hold what :func:`load_model` would not read.
    """
    entry = model_entry(model, data=data, extra=extra)
    for name in ("data", "extra"):
        _check_plain(entry[_KEY][name], name)
    save_checkpoint(path, entry)


def load_model(path: str | os.PathLike[str], *, encoder: nn.Module | None = None) -> Reconstructor:
    """Read a network from what :func:`save_model` wrote, or from a training's checkpoint; on the CPU, to be evaluated.

    No code that the file may hold is run, nothing is downloaded, and no more memory is taken than the file's size
    tells: the network is only made once the weights are known to be those of its options.

    Args:
        path: the file.
        encoder: the module of a network whose encoder was the caller's own.

    Returns:
        The network in evaluation mode, with its ``options``, ``data`` and ``extra``.

    Raises:
        InputError: no such file, not one of a network, truncated, compressed; written by another version of the
            options; weights that do not fit them, are not finite or are not there in full.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    _check_stored(path)
    state = load_checkpoint(path).get(_KEY)
    if not isinstance(state, dict) or not {"code_version", "options", "data", "extra", "weights"} <= set(state):
        raise InputError(f"{path}: a checkpoint, but not of a single-view network")
    written = f"written by invgraph {state['code_version']}, this is {__version__}"
    for name in ("data", "extra", "weights"):
        if not isinstance(state[name], dict):
            raise InputError(f"{path}: its {name} are {type(state[name]).__name__}, expected a dictionary")
    options = _options(path, state["options"], written)
    if (options.encoder == CUSTOM) != (encoder is not None):
        needs = "was trained with an encoder of its own: pass it as encoder=" if encoder is None else "has its own"
        raise InputError(f"{path}: the network {needs} (its options name the encoder {options.encoder!r})")
    try:
        with _Unallocated():
            expected = Reconstructor(options, encoder).state_dict()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except ValueError as error:
        raise InputError(f"{path}: {error} ({written})") from error
    _check_weights(path, options, expected, state["weights"], written)
    model = Reconstructor(options, encoder)
    with torch.no_grad():
        model.load_state_dict(state["weights"])
    model.data, model.extra = dict(state["data"]), dict(state["extra"])
    return model.eval()


def _options(path: Path, found: Any, written: str) -> ModelOptions:
    names = {field.name for field in fields(ModelOptions)}
    if not isinstance(found, dict):
        raise InputError(f"{path}: its options are {type(found).__name__}, expected a dictionary")
    for name in found:  # one that is missing is younger than the file, and its default is what was done before
        if name not in names:
            raise InputError(f"{path}: has a model option that is not known here: {name!r} ({written})")
    try:
        return ModelOptions(**found)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error} ({written})") from error


class _Unallocated(TorchFunctionMode):
    """Within it the weights of torch's layers have shapes and no memory: they alone ask for ``empty(device=None)``."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and "device" in kwargs and kwargs["device"] is None:
            kwargs = {**kwargs, "device": "meta"}
        return func(*args, **kwargs)


def _check_stored(path: Path) -> None:
    """Refuse an archive that unpacks to more than it is; torch writes none."""
    try:
        with zipfile.ZipFile(path) as archive:
            compressed = any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        return  # load_checkpoint says what is wrong
    if compressed:
        raise InputError(f"{path}: not a readable checkpoint (compressed)")


def _check_weights(path: Path, options: ModelOptions, own: dict[str, Tensor], found: Any, written: str) -> None:
    """Say how the weights differ from those of the architecture that the options name."""
    kind = f"a network of encoder {options.encoder!r} and decoder {options.decoder!r}"
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path}: its weights are not tensors by name")
    missing, more = [sorted(a.keys() - b.keys()) for a, b in ((own, found), (found, own))]
    if missing or more:
        first = f"lack {missing[0]!r}" if missing else f"hold {more[0]!r}"
        count = f"{len(missing)} missing, {len(more)} unexpected"
        raise InputError(f"{path}: its weights are not those of {kind}: they {first} ({count}; {written})")
    for name, value in own.items():
        if found[name].shape != value.shape:
            got, expected = tuple(found[name].shape), tuple(value.shape)
            raise InputError(f"{path}: weight {name!r} has shape {got}, {kind} has {expected} ({written})")
    # a tensor may claim more numbers than its file has, by strides of 0 or memory that it shares
    held = {value.untyped_storage().data_ptr(): value.untyped_storage().nbytes() for value in found.values()}
    claimed = sum(value.numel() * value.element_size() for value in found.values())
    if claimed > _TIED * sum(held.values()):
        raise InputError(f"{path}: holds {sum(held.values()):,} bytes of weights and claims {claimed:,}")
    for name, value in found.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise InputError(f"{path}: weight {name!r} has numbers that are not finite")


def _check_plain(value: Any, name: str) -> None:
    """Refuse what cannot be read back without running code."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int)):
                raise TypeError(f"{name}: expected keys that are strings or numbers, got {key!r}")
            _check_plain(item, f"{name}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for k, item in enumerate(value):
            _check_plain(item, f"{name}[{k}]")
    elif type(value) not in (str, int, float, bool, type(None)) and not isinstance(value, Tensor):
        raise TypeError(f"{name}: expected numbers, strings, tensors and containers, got {type(value).__name__}")
