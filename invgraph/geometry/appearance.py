"""What a mesh's surface looks like: colours of vertices, colours of faces, or a picture at texture coordinates.

Colours are linear to the renderer: it multiplies and blends the numbers that it is given. Pictures and colours from
files come as they are stored, in [0, 1] and as a rule with the sRGB curve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar, get_args

import torch
from torch import Tensor

from ..ops.texture import Filter, Wrap

_Kind = TypeVar("_Kind", bound="_Appearance")


class _Appearance:
    """What the three kinds share: moving, detaching, and following the mesh when faces or vertices are left out."""

    _floats: tuple[str, ...] = ()
    _indices: tuple[str, ...] = ()

    def to(self: _Kind, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> _Kind:
        """On another device and in another floating dtype."""
        moved = {name: getattr(self, name).to(device=device, dtype=dtype) for name in self._floats}
        moved |= {n: getattr(self, n).to(device=device) for n in self._indices if getattr(self, n) is not None}
        return replace(self, **moved)  # type: ignore[type-var]

    def detach(self: _Kind) -> _Kind:
        """The same, cut from the gradient graph."""
        return replace(self, **{name: getattr(self, name).detach() for name in self._floats})  # type: ignore[type-var]

    @property
    def dtype(self) -> torch.dtype:
        """Of the colours."""
        return getattr(self, self._floats[0]).dtype

    @property
    def channels(self) -> int:
        """Channels C of a colour."""
        return int(getattr(self, self._floats[0]).shape[-1])

    def check(self, num_verts: int, num_faces: int, device: torch.device) -> None:
        """Raise ValueError unless this fits a mesh."""
        for name in self._floats + self._indices:
            value = getattr(self, name)
            if value is not None and value.device != device:
                raise ValueError(f"{name}: expected on {device} as the mesh is, got {value.device}")

    def select_faces(self: _Kind, kept: Tensor) -> _Kind:
        """For the mesh with faces ``kept`` only, (F,) bool or indices."""
        return self

    def flip_faces(self: _Kind, flip: Tensor) -> _Kind:
        """For the mesh whose marked faces, (F,) bool, have their second and third corner exchanged."""
        return self

    def select_verts(self: _Kind, source: Tensor) -> _Kind:
        """For the mesh whose vertex i is vertex ``source[i]`` of this one; (V,) bool or indices."""
        return self


@dataclass(frozen=True, eq=False)
class VertexColors(_Appearance):
    """A colour for each vertex, interpolated over the faces.

    Attributes:
        colors: ``(V, C)``, or ``(B, V, C)`` with one set for each mesh of a batch or each camera. Any C.
    """

    colors: Tensor
    _floats = ("colors",)

    def __post_init__(self) -> None:
        _check_floats("colors", self.colors, (2, 3), "(V, C) or (B, V, C)")

    def check(self, num_verts: int, num_faces: int, device: torch.device) -> None:
        super().check(num_verts, num_faces, device)
        if self.colors.shape[-2] != num_verts:
            raise ValueError(f"colors: expected one for each of {num_verts} vertices, got {tuple(self.colors.shape)}")

    def select_verts(self, source: Tensor) -> VertexColors:
        return VertexColors(self.colors[..., source, :])


@dataclass(frozen=True, eq=False)
class FaceColors(_Appearance):
    """A colour for each face.

    Attributes:
        colors: ``(F, C)``, or ``(B, F, C)`` with one set for each mesh of a batch or each camera. Any C.
    """

    colors: Tensor
    _floats = ("colors",)

    def __post_init__(self) -> None:
        _check_floats("colors", self.colors, (2, 3), "(F, C) or (B, F, C)")

    def check(self, num_verts: int, num_faces: int, device: torch.device) -> None:
        super().check(num_verts, num_faces, device)
        if self.colors.shape[-2] != num_faces:
            raise ValueError(f"colors: expected one for each of {num_faces} faces, got {tuple(self.colors.shape)}")

    def select_faces(self, kept: Tensor) -> FaceColors:
        return FaceColors(self.colors[..., kept, :])


@dataclass(frozen=True, eq=False)
class Texture(_Appearance):
    """A picture, and where on it each corner of each face is.

    Attributes:
        image: ``(Ht, Wt, C)``, or ``(B, Ht, Wt, C)`` with one for each mesh of a batch or each camera. Row 0 is
            the top.
        uv: ``(T, 2)`` texture coordinates: (0, 0) is the picture's bottom-left corner, v grows upwards.
        uv_faces: ``(F, 3)`` int64 rows of ``uv``, in the order of the mesh's faces and corners; None: the mesh's own
            faces, for one texture coordinate a vertex.
        wrap: beyond [0, 1]: ``"repeat"``, ``"mirror"`` or ``"clamp"``.
        filter: ``"linear"``, ``"nearest"`` or ``"mipmap"`` (:func:`invgraph.ops.texture`; the choice of the
            level has no gradient).
    """

    image: Tensor
    uv: Tensor
    uv_faces: Tensor | None = None
    wrap: Wrap = "repeat"
    filter: Filter = "linear"
    _floats = ("image", "uv")
    _indices = ("uv_faces",)

    def __post_init__(self) -> None:
        _check_floats("image", self.image, (3, 4), "(Ht, Wt, C) or (B, Ht, Wt, C)")
        _check_floats("uv", self.uv, (2,), "(T, 2)")
        if self.uv.shape[-1] != 2:
            raise ValueError(f"uv: expected shape (T, 2), got {tuple(self.uv.shape)}")
        for name, kind in (("wrap", Wrap), ("filter", Filter)):
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name}: expected one of {get_args(kind)}, got {getattr(self, name)!r}")
        index = self.uv_faces
        if index is None:
            return
        if index.ndim != 2 or index.shape[-1] != 3:
            raise ValueError(f"uv_faces: expected shape (F, 3), got {tuple(index.shape)}")
        if index.dtype != torch.int64:
            raise TypeError(f"uv_faces: expected int64, got {index.dtype}")

    def check(self, num_verts: int, num_faces: int, device: torch.device) -> None:
        super().check(num_verts, num_faces, device)
        if self.uv_faces is None:
            if len(self.uv) != num_verts:
                raise ValueError(
                    f"uv: expected {num_verts}, one a vertex, as uv_faces is None, got {tuple(self.uv.shape)}"
                )
            return
        if len(self.uv_faces) != num_faces:
            raise ValueError(f"uv_faces: expected {num_faces} as the mesh has, got {tuple(self.uv_faces.shape)}")
        if num_faces:
            low, high = (int(v) for v in torch.aminmax(self.uv_faces))
            if low < 0 or high >= len(self.uv):
                wrong = low if low < 0 else high
                raise ValueError(f"uv_faces: expected indices within 0..{len(self.uv) - 1}, got {wrong}")

    def select_faces(self, kept: Tensor) -> Texture:
        return self if self.uv_faces is None else replace(self, uv_faces=self.uv_faces[kept])

    def flip_faces(self, flip: Tensor) -> Texture:
        if self.uv_faces is None:
            return self
        return replace(self, uv_faces=torch.where(flip[:, None], self.uv_faces[:, [0, 2, 1]], self.uv_faces))

    def select_verts(self, source: Tensor) -> Texture:
        return replace(self, uv=self.uv[source]) if self.uv_faces is None else self


Appearance = VertexColors | FaceColors | Texture


def _check_floats(name: str, value: Tensor, dims: tuple[int, ...], shape: str) -> None:
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name}: expected a floating-point tensor of shape {shape}, got {kind}")
    if value.ndim not in dims:
        raise ValueError(f"{name}: expected shape {shape}, got {tuple(value.shape)}")
