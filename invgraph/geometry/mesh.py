"""Triangle meshes: positions that may need gradients, over connectivity that is shared and cached."""

from __future__ import annotations

import torch
from torch import Tensor

from .appearance import Appearance
from .topology import Topology


class Mesh:
    """A triangle mesh, or a batch of meshes that share their faces.

    Treat it as immutable: :meth:`with_verts` gives the same connectivity other positions, and everything that depends
    on connectivity alone (``mesh.topology``) is then computed once for all of them.

    Args:
        verts: (V, 3) or (B, V, 3) floating-point positions.
        faces: (F, 3) integer indices, counter-clockwise seen from outside; kept as int64.
        appearance: colours of vertices or faces, or a texture; operations that keep vertices and faces keep it, those
            that make new ones (remeshing) drop it.

    Raises:
        TypeError: ``verts`` is not floating point or ``faces`` not integer.
        ValueError: a shape is wrong, an index is out of range, or the devices differ.
    """

    __slots__ = ("appearance", "topology", "verts")

    verts: Tensor
    topology: Topology
    appearance: Appearance | None

    def __init__(self, verts: Tensor, faces: Tensor, appearance: Appearance | None = None) -> None:
        _check_verts(verts)
        self.verts = verts
        self.appearance = appearance
        self.topology = Topology(faces, verts.shape[-2])
        if verts.device != self.faces.device:
            raise ValueError(f"verts and faces: expected one device, got {verts.device} and {self.faces.device}")
        self._check_look(appearance)

    def _check_look(self, appearance: Appearance | None) -> None:
        if isinstance(appearance, Tensor):
            raise TypeError("appearance: expected VertexColors, FaceColors or Texture, got a tensor")
        if appearance is not None:
            appearance.check(self.num_verts, self.num_faces, self.faces.device)

    @staticmethod
    def over(verts: Tensor, topology: Topology, appearance: Appearance | None = None) -> Mesh:
        """A mesh over connectivity that is there already."""
        mesh = object.__new__(Mesh)
        mesh.verts, mesh.topology, mesh.appearance = verts, topology, None
        return mesh.with_verts(verts).with_appearance(appearance)

    def __repr__(self) -> str:
        batch = f"batch={self.verts.shape[0]}, " if self.is_batched else ""
        kind = f"dtype={self.verts.dtype}, device={self.verts.device}"
        if self.appearance is not None:
            kind = f"{type(self.appearance).__name__}, {kind}"
        return f"Mesh({batch}verts={self.num_verts}, faces={self.num_faces}, {kind})"

    @property
    def faces(self) -> Tensor:
        """(F, 3) int64."""
        return self.topology.faces

    @property
    def num_verts(self) -> int:
        """Number of vertices V (of one mesh of the batch)."""
        return self.topology.num_verts

    @property
    def num_faces(self) -> int:
        """Number of faces F."""
        return self.topology.num_faces

    @property
    def is_batched(self) -> bool:
        """``verts`` is (B, V, 3)."""
        return self.verts.ndim == 3

    @property
    def is_closed(self) -> bool:
        """Watertight: every edge has exactly two faces that run along it in opposite directions."""
        return self.topology.is_closed

    @property
    def euler_characteristic(self) -> int:
        """V - E + F over the vertices in use: 2 for a sphere, 0 for a torus."""
        return self.topology.euler_characteristic

    def with_verts(self, verts: Tensor) -> Mesh:
        """The same connectivity and appearance (shared, not copied) with other positions, (V, 3) or (B, V, 3)."""
        _check_verts(verts)
        if verts.shape[-2] != self.num_verts:
            raise ValueError(f"verts: expected {self.num_verts} vertices, got shape {tuple(verts.shape)}")
        if verts.device != self.faces.device:
            raise ValueError(f"verts and faces: expected one device, got {verts.device} and {self.faces.device}")
        mesh = object.__new__(Mesh)
        mesh.verts, mesh.topology, mesh.appearance = verts, self.topology, self.appearance
        return mesh

    def with_appearance(self, appearance: Appearance | None) -> Mesh:
        """The same surface (shared, not copied) with another look; None for none."""
        self._check_look(appearance)
        mesh = object.__new__(Mesh)
        mesh.verts, mesh.topology, mesh.appearance = self.verts, self.topology, appearance
        return mesh

    def detach(self) -> Mesh:
        """The same mesh, cut from the gradient graph."""
        mesh = self.with_verts(self.verts.detach())
        return mesh if self.appearance is None else mesh.with_appearance(self.appearance.detach())

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Mesh:
        """Move to ``device``; convert positions and colours to ``dtype``. Connectivity is kept if the device stays."""
        verts = self.verts.to(device=device, dtype=dtype)
        appearance = None if self.appearance is None else self.appearance.to(device, dtype)
        if verts.device != self.verts.device:
            return Mesh(verts, self.faces.to(verts.device), appearance)
        return self.with_appearance(None).with_verts(verts).with_appearance(appearance)

    def triangles(self) -> Tensor:
        """(F, 3, 3) or (B, F, 3, 3) corner positions of each face."""
        # index_select and not verts[..., faces, :], whose gradient is summed by several threads in no fixed order
        return self.verts.index_select(-2, self.faces.reshape(-1)).unflatten(-2, (-1, 3))

    def _cross(self) -> Tensor:
        """Cross product of two edges of each face: the normal times twice the area."""
        a, b, c = self.triangles().unbind(-2)
        return torch.linalg.cross(b - a, c - a)

    def face_normals(self, normalize: bool = True) -> Tensor:
        """(..., F, 3) outward normals, of unit length (zero for a degenerate face) or twice the area."""
        return _unit(self._cross()) if normalize else self._cross()

    def face_areas(self) -> Tensor:
        """(..., F) areas."""
        return 0.5 * torch.linalg.vector_norm(self._cross(), dim=-1)

    def vertex_normals(self) -> Tensor:
        """(..., V, 3) unit normals: the area-weighted mean of the faces around; zero where no face is."""
        normals = self._cross().repeat_interleave(3, dim=-2)
        return _unit(torch.zeros_like(self.verts).index_add(-2, self.faces.reshape(-1), normals))

    def area(self) -> Tensor:
        """Total area, shape () or (B,)."""
        return self.face_areas().sum(-1)

    def volume(self) -> Tensor:
        """Signed volume, shape () or (B,): positive if closed and counter-clockwise seen from outside.

        Sum of ``det(a, b, c) / 6`` over the faces, about the mean vertex (which changes nothing for a closed
        mesh and keeps float32 accurate far from the origin).
        """
        a, b, c = (self.triangles() - self.verts.detach().mean(-2)[..., None, None, :]).unbind(-2)
        return (a * torch.linalg.cross(b, c)).sum(-1).sum(-1) / 6

    def edge_lengths(self) -> Tensor:
        """(..., E) lengths of ``topology.edges``."""
        a, b = self.topology.edges.unbind(1)
        return torch.linalg.vector_norm(self.verts.index_select(-2, a) - self.verts.index_select(-2, b), dim=-1)

    def bounding_box(self) -> tuple[Tensor, Tensor]:
        """Lowest and highest coordinates over all vertices (used or not), each (..., 3)."""
        return self.verts.amin(-2), self.verts.amax(-2)

    def bounding_sphere(self) -> tuple[Tensor, Tensor]:
        """Centre (..., 3) of the bounding box, and the largest distance (...) of a vertex from it."""
        low, high = self.bounding_box()
        center = 0.5 * (low + high)
        return center, torch.linalg.vector_norm(self.verts - center[..., None, :], dim=-1).amax(-1)


def _check_verts(verts: Tensor) -> None:
    if not isinstance(verts, Tensor) or not verts.is_floating_point():
        kind = verts.dtype if isinstance(verts, Tensor) else type(verts).__name__
        raise TypeError(f"verts: expected a floating-point tensor of shape (V, 3) or (B, V, 3), got {kind}")
    if verts.ndim not in (2, 3) or verts.shape[-1] != 3:
        raise ValueError(f"verts: expected shape (V, 3) or (B, V, 3), got {tuple(verts.shape)}")


def _unit(v: Tensor) -> Tensor:
    """``v`` scaled to unit length; zero vectors stay zero, with finite gradients, at any scale."""
    length = torch.linalg.vector_norm(v, dim=-1, keepdim=True)
    return v / torch.where(length > 0, length, 1)
