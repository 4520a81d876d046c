"""Mesh files, and the names of the models that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import InputError
from ...geometry.files import READABLE


def find_meshes(sources: Sequence[Path]) -> dict[str, Path]:
    """Mesh files by the name of their model, "MODEL" or "CATEGORY/MODEL".

    A file is named for itself, without its ending. The files in a folder are named for their path below it; what
    their paths end in alike is left out, so that ``04379243/1a9b/models/model_normalized.obj`` becomes "04379243/1a9b"
    in a folder of such. Deeper paths are joined by underscores after the category.

    Args:
        sources: mesh files, and folders that are searched for them.

    Raises:
        InputError: nothing there, a folder without meshes, or two files for one name.
    """
    found: dict[str, Path] = {}
    for source in sources:
        for name, path in _named(source):
            if name in found:
                raise InputError(f"{path}: would be the model {name!r}, as {found[name]} is")
            found[name] = path
    return found


def _named(source: Path) -> list[tuple[str, Path]]:
    if not source.is_dir():
        return [(source.stem, source)]
    paths = sorted(p for p in source.rglob("*") if p.suffix.lower().lstrip(".") in READABLE and p.is_file())
    if not paths:
        raise InputError(f"{source}: holds no mesh files ({', '.join('.' + kind for kind in READABLE)})")
    parts = [path.relative_to(source).with_suffix("").parts for path in paths]
    while all(len(p) > 1 for p in parts) and len(parts) > 1 and len({p[-1] for p in parts}) == 1:
        parts = [p[:-1] for p in parts]
    return [(p[0] if len(p) == 1 else f"{p[0]}/{'_'.join(p[1:])}", path) for p, path in zip(parts, paths)]
