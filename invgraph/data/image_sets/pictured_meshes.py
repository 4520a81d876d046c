"""Mesh files to a data set in pictures, in the format of the SoftRas/NMR ShapeNet files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from ...errors import InputError
from ..shapes.shares import SPLITS, check_shares, share_out, shuffled
from .nmr_writer import PicturesReport, write_nmr

if TYPE_CHECKING:
    from ...geometry import Mesh

Up = Literal["y", "z"]
CLASS = "shapes"  # of meshes that are in no folder


@dataclass(frozen=True)
class PictureOptions:
    """How meshes are drawn and divided."""

    up: Up = "y"
    """The axis that points up in the files. The front is towards z where it is y, and towards -y where it is z."""
    split: tuple[float, float, float] = (0.7, 0.1, 0.2)
    """Shares of train, val and test in each class."""
    points: int = 10_000
    """Points of each shape with their occupancies, for 3D supervision; 0 for none."""
    seed: int = 0
    """Of the division, and of the points."""

    def __post_init__(self) -> None:
        if self.up not in get_args(Up):
            raise ValueError(f"up: expected 'y' or 'z', got {self.up!r}")
        check_shares(self.split)
        if not 0 <= self.points <= 1_000_000:
            raise ValueError(f"points: expected 0 to 1,000,000, got {self.points}")


@dataclass(frozen=True)
class MeshFile:
    """A shape of a data set in pictures, as it lies in a file."""

    name: str
    path: Path
    up: Up
    of_set: int

    @property
    def seed(self) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.of_set}/{self.name}".encode()).digest()[:7], "big")

    def mesh(self) -> Mesh:
        from ...geometry.files import load_mesh
        from ..shapes import unit_cube

        mesh = load_mesh(self.path)
        _, loc, scale = unit_cube(mesh)
        verts = ((mesh.verts.double() - loc) / scale).float()
        if self.up == "z":
            verts = verts[:, [0, 2, 1]] * verts.new_tensor([1.0, 1.0, -1.0])
        return mesh.with_verts(verts)


def picture_meshes(
    meshes: Mapping[str, str | os.PathLike[str]],
    out: str | os.PathLike[str],
    options: PictureOptions | None = None,
    *,
    workers: int = 1,
    progress: Callable[[PicturesReport, int], None] | None = None,
) -> PicturesReport:
    """Draw mesh files and write ``{CLASS}_{SPLIT}_images.npz``, ``_voxels.npz`` and ``_points.npz``.

    Each mesh is put into the unit cube by its bounding box (longest side 1), turned upright, and drawn as
    :func:`nmr_pictures` does, with its colours or texture. Voxels and occupancies are of what its surface encloses by
    winding number, so that open and self-intersecting meshes work. A file that cannot be read or drawn is reported, and
    its class is written without it. What is asked for twice with the same meshes goes on, as in :func:`make_shapes`.

    Args:
        meshes: mesh files by name, "CLASS/MODEL", or "MODEL" for the class "shapes"; see :func:`find_meshes`.
        out: folder; made if missing. Files that are there already are taken as finished.
        options: :class:`PictureOptions`, the default ones if None.
        workers, progress: as in :func:`make_shapes`.

    Raises:
        ValueError: ``workers`` below 1.
        InputError: a folder that cannot be written; a class of fewer meshes than splits; names of another form.
    """
    options = options or PictureOptions()
    plan = planned(meshes, options)
    return write_nmr(Path(out), plan, options.points, batch=1, workers=workers, progress=progress)


def planned(
    meshes: Mapping[str, str | os.PathLike[str]], options: PictureOptions
) -> dict[tuple[str, str], list[MeshFile]]:
    """The meshes of each class and split, in the order of their names; errors as of :func:`picture_meshes`."""
    classes: dict[str, list[str]] = {}
    for name in meshes:
        classes.setdefault(class_of(name), []).append(name)
    plan: dict[tuple[str, str], list[MeshFile]] = {}
    for kind, names in sorted(classes.items()):
        names = shuffled(names, options.seed)
        for split, part in zip(SPLITS, _parts(kind, len(names), options.split), strict=True):
            files = [MeshFile(names[i], Path(meshes[names[i]]), options.up, options.seed) for i in part]
            if files:
                plan[kind, split] = sorted(files, key=lambda file: file.name)
    return plan


def class_of(name: str) -> str:
    """The class of a mesh of this name.

    Raises:
        InputError: neither "CLASS/MODEL" nor "MODEL".
    """
    kind, _, model = name.rpartition("/")
    if not model or "/" in kind or kind in (".", ".."):
        raise InputError(f"mesh name {name!r}: expected CLASS/MODEL or MODEL")
    return kind or CLASS


def _parts(kind: str, count: int, shares: Sequence[float]) -> list[range]:
    """A class, shared out: every split that has a share has a mesh."""
    parts = share_out(count, shares)
    if all(part or not share for part, share in zip(parts, shares, strict=True)):
        return parts
    wanted = [int(share > 0) for share in shares]
    if count < sum(wanted):
        raise InputError(f"class {kind!r}: expected at least {sum(wanted)} meshes, one for each split, got {count}")
    more = share_out(count - sum(wanted), shares)
    ends = [0, *accumulate(len(part) + one for part, one in zip(more, wanted, strict=True))]
    return [range(*pair) for pair in pairwise(ends)]
