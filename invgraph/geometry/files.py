"""Mesh files: obj, ply, glb, off and stl, read through trimesh and checked, written whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import InputError
from .mesh import Mesh

READABLE = ("glb", "gltf", "obj", "off", "ply", "stl")
WRITABLE = ("glb", "obj", "off", "ply", "stl")
_WITH_NORMALS = ("glb", "obj", "ply")


def load_mesh(path: str | os.PathLike[str], *, weld: bool = True) -> Mesh:
    """Read a triangle mesh, check it, and leave it in the file's own frame and units.

    A file of several objects is concatenated, each under its own transform; polygons are triangulated. Faces with a
    repeated vertex or (unless the surface is closed with them) no area, and duplicates of a face, are removed with a
    warning that says how many.

    Args:
        path: file ending in .obj, .ply, .glb, .gltf, .off or .stl.
        weld: merge vertices at equal positions that lie on open edges: the seams which texture coordinates and
            normals cut into obj and glb files, and every vertex of an stl. Vertices inside a surface are kept.

    Returns:
        Mesh on the CPU, float32.

    Raises:
        InputError: the file is missing, of an unknown kind, unreadable or truncated; it has no faces, faces that
            index past the vertices, or vertices that are not finite.
    """
    path = Path(path)
    kind = _kind(path, READABLE)
    if not path.is_file():
        raise InputError(f"{path}: no such mesh file")
    verts, faces = _read(path, kind)
    declared = _declared_faces(path, kind)
    if len(faces) < declared:
        raise InputError(f"{path}: the file is truncated, it declares {declared} faces and holds {len(faces)}")
    if len(faces) == 0:
        raise InputError(f"{path}: the mesh has no faces ({len(verts)} vertices)")
    if faces.min() < 0 or faces.max() >= len(verts):
        low, high = faces.min(), faces.max()
        raise InputError(f"{path}: faces index vertices {low} to {high}, but there are {len(verts)} vertices")
    with np.errstate(over="ignore"):
        verts = np.ascontiguousarray(verts, np.float32)
    bad = int((~np.isfinite(verts).all(1)).sum())
    if bad:
        raise InputError(f"{path}: {bad} of {len(verts)} vertices are not finite (NaN, infinity or beyond float32)")
    if weld:
        verts, faces = _weld_seams(verts, faces)
    return _without_bad_faces(path, verts, faces)


def save_mesh(path: str | os.PathLike[str], mesh: Mesh, *, normals: bool = False) -> None:
    """Write one mesh in its own frame, exact to float32, in the format of the file's ending.

    The file is written beside its destination and then renamed: whatever was there stays until the new one is whole.

    Args:
        path: file ending in .ply, .glb, .obj, .off or .stl (stl keeps triangles only, not the vertices' order).
        mesh: an unbatched mesh with finite vertices and at least one face.
        normals: also write vertex normals (ply, glb and obj).

    Raises:
        ValueError: ``mesh`` is a batch, has no faces or has vertices that are not finite.
        InputError: unknown ending, a format without normals, or a folder that cannot be written.
    """
    path = Path(path)
    kind = _kind(path, WRITABLE)
    if mesh.is_batched:
        raise ValueError(f"mesh: expected one mesh, got a batch with verts {tuple(mesh.verts.shape)}")
    verts = mesh.verts.detach().cpu().float().numpy()
    if mesh.num_faces == 0 or not np.isfinite(verts).all():
        raise ValueError("mesh: expected at least one face and finite vertices")
    if normals and kind not in _WITH_NORMALS:
        raise InputError(
            f"{path}: .{kind} files hold no vertex normals; use {', '.join('.' + k for k in _WITH_NORMALS)}"
        )
    directions = mesh.detach().vertex_normals().cpu().float().numpy() if normals else None
    write_atomically(path, _encode(kind, verts, mesh.faces.cpu().numpy(), directions))


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` through a temporary file in the same folder, so that no reader sees half of it.

    Raises:
        InputError: the folder is missing or cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot write here ({error.strerror})") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)  # mkstemp made it private
        os.replace(name, path)
    except OSError as error:
        os.unlink(name)
        raise InputError(f"{path}: cannot write here ({error.strerror})") from error
    except BaseException:
        os.unlink(name)
        raise


def _kind(path: Path, known: tuple[str, ...]) -> str:
    kind = path.suffix.lower().lstrip(".")
    if kind not in known:
        raise InputError(f"{path}: expected a mesh file ending in {', '.join('.' + k for k in known)}")
    return kind


def _read(path: Path, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and faces (F, 3) of all the file's meshes, as stored."""
    import trimesh

    _check_stl_size(path, kind)
    options: dict[str, Any] = {"process": False}
    if kind == "obj":
        options |= {"skip_materials": True, "split_object": False, "group_material": False}
    try:
        loaded: Any = trimesh.load(path, file_type=kind, **options)
        parts = list(_parts(loaded))
    except Exception as error:  # each of trimesh's readers fails in its own ways on broken files
        if isinstance(error, IndexError) and kind == "obj":
            raise InputError(f"{path}: faces index past the vertices that the file has") from error
        reason = (str(error).strip().split("\n")[0] or type(error).__name__)[:120]
        raise InputError(f"{path}: not a readable .{kind} mesh ({reason})") from error
    if not parts:
        return np.zeros((0, 3)), np.zeros((0, 3), np.int64)
    first = np.cumsum([0] + [len(verts) for verts, _ in parts[:-1]])
    verts = np.concatenate([verts for verts, _ in parts])
    return verts, np.concatenate([faces + start for (_, faces), start in zip(parts, first)])


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


def _parts(loaded: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each mesh as (vertices in the scene's frame, faces); lines and points are passed over."""
    import trimesh

    if isinstance(loaded, trimesh.Trimesh):
        yield np.asarray(loaded.vertices), np.asarray(loaded.faces, np.int64).reshape(-1, 3)
    elif isinstance(loaded, trimesh.Scene):
        for node in loaded.graph.nodes_geometry:
            transform, name = loaded.graph[node]
            for verts, faces in _parts(loaded.geometry[name]):
                if not np.array_equal(transform, np.eye(4)):
                    verts = verts @ transform[:3, :3].T + transform[:3, 3]
                    if np.linalg.det(transform[:3, :3]) < 0:  # a mirror turns the faces inside out
                        faces = faces[:, ::-1]
                yield verts, faces


def _weld_seams(verts: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge vertices of open edges that have exactly equal positions; unmerged vertices keep their order."""
    topology = Mesh(torch.from_numpy(verts), torch.from_numpy(faces)).topology
    seam = topology.boundary_verts.numpy().nonzero()[0]
    if len(seam) == 0:
        return verts, faces
    points = verts[seam] + np.float32(0)  # -0 and 0 are one place
    bits = np.ascontiguousarray(points).view([("", points.dtype)] * 3).reshape(-1)
    _, first, inverse = np.unique(bits, return_index=True, return_inverse=True)
    if len(first) == len(seam):
        return verts, faces
    target = np.arange(len(verts))
    target[seam] = seam[first[inverse.reshape(-1)]]
    kept = target == np.arange(len(verts))
    index = np.cumsum(kept) - 1
    return verts[kept], index[target[faces]]


def _without_bad_faces(path: Path, verts: np.ndarray, faces: np.ndarray) -> Mesh:
    """The mesh without degenerate and duplicate faces, after a warning that counts them."""
    from .repair import remove_bad_faces

    mesh, degenerate, duplicate = remove_bad_faces(Mesh(torch.from_numpy(verts), torch.from_numpy(faces)))
    found = [f"{n} {name}" for n, name in ((degenerate, "degenerate"), (duplicate, "duplicate")) if n]
    if mesh.num_faces == 0:
        raise InputError(f"{path}: none of the mesh's {len(faces)} faces is usable ({' and '.join(found)})")
    if found:
        warnings.warn(f"{path}: removed {' and '.join(found)} of {len(faces)} faces", stacklevel=3)
    return mesh


def _encode(kind: str, verts: np.ndarray, faces: np.ndarray, normals: np.ndarray | None) -> bytes:
    """The file's bytes. trimesh's text writers round to fixed decimals; nine significant digits keep float32 exact."""
    if kind in ("obj", "off"):
        rows = _obj_rows(verts, faces, normals) if kind == "obj" else _off_rows(verts, faces)
        return ("\n".join(rows) + "\n").encode()
    import trimesh

    mesh = trimesh.Trimesh(verts, faces, vertex_normals=normals, process=False)
    options: dict[str, Any] = {"stl": {}, "ply": {"vertex_normal": normals is not None}}.get(
        kind, {"include_normals": normals is not None}
    )
    data: Any = mesh.export(file_type=kind, **options)
    return data.encode() if isinstance(data, str) else data


def _obj_rows(verts: np.ndarray, faces: np.ndarray, normals: np.ndarray | None) -> list[str]:
    rows = [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in verts.tolist()]
    if normals is None:
        return rows + [f"f {a} {b} {c}" for a, b, c in (faces + 1).tolist()]
    rows += [f"vn {x:.9g} {y:.9g} {z:.9g}" for x, y, z in normals.tolist()]
    return rows + [f"f {a}//{a} {b}//{b} {c}//{c}" for a, b, c in (faces + 1).tolist()]


def _off_rows(verts: np.ndarray, faces: np.ndarray) -> list[str]:
    rows = ["OFF", f"{len(verts)} {len(faces)} 0"]
    rows += [f"{x:.9g} {y:.9g} {z:.9g}" for x, y, z in verts.tolist()]
    return rows + [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]
