"""What ``render`` gives back."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

OUTPUTS = ("alpha", "depth", "normal", "position", "uv", "rgb", "face_id")


class Rendered:
    """Pictures of N cameras: those that were asked for; to read another is an error that says so."""

    def __init__(self, pictures: Mapping[str, Tensor]) -> None:
        self._pictures = dict(pictures)

    def __repr__(self) -> str:
        return "Rendered(" + ", ".join(f"{name} {tuple(x.shape)}" for name, x in self._pictures.items()) + ")"

    def _get(self, name: str) -> Tensor:
        if name not in self._pictures:
            raise AttributeError(f'{name} was not rendered: ask for it with outputs=("{name}", ...)')
        return self._pictures[name]

    @property
    def alpha(self) -> Tensor:
        """``(N, H, W)`` coverage in [0, 1]."""
        return self._get("alpha")

    @property
    def depth(self) -> Tensor:
        """``(N, H, W)`` camera depth z in world units at pixel centres, 0 where there is no surface."""
        return self._get("depth")

    @property
    def normal(self) -> Tensor:
        """``(N, H, W, 3)`` unit normals in the world frame at pixel centres, pointing out of the surface: interpolated
        from the vertices, or the faces' own with ``flat=True``; 0 where there is no surface."""
        return self._get("normal")

    @property
    def position(self) -> Tensor:
        """``(N, H, W, 3)`` the point in the world seen at each pixel centre, 0 where there is no surface."""
        return self._get("position")

    @property
    def uv(self) -> Tensor:
        """``(N, H, W, 2)`` texture coordinates at pixel centres, not wrapped; 0 where there is no surface."""
        return self._get("uv")

    @property
    def rgb(self) -> Tensor:
        """``(N, H, W, C)`` the picture over the background: colours of the mesh's appearance, lit if there are lights.
        C is 3, or without lights as many channels as the appearance has."""
        return self._get("rgb")

    @property
    def face_id(self) -> Tensor:
        """``(N, H, W)`` int64 index of the visible face in the image's mesh, -1 where there is none."""
        return self._get("face_id")
