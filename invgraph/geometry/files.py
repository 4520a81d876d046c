"""Mesh files: obj, ply, glb, off and stl, checked as they are read, written whole or not at all."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import torch

from ..atomic import write_atomically
from ..errors import InputError
from .appearance import Appearance, FaceColors, Texture, VertexColors
from .mesh import Mesh
from .raw import RawMesh
from .readers import read_raw
from .writers import encode

READABLE = ("glb", "gltf", "obj", "off", "ply", "stl")
WRITABLE = ("glb", "obj", "off", "ply", "stl")
_WITH_NORMALS = ("glb", "obj", "ply")


def load_mesh(path: str | os.PathLike[str], *, weld: bool = True, appearance: bool = True) -> Mesh:
    """Read a triangle mesh, check it, and leave it in the file's own frame and units.

    A file of several objects is concatenated, each under its own transform; polygons are triangulated. Faces with a
    repeated vertex or (unless the surface is closed with them) no area, and duplicates of a face, are removed with a
    warning that says how many.

    Args:
        path: file ending in .obj, .ply, .glb, .gltf, .off or .stl.
        weld: merge vertices at equal positions that lie on open edges: the seams which texture coordinates and
            normals cut into glb files, and every vertex of an stl. Vertices inside a surface are kept.
        appearance: also read how the surface looks, as red, green and blue in [0, 1] as they are stored: colours of
            vertices (obj, ply, glb), of faces (ply, and plain materials of obj and glb), or texture coordinates with
            the picture that all faces share (obj with mtl, glb). Texture coordinates without a picture get one white
            texel. What is there of several kinds is left out with a warning.

    Returns:
        Mesh on the CPU, float32.

    Raises:
        InputError: the file is missing, of an unknown kind, unreadable or truncated; it has no faces, faces that
            index past the vertices, or vertices that are not finite; its texture is missing or unreadable, or texture
            coordinates are out of range or not finite.
    """
    path = Path(path)
    kind = _kind(path, READABLE)
    if not path.is_file():
        raise InputError(f"{path}: no such mesh file")
    raw = read_raw(path, kind, appearance)
    verts, faces = raw.verts, raw.faces
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
    raw.verts, raw.faces = verts, np.ascontiguousarray(faces, np.int64)
    look = _appearance(path, raw)
    mesh = Mesh(torch.from_numpy(verts), torch.from_numpy(raw.faces), look)
    return _without_bad_faces(path, _weld_seams(mesh) if weld else mesh)


def save_mesh(path: str | os.PathLike[str], mesh: Mesh, *, normals: bool = False) -> None:
    """Write one mesh in its own frame, exact to float32, in the format of the file's ending.

    The file is written beside its destination and then renamed: whatever was there stays until the new one is whole.
    Colours of vertices go into ply, obj and glb files, those of faces into ply, a texture into glb and, as ``.mtl`` and
    ``.png`` of the same name beside it, obj; elsewhere they are left out with a warning. They are rounded to 8 bits,
    but for the vertices of an obj.

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
    mesh = mesh.to("cpu").detach()
    if mesh.num_faces == 0 or not bool(torch.isfinite(mesh.verts.float()).all()):
        raise ValueError("mesh: expected at least one face and finite vertices")
    if normals and kind not in _WITH_NORMALS:
        raise InputError(
            f"{path}: .{kind} files hold no vertex normals; use {', '.join('.' + k for k in _WITH_NORMALS)}"
        )
    directions = mesh.vertex_normals().float().numpy() if normals else None
    for file, data in encode(path, kind, mesh, directions).items():
        write_atomically(file, data)


def _kind(path: Path, known: tuple[str, ...]) -> str:
    kind = path.suffix.lower().lstrip(".")
    if kind not in known:
        raise InputError(f"{path}: expected a mesh file ending in {', '.join('.' + k for k in known)}")
    return kind


def _appearance(path: Path, raw: RawMesh) -> Appearance | None:
    """What was read, checked."""
    if raw.uv is not None and raw.uv_faces is not None:
        bad = int((~np.isfinite(raw.uv).all(1)).sum())
        if bad:
            raise InputError(f"{path}: {bad} of {len(raw.uv)} texture coordinates are not finite")
        image = np.ones((1, 1, 3), np.float32) if raw.image is None else raw.image
        uv_faces = torch.from_numpy(np.ascontiguousarray(raw.uv_faces))
        return Texture(torch.from_numpy(image), torch.from_numpy(raw.uv), uv_faces, wrap=raw.wrap)
    for colors, kind in ((raw.vertex_colors, VertexColors), (raw.face_colors, FaceColors)):
        if colors is not None:
            if not np.isfinite(colors).all():
                raise InputError(f"{path}: colours are not finite")
            return kind(torch.from_numpy(np.ascontiguousarray(colors, np.float32)))
    return None


def _weld_seams(mesh: Mesh) -> Mesh:
    """Merge vertices of open edges at exactly equal positions; unmerged ones keep their order, colours are averaged."""
    seam = mesh.topology.boundary_verts.numpy().nonzero()[0]
    if len(seam) == 0:
        return mesh
    points = mesh.verts.numpy()[seam] + np.float32(0)  # -0 and 0 are one place
    bits = np.ascontiguousarray(points).view([("", points.dtype)] * 3).reshape(-1)
    _, first, inverse = np.unique(bits, return_index=True, return_inverse=True)
    if len(first) == len(seam):
        return mesh
    target = np.arange(mesh.num_verts)
    target[seam] = seam[first[inverse.reshape(-1)]]
    kept = target == np.arange(mesh.num_verts)
    index = torch.from_numpy((np.cumsum(kept) - 1)[target])
    verts = mesh.verts[torch.from_numpy(kept)]
    look = mesh.appearance
    if isinstance(look, VertexColors):
        total = torch.zeros(len(verts), look.channels).index_add(0, index, look.colors)
        look = VertexColors(total / torch.bincount(index)[:, None])
    return Mesh(verts, index[mesh.faces], look)


def _without_bad_faces(path: Path, mesh: Mesh) -> Mesh:
    """The mesh without degenerate and duplicate faces, after a warning that counts them."""
    from .repair import remove_bad_faces

    total = mesh.num_faces
    mesh, degenerate, duplicate = remove_bad_faces(mesh)
    found = [f"{n} {name}" for n, name in ((degenerate, "degenerate"), (duplicate, "duplicate")) if n]
    if mesh.num_faces == 0:
        raise InputError(f"{path}: none of the mesh's {total} faces is usable ({' and '.join(found)})")
    if found:
        warnings.warn(f"{path}: removed {' and '.join(found)} of {total} faces", stacklevel=3)
    return mesh
