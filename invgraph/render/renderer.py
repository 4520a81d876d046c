"""``render``: a mesh and cameras in, pictures out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import ops
from ..cameras import Cameras
from ..geometry.mesh import Mesh
from . import backends
from .projection import project

Mode = Literal["soft", "hard", "antialias"]
OUTPUTS = ("alpha", "depth", "normal", "face_id")


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
        """``(N, H, W, 3)`` unit normals in the world frame, interpolated from the vertices; 0 where is no surface."""
        return self._get("normal")

    @property
    def face_id(self) -> Tensor:
        """``(N, H, W)`` int64 index of the visible face, -1 where there is none."""
        return self._get("face_id")


def render(
    mesh: Mesh,
    cameras: Cameras,
    *,
    mode: Mode = "antialias",
    sigma: float = 1.0,
    outputs: Sequence[str] = ("alpha",),
    near: float | None = None,
    far: float | None = None,
    backend: str | None = None,
) -> Rendered:
    """Draw one mesh from N cameras.

    Args:
        mesh: ``verts (V, 3)`` seen by all cameras, or ``(N, V, 3)``: one pose for each camera.
        cameras: N cameras.
        mode: how alpha is made. ``"soft"``: probabilistic, its gradient reaches ``sqrt(9.2 sigma)`` pixels
            (:func:`invgraph.ops.soft_silhouette`); ``"antialias"``: coverage, exact at the visible outline
            (:func:`invgraph.ops.antialias`); ``"hard"``: 0 or 1 at pixel centres, no gradient.
            Depth, normals and face_id are those at pixel centres in every mode.
        sigma: softness in squared pixels, for ``"soft"``.
        outputs: any of ``"alpha"``, ``"depth"``, ``"normal"``, ``"face_id"``.
        near: depth of the near plane in world units, at which faces are clipped. None: for perspective cameras 1/1000
            of the greatest depth, for orthographic ones 0. Orthographic cameras take any depth, -inf for no near plane.
        far: depth of the far plane, at which faces are clipped; None: no far plane.
        backend: who draws; None: what the environment variable INVGRAPH_BACKEND names, else ``"native"``.

    Returns:
        :class:`Rendered`, differentiable with respect to ``mesh.verts`` and the cameras' R, t and K.

    Raises:
        ValueError: an unknown mode or output, or a mesh that is batched for another number of cameras.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"mode: expected one of {get_args(Mode)}, got {mode!r}")
    unknown = [name for name in outputs if name not in OUTPUTS]
    if unknown or isinstance(outputs, str):
        raise ValueError(f"outputs: expected any of {OUTPUTS} in a tuple, got {unknown or outputs!r}")
    if mesh.is_batched and len(mesh.verts) != len(cameras):
        raise ValueError(f"mesh: expected verts (V, 3) or ({len(cameras)}, V, 3), got {tuple(mesh.verts.shape)}")

    engine = backends.load(backend, mode)
    reach = 0.0 if mode in ("hard", "antialias") else 4 * math.sqrt(max(sigma, 0.0))  # sigmoid(-16) is nothing
    projection = project(mesh.verts, mesh.topology, cameras, near=near, far=far, reach=reach)
    points, drawing = projection.points, projection.drawing
    size = cameras.image_size

    results: dict[str, Tensor] = {}
    seen = None  # of the drawing, as the backend saw it; projection.fragments says it of the mesh
    if mode != "soft" or set(outputs) - {"alpha"}:
        seen = engine.rasterize(points, drawing, size, "normal" in outputs)
    if "alpha" in outputs:
        results["alpha"] = engine.alpha(mode, sigma, points, drawing, size, seen)
    if seen is not None and set(outputs) - {"alpha"}:
        fragments = projection.fragments(seen)
        if "depth" in outputs:
            results["depth"] = torch.where(fragments.face_id >= 0, fragments.depth, 0.0)
        if "normal" in outputs:
            normals = mesh.vertex_normals().expand(len(cameras), -1, -1)
            results["normal"] = F.normalize(_interpolate(normals, mesh.faces, fragments), dim=-1)
        if "face_id" in outputs:
            results["face_id"] = fragments.face_id.long()
    return Rendered(results)


def sigma_from_ndc(sigma_ndc: float, image_size: tuple[int, int]) -> float:
    """The softness of the literature, in normalised device coordinates (the image's shorter side spans [-1, 1]), in
    squared pixels: ``sigma_ndc * (min(H, W) / 2) ** 2``."""
    return sigma_ndc * (min(image_size) / 2) ** 2


def _interpolate(values: Tensor, faces: Tensor, fragments: ops.Fragments) -> Tensor:
    """Values at the vertices (N, V, C) -> (N, H, W, C), 0 on background."""
    image, row, column = (fragments.face_id >= 0).nonzero(as_tuple=True)  # most pixels see nothing: leave them out
    count, verts = values.shape[:2]
    corners = faces[fragments.face_id[image, row, column].long()] + (image * verts)[:, None]
    weights = fragments.barycentric[image, row, column, :, None]
    seen = (values.reshape(count * verts, values.shape[-1])[corners] * weights).sum(-2)
    out = seen.new_zeros(*fragments.face_id.shape, values.shape[-1])
    return out.index_put((image, row, column), seen)
