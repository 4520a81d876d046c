"""What is drawn, before projection: one mesh seen by all cameras, or one mesh for each camera in one packed list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from ..cameras import Cameras
from ..geometry.appearance import FaceColors, Texture, VertexColors
from ..geometry.mesh import Mesh
from ..geometry.topology import Topology


@dataclass(frozen=True, eq=False)
class Scene:
    """A mesh, whose faces each image draws all, or the share of ``ranges``.

    Attributes:
        mesh: ``verts (V, 3)`` or ``(N, V, 3)``; with ranges all meshes one after the other, ``(P, 3)``.
        ranges: ``(N, 2)`` int64: the faces of each image, or None.
        images: for packed textures: the N pictures, of any size each, in place of the appearance's own.
    """

    mesh: Mesh
    ranges: Tensor | None = None
    images: tuple[Tensor, ...] | None = None

    @cached_property
    def sound(self) -> Mesh:
        """The mesh with vertices that are not finite, whose faces are not drawn, moved to 0: what is computed for
        these faces all the same is then a number, and so is its gradient."""
        mesh = self.mesh
        known = mesh.verts.isfinite().all(-1, keepdim=True)
        if bool(known.all()):
            return mesh
        return mesh.with_verts(torch.where(known, mesh.verts, 0.0))

    def normals(self, flat: bool) -> Tensor:
        """Unit normals: ``(.., F, 3)`` of the faces, or ``(.., V, 3)`` of the vertices."""
        mesh = self.sound
        if mesh is self.mesh:
            return mesh.face_normals() if flat else mesh.vertex_normals()
        drawn = self.mesh.verts.isfinite().all(-1)[..., mesh.faces].all(-1, keepdim=True)
        normals = torch.where(drawn, mesh.face_normals(normalize=False), 0.0)
        if not flat:
            corners = normals.repeat_interleave(3, dim=-2)
            normals = torch.zeros_like(mesh.verts).index_add(-2, mesh.faces.reshape(-1), corners)
        length = torch.linalg.vector_norm(normals, dim=-1, keepdim=True)
        return normals / torch.where(length > 0, length, 1)


def scene_of(mesh: Mesh | Sequence[Mesh], cameras: Cameras, *, edges: bool) -> Scene:
    """The scene, checked against the cameras.

    Args:
        mesh: one mesh, or one for each camera.
        edges: whether the edges will be needed: those of packed meshes are then put together from the meshes' own.

    Raises:
        TypeError: what is no mesh or no cameras; a dtype that is not the cameras'.
        ValueError: a batch, or a list of meshes, for another number of cameras; a list with appearances of several
            kinds; another device than the cameras'.
    """
    if not isinstance(cameras, Cameras):
        raise TypeError(f"cameras: expected Cameras, got {type(cameras).__name__}")
    if not isinstance(mesh, (Mesh, Sequence)):
        raise TypeError(f"mesh: expected a Mesh or a list of them, got {type(mesh).__name__}")
    count = len(cameras)
    if isinstance(mesh, Mesh):
        mesh = _fitting(mesh, cameras)
        if mesh.is_batched and len(mesh.verts) != count:
            raise ValueError(f"mesh: expected verts (V, 3) or ({count}, V, 3), got {tuple(mesh.verts.shape)}")
        look = mesh.appearance
        own = None
        if isinstance(look, (VertexColors, FaceColors)) and look.colors.ndim == 3:
            own = look.colors
        elif isinstance(look, Texture) and look.image.ndim == 4:
            own = look.image
        if own is not None and len(own) != count:
            raise ValueError(f"appearance: expected one for all or {count}, got {tuple(own.shape)}")
        return Scene(mesh)
    meshes = [_fitting(m, cameras) for m in mesh]
    if len(meshes) != count or any(m.is_batched for m in meshes):
        raise ValueError(f"mesh: expected one mesh, or a list of {count} with verts (V, 3), one for each camera")
    if not meshes:
        verts = cameras.t.new_zeros(0, 3)
        faces = torch.zeros(0, 3, dtype=torch.int64, device=verts.device)
        return Scene(Mesh(verts, faces), faces.new_zeros(0, 2))
    kinds = {type(m.appearance).__name__ for m in meshes}
    if len(kinds) > 1:
        raise ValueError(f"mesh: expected meshes of one kind of appearance, got {', '.join(sorted(kinds))}")
    topology = Topology.cat([m.topology for m in meshes], edges=edges)
    ends = torch.tensor([m.num_faces for m in meshes], device=topology.faces.device).cumsum(0)
    ranges = torch.stack([torch.cat([ends.new_zeros(1), ends[:-1]]), ends], 1)
    packed = Mesh.over(torch.cat([m.verts for m in meshes]), topology)
    return _with_looks(Scene(packed, ranges), meshes)


def _fitting(mesh: Mesh, cameras: Cameras) -> Mesh:
    """The mesh, checked to be one of the cameras' kind, with its appearance in the vertices' dtype."""
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh: expected a Mesh or a list of them, got {type(mesh).__name__} in it")
    dtype, device = cameras.R.dtype, cameras.R.device
    if mesh.verts.dtype != dtype:
        raise TypeError(f"mesh: expected {dtype} as the cameras are, got {mesh.verts.dtype}; mesh.to(dtype=...)")
    if mesh.verts.device != device:
        raise ValueError(f"mesh: expected on {device} as the cameras are, got {mesh.verts.device}; mesh.to(device)")
    look = mesh.appearance
    return mesh if look is None or look.dtype == dtype else mesh.with_appearance(look.to(dtype=dtype))


def _with_looks(scene: Scene, meshes: Sequence[Mesh]) -> Scene:
    looks = [m.appearance for m in meshes]
    colors = [look.colors for look in looks if isinstance(look, (VertexColors, FaceColors))]
    if colors:
        shapes = {tuple(c.shape[1:]) for c in colors}
        if len(shapes) > 1 or any(c.ndim != 2 for c in colors):
            raise ValueError(f"appearance: expected colours (V, C) or (F, C) of one C in a list, got {sorted(shapes)}")
        look = looks[0]
        joined = torch.cat(colors)
        kind = VertexColors if isinstance(look, VertexColors) else FaceColors
        return replace(scene, mesh=scene.mesh.with_appearance(kind(joined)))
    textures = [look for look in looks if isinstance(look, Texture)]
    if not textures:
        return scene
    first = textures[0]
    if any(t.image.ndim != 3 or t.image.shape[-1] != first.image.shape[-1] for t in textures):
        raise ValueError("appearance: expected pictures (Ht, Wt, C) of one C in a list of meshes")
    if len({(t.wrap, t.filter) for t in textures}) > 1:
        raise ValueError("appearance: expected one wrap and filter for all textures in a list of meshes")
    faces, start = [], 0
    for texture, mesh in zip(textures, meshes):
        faces.append((mesh.faces if texture.uv_faces is None else texture.uv_faces) + start)
        start += len(texture.uv)
    look = replace(first, uv=torch.cat([t.uv for t in textures]), uv_faces=torch.cat(faces))
    return replace(scene, mesh=scene.mesh.with_appearance(look), images=tuple(t.image for t in textures))
