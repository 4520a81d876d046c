"""A data set of shapes on disk: a folder a model, in folders of categories, with lists of splits."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from ...atomic import write_atomically
from ...errors import InputError
from .binvox import load_binvox, save_binvox
from .npz import load_pointcloud, load_points, save_pointcloud, save_points
from .records import ShapeCloud, ShapePoints, Voxels
from .sampling import SampleOptions, ShapeSamples
from .shares import share_out, shuffled

POINTS, NEAR, CLOUD, VOXELS = "points.npz", "points_near.npz", "pointcloud.npz", "model.binvox"
FILES = (POINTS, NEAR, CLOUD, VOXELS)


class ShapeFolder:
    """Read a folder in the layout of Occupancy Networks.

    ``ROOT/CATEGORY/MODEL/`` or ``ROOT/MODEL/`` holds ``points.npz``, ``points_near.npz``, ``pointcloud.npz`` and
    ``model.binvox``, or some of them. ``ROOT/CATEGORY/SPLIT.lst`` or ``ROOT/SPLIT.lst`` names the models of a split,
    one a line. Files are opened when they are asked for.

    Args:
        root: the folder.
        split: name of a list, as "train", "val" or "test"; None takes every folder.
        categories: names of category folders; None takes all of them, in order of their names.
        marks: files or folders, any of which makes a folder that of a model.

    Raises:
        InputError: no such folder, category, list or model of a list; a list that names a model twice; or no models at
            all.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        split: str | None = None,
        categories: Sequence[str] | None = None,
        marks: Sequence[str] = FILES,
    ) -> None:
        self.root = Path(root)
        if not self.root.is_dir():
            raise InputError(f"{self.root}: no such folder of shapes")
        if categories is None:
            found = sorted(entry.name for entry in self.root.iterdir() if _holds_models(entry, marks))
            categories = [*([""] if _holds_models(self.root, marks) else []), *found]
        names: list[str] = []
        for category in categories:
            folder = self.root / category
            if not folder.is_dir():
                raise InputError(f"{self.root}: has no category {category!r}")
            models = _listed(folder, split) if split is not None else _found(folder, marks)
            names += [f"{category}/{model}" if category else model for model in models]
        if not names:
            raise InputError(f"{self.root}: expected folders of models with any of {', '.join(marks)}, got none")
        self.models: tuple[str, ...] = tuple(names)
        """Names of the models: "CATEGORY/MODEL" or "MODEL"."""

    def __len__(self) -> int:
        return len(self.models)

    def path(self, index: int) -> Path:
        """Folder of a model."""
        return self.root / self.models[index]

    def points(self, index: int, *, noise: float = 0.0, generator: torch.Generator | int | None = None) -> ShapePoints:
        """Points drawn uniformly; the arguments are those of :func:`load_points`."""
        return load_points(self.path(index) / POINTS, noise=noise, generator=generator)

    def near(self, index: int, *, noise: float = 0.0, generator: torch.Generator | int | None = None) -> ShapePoints:
        """Points drawn near the surface."""
        return load_points(self.path(index) / NEAR, noise=noise, generator=generator)

    def cloud(self, index: int) -> ShapeCloud:
        """Points of the surface, with normals."""
        return load_pointcloud(self.path(index) / CLOUD)

    def voxels(self, index: int) -> Voxels:
        """Voxels."""
        return load_binvox(self.path(index) / VOXELS)


def file_names(options: SampleOptions) -> tuple[str, ...]:
    """The files that a model gets with these options."""
    wanted = (options.points, options.near, options.cloud, options.voxels)
    return tuple(name for name, number in zip(FILES, wanted, strict=True) if number)


def save_samples(folder: str | os.PathLike[str], samples: ShapeSamples) -> None:
    """Write a model's folder; it is made if missing, and other files in it stay.

    Each file is written whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot make the folder ({error.strerror or error})") from error
    if samples.points is not None:
        save_points(folder / POINTS, samples.points)
    if samples.near is not None:
        save_points(folder / NEAR, samples.near)
    if samples.cloud is not None:
        save_pointcloud(folder / CLOUD, samples.cloud)
    if samples.voxels is not None:
        save_binvox(folder / VOXELS, samples.voxels)


def write_splits(root: str | os.PathLike[str], shares: Mapping[str, float], *, seed: int = 0) -> None:
    """Divide the models of each category at random, and write the lists ``NAME.lst``.

    Args:
        root: folder of the data set.
        shares: part of the models by name of the split; scaled to a sum of 1.
        seed: same seed and models, same lists.

    Raises:
        ValueError: no shares, or negative ones.
        InputError: no models, or a folder that cannot be written.
    """
    total = sum(shares.values())
    if not all(share >= 0 for share in shares.values()) or not 0 < total < float("inf"):
        raise ValueError(f"shares: expected numbers not below 0 with a sum above 0, got {dict(shares)}")
    everything = ShapeFolder(root)
    by_folder: dict[Path, list[str]] = {}
    for index, name in enumerate(everything.models):
        by_folder.setdefault(everything.path(index).parent, []).append(name)
    for folder, names in by_folder.items():
        names = shuffled(names, seed)
        for split, part in zip(shares, share_out(len(names), list(shares.values())), strict=True):
            lines = sorted(Path(names[i]).name for i in part)
            write_atomically(folder / f"{split}.lst", "".join(f"{line}\n" for line in lines).encode())


def _holds_models(folder: Path, marks: Sequence[str]) -> bool:
    """Whether some folder in this one is a model's."""
    return folder.is_dir() and any(_is_model(entry, marks) for entry in folder.iterdir())


def _is_model(folder: Path, marks: Sequence[str]) -> bool:
    return any((folder / name).exists() for name in marks)


def _found(folder: Path, marks: Sequence[str]) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if _is_model(entry, marks))


def _listed(folder: Path, split: str) -> list[str]:
    path = folder / f"{split}.lst"
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such list of models") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a readable list of models ({type(error).__name__})") from error
    models = [line for line in lines if line]
    known: set[str] = set()
    for model in models:
        if model in known:
            raise InputError(f"{path}: names the model {model!r} twice")
        known.add(model)
        if "/" in model or model in (".", ".."):
            raise InputError(f"{path}: expected names of folders beside it, got {model!r}")
        if not (folder / model).is_dir():
            raise InputError(f"{path}: names the model {model!r}, which is not there")
    return models
