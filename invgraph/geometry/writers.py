"""A mesh as the bytes of a file, and of the files beside it: an obj's materials and picture."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .appearance import FaceColors, Texture, VertexColors
from .mesh import Mesh

_KEPT = {  # the kinds of appearance that a format holds
    "ply": (VertexColors, FaceColors),
    "glb": (VertexColors, Texture),
    "obj": (VertexColors, Texture),
}


def encode(path: Path, kind: str, mesh: Mesh, normals: np.ndarray | None) -> dict[Path, bytes]:
    """The files' contents, ``path`` last. An appearance that the format does not hold is left out with a warning.

    trimesh's text writers round to fixed decimals; nine significant digits keep float32 exact.
    """
    if mesh.appearance is not None and not isinstance(mesh.appearance, _KEPT.get(kind, ())):
        warnings.warn(
            f"{path}: .{kind} files hold no {type(mesh.appearance).__name__}, written without colours", stacklevel=4
        )
        mesh = mesh.with_appearance(None)
    verts, faces = mesh.verts.float().numpy(), mesh.faces.numpy()
    if kind == "obj":
        return _obj(path, verts, faces, normals, mesh.appearance)
    if kind == "off":
        return {path: ("\n".join(_off_rows(verts, faces)) + "\n").encode()}
    return {path: _by_trimesh(kind, verts, faces, normals, mesh.appearance)}


def _obj(path: Path, verts: np.ndarray, faces: np.ndarray, normals: np.ndarray | None, look: Any) -> dict[Path, bytes]:
    places = verts
    if isinstance(look, VertexColors):
        places = np.concatenate([verts, _rgb(look.colors.float().numpy())], 1)
    rows = [" ".join(["v", *(f"{x:.9g}" for x in row)]) for row in places.tolist()]
    columns = [faces + 1, None, None]
    others: dict[Path, bytes] = {}
    if isinstance(look, Texture):
        material, picture = path.with_suffix(".mtl"), path.with_suffix(".png")
        clamp = "-clamp on " if look.wrap == "clamp" else ""
        text = f"newmtl surface\nKd 1 1 1\nmap_Kd {clamp}{picture.name}\n"
        others = {picture: _png(look.image.float().numpy()), material: text.encode()}
        rows = [f"mtllib {material.name}", *rows, *(f"vt {u:.9g} {v:.9g}" for u, v in look.uv.tolist())]
        columns[1] = (faces if look.uv_faces is None else look.uv_faces.numpy()) + 1
    if normals is not None:
        rows += [f"vn {x:.9g} {y:.9g} {z:.9g}" for x, y, z in normals.tolist()]
        columns[2] = faces + 1
    if isinstance(look, Texture):
        rows.append("usemtl surface")
    form = {(0, 0): "{0}", (1, 0): "{0}/{1}", (0, 1): "{0}//{2}", (1, 1): "{0}/{1}/{2}"}[
        columns[1] is not None, columns[2] is not None
    ]
    filled = [(faces if c is None else c).tolist() for c in columns]
    for corners in zip(*filled):
        rows.append("f " + " ".join(form.format(*corner) for corner in zip(*corners)))
    return others | {path: ("\n".join(rows) + "\n").encode()}


def _off_rows(verts: np.ndarray, faces: np.ndarray) -> list[str]:
    rows = ["OFF", f"{len(verts)} {len(faces)} 0"]
    rows += [f"{x:.9g} {y:.9g} {z:.9g}" for x, y, z in verts.tolist()]
    return rows + [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]


def _by_trimesh(kind: str, verts: np.ndarray, faces: np.ndarray, normals: np.ndarray | None, look: Any) -> bytes:
    import trimesh

    visual: Any = None
    if isinstance(look, VertexColors):
        visual = trimesh.visual.ColorVisuals(vertex_colors=_bytes(_rgb(look.colors.float().numpy())))
    elif isinstance(look, FaceColors):
        visual = trimesh.visual.ColorVisuals(face_colors=_bytes(_rgb(look.colors.float().numpy())))
    elif isinstance(look, Texture):  # glTF has one index for positions and texture coordinates: split at the seams
        uv = look.uv.float().numpy()
        uv_faces = faces if look.uv_faces is None else look.uv_faces.numpy()
        pairs = np.stack([faces.reshape(-1), uv_faces.reshape(-1)], 1)
        pairs, corner = np.unique(
            pairs, axis=0, return_inverse=True
        )  # in the vertices' order, so that welding keeps it
        verts, uv, faces = verts[pairs[:, 0]], uv[pairs[:, 1]], corner.reshape(-1, 3)
        normals = None if normals is None else normals[pairs[:, 0]]
        material = trimesh.visual.material.PBRMaterial(
            baseColorTexture=_picture(look.image.float().numpy()), metallicFactor=0.0, roughnessFactor=1.0
        )
        visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    mesh = trimesh.Trimesh(verts, faces, vertex_normals=normals, visual=visual, process=False)
    options: dict[str, Any] = {"stl": {}, "ply": {"vertex_normal": normals is not None}}.get(
        kind, {"include_normals": normals is not None}
    )
    data: Any = mesh.export(file_type=kind, **options)
    return data.encode() if isinstance(data, str) else data


def _rgb(colors: np.ndarray) -> np.ndarray:
    """One, three or four channels as three or four."""
    if (colors.ndim != 2 and colors.ndim != 3) or colors.shape[-1] not in (1, 3, 4):
        raise ValueError(f"appearance: files hold 1, 3 or 4 channels of one mesh, got {colors.shape}")
    return np.repeat(colors, 3, axis=-1) if colors.shape[-1] == 1 else colors


def _bytes(colors: np.ndarray) -> np.ndarray:
    return np.rint(np.nan_to_num(colors).clip(0, 1) * 255).astype(np.uint8)


def _picture(image: np.ndarray) -> Any:
    from PIL import Image

    if image.ndim != 3:
        raise ValueError(f"appearance: expected one picture (Ht, Wt, C), got {image.shape}")
    return Image.fromarray(_bytes(_rgb(image)))


def _png(image: np.ndarray) -> bytes:
    data = io.BytesIO()
    _picture(image).save(data, format="png")
    return data.getvalue()
