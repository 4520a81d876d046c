"""Mesh files of every kind as raw arrays: obj by our own reader, the others through trimesh."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .obj import read_obj
from .raw import RawMesh, as_floats, picture_array


def read_raw(path: Path, kind: str, appearance: bool) -> RawMesh:
    """Vertices and faces of all the file's meshes, as stored; and how they look, if asked.

    Raises:
        InputError: the file cannot be read, or is shorter than it says.
    """
    if kind == "obj":
        return read_obj(path, appearance)
    import trimesh

    _check_stl_size(path, kind)
    try:
        loaded: Any = trimesh.load(path, file_type=kind, process=False)
        parts = list(_parts(loaded, appearance))
    except InputError:
        raise
    except Exception as error:  # each of trimesh's readers fails in its own ways on broken files
        reason = (str(error).strip().split("\n")[0] or type(error).__name__)[:120]
        raise InputError(f"{path}: not a readable .{kind} mesh ({reason})") from error
    raw = _joined(path, parts)
    declared = _declared_faces(path, kind)
    if len(raw.faces) < declared:
        raise InputError(f"{path}: the file is truncated, it declares {declared} faces and holds {len(raw.faces)}")
    return raw


def _declared_faces(path: Path, kind: str) -> int:
    """The number of faces in a ply or off header; 0 where the format has none, or the header is not understood."""
    with open(path, "rb") as file:
        head = file.read(65536).decode("latin-1")
    found = None
    if kind == "ply":
        found = re.search(r"^element face (\d+)\s*$", head, re.MULTILINE)
    elif kind == "off":
        found = re.match(r"\s*C?OFF\s+(?:#.*\s+)*\d+\s+(\d+)", head)
    return int(found[1]) if found else 0


def _check_stl_size(path: Path, kind: str) -> None:
    """Refuse a binary stl that is shorter than its header says, before it is mistaken for a text file."""
    if kind != "stl":
        return
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(84)
    if head.lstrip()[:5].lower() == b"solid":
        return
    declared = int.from_bytes(head[80:84], "little") if len(head) == 84 else 0
    if size < max(84, 84 + 50 * declared):
        raise InputError(f"{path}: the file is truncated, it declares {declared} faces and holds {size} bytes")


def _parts(loaded: Any, appearance: bool) -> Iterator[RawMesh]:
    """Each mesh in the scene's frame; lines and points are passed over."""
    import trimesh

    if isinstance(loaded, trimesh.Trimesh):
        raw = RawMesh(np.asarray(loaded.vertices), np.asarray(loaded.faces, np.int64).reshape(-1, 3))
        if appearance:
            _add_visual(raw, loaded.visual)
        yield raw
    elif isinstance(loaded, trimesh.Scene):
        for node in loaded.graph.nodes_geometry:
            transform, name = loaded.graph[node]
            for raw in _parts(loaded.geometry[name], appearance):
                if not np.array_equal(transform, np.eye(4)):
                    raw.verts = raw.verts @ transform[:3, :3].T + transform[:3, 3]
                    if np.linalg.det(transform[:3, :3]) < 0:  # a mirror turns the faces inside out
                        raw.faces = raw.faces[:, ::-1]
                        raw.uv_faces = None if raw.uv_faces is None else raw.uv_faces[:, ::-1]
                yield raw


def _add_visual(raw: RawMesh, visual: Any) -> None:
    """Colours or texture of a trimesh visual."""
    kind = getattr(visual, "kind", None)
    if kind == "vertex":
        raw.vertex_colors = as_floats(visual.vertex_colors)
    elif kind == "face":
        raw.face_colors = as_floats(visual.face_colors)
    elif kind == "texture":
        material = visual.material
        picture = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        factor = getattr(material, "baseColorFactor", None)
        scale = np.ones(3, np.float32) if factor is None else as_floats(factor)
        if visual.uv is not None and picture is not None and len(visual.uv) == len(raw.verts):
            raw.uv, raw.uv_faces = np.asarray(visual.uv, np.float32)[:, :2], raw.faces
            raw.image = _tinted(picture_array(picture), scale)
        elif factor is not None:
            raw.face_colors = np.repeat(_tinted(np.ones((1, 3), np.float32), scale), len(raw.faces), axis=0)


def _tinted(colors: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """sRGB colours times a linear factor, as glTF has its base colour."""
    if (factor == 1).all():
        return colors
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4) * factor
    curve = 1.055 * linear.clip(0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curve).astype(np.float32)


def _joined(path: Path, parts: list[RawMesh]) -> RawMesh:
    """One mesh from several: colours if all have colours of one kind, a texture if all share the picture."""
    if not parts:
        return RawMesh(np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    if len(parts) == 1:
        return parts[0]
    first = np.cumsum([0] + [len(p.verts) for p in parts])
    raw = RawMesh(
        np.concatenate([p.verts for p in parts]), np.concatenate([p.faces + start for p, start in zip(parts, first)])
    )
    looks = {name: [getattr(p, name) for p in parts] for name in ("vertex_colors", "face_colors", "image")}
    present = [name for name, values in looks.items() if any(v is not None for v in values)]
    if not present:
        return raw
    values = looks[present[0]]
    whole = len(present) == 1 and all(v is not None for v in values)
    if whole and present[0] == "image" and all(np.array_equal(v, values[0]) for v in values):
        start = np.cumsum([0] + [len(p.uv) for p in parts if p.uv is not None])
        raw.image, raw.wrap = parts[0].image, parts[0].wrap
        raw.uv = np.concatenate([p.uv for p in parts if p.uv is not None])
        raw.uv_faces = np.concatenate([p.uv_faces + s for p, s in zip(parts, start) if p.uv_faces is not None])
    elif whole and present[0] != "image":
        setattr(raw, present[0], np.concatenate(values))
    else:
        warnings.warn(
            f"{path}: read without colours and textures, which its {len(parts)} parts have of several kinds",
            stacklevel=4,
        )
    return raw
