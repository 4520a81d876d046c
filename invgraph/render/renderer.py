"""``render``: a mesh and cameras in, pictures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from .. import ops
from ..cameras import Cameras
from ..geometry.mesh import Mesh
from .clip import Drawing, clip_near

Mode = Literal["soft", "hard", "antialias"]
OUTPUTS = ("alpha", "depth", "normal", "face_id")
NEAR_FRACTION = 1e-3  # default near plane, as a fraction of the depth of the farthest vertex


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
        near: depth of the near plane in world units, at which faces are clipped; None: 1/1000 of the greatest depth.

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

    positions = cameras.world_to_camera(mesh.verts)
    if near is None:
        far = positions[..., 2].detach().amax() if positions.numel() else positions.new_tensor(1.0)
        near = float(far) * NEAR_FRACTION if float(far) > 0 else 1.0
    if not near > 0:
        raise ValueError(f"near: expected a positive depth, got {near}")
    drawing = clip_near(positions, mesh.topology, near)
    points = _project(drawing, cameras, near)
    size = cameras.image_size

    results: dict[str, Tensor] = {}
    fragments = None
    if mode != "soft" or set(outputs) - {"alpha"}:
        fragments = ops.rasterize(points, drawing.faces, size, ranges=drawing.ranges, barycentric="normal" in outputs)
    if "alpha" in outputs:
        results["alpha"] = _alpha(mode, sigma, points, drawing, size, fragments)
    if fragments is not None:
        seen = fragments.face_id >= 0
        if "depth" in outputs:
            results["depth"] = torch.where(seen, fragments.depth, 0.0)
        if "normal" in outputs:
            normals = drawing.extend(mesh.vertex_normals().expand(len(cameras), -1, -1))
            results["normal"] = F.normalize(_interpolate(normals, drawing, fragments), dim=-1)
        if "face_id" in outputs:
            results["face_id"] = _mesh_face(drawing, fragments)
    return Rendered(results)


def sigma_from_ndc(sigma_ndc: float, image_size: tuple[int, int]) -> float:
    """The softness of the literature, in normalised device coordinates (the image's shorter side spans [-1, 1]), in
    squared pixels: ``sigma_ndc * (min(H, W) / 2) ** 2``."""
    return sigma_ndc * (min(image_size) / 2) ** 2


def _project(drawing: Drawing, cameras: Cameras, near: float) -> Tensor:
    """Camera-space points to (u, v, z); points behind the near plane, which no face uses, are kept finite."""
    x = drawing.positions
    K = cameras.K
    if drawing.ranges is not None:  # every point needs its own camera: the new ones that of the edge they lie on
        count = len(cameras)
        verts = (len(x) - len(_ends(drawing))) // count
        image = torch.arange(count, device=x.device).repeat_interleave(verts)
        image = torch.cat([image, _ends(drawing)[:, 0] // verts])
        x, K = x[:, None], K[image]
    z = x[..., 2:].clamp_min(near)
    uv = (x @ K.mT)[..., :2] / z
    points = torch.cat([uv, z], -1)
    return points if drawing.ranges is None else points[:, 0]


def _ends(drawing: Drawing) -> Tensor:
    return drawing.faces.new_empty(0, 2) if drawing.ends is None else drawing.ends


def _alpha(
    mode: Mode, sigma: float, points: Tensor, drawing: Drawing, size: tuple[int, int], fragments: ops.Fragments | None
) -> Tensor:
    if mode == "soft":
        return ops.soft_silhouette(points[..., :2], drawing.faces, size, sigma, ranges=drawing.ranges)
    if fragments is None:
        raise ValueError("fragments: needed for every mode but soft")
    covered = (fragments.face_id >= 0).to(points.dtype)
    if mode == "hard":
        return covered
    edges, edge_faces = drawing.topology.edges, drawing.topology.edge_faces
    return ops.antialias(
        covered[..., None], fragments.depth, points, drawing.faces, edges, edge_faces, ranges=drawing.ranges
    )[..., 0]


def _drawn_face(drawing: Drawing, fragments: ops.Fragments) -> Tensor:
    """(N, H, W) int64 index into ``drawing.faces``; 0 where nothing is seen."""
    face = fragments.face_id.long()
    if drawing.ranges is not None:
        face = face + drawing.ranges[:, 0, None, None]
    return torch.where(fragments.face_id >= 0, face, 0)


def _mesh_face(drawing: Drawing, fragments: ops.Fragments) -> Tensor:
    face = _drawn_face(drawing, fragments)
    if drawing.source_face is not None and len(drawing.source_face):
        face = drawing.source_face[face]
    return torch.where(fragments.face_id >= 0, face, -1)


def _interpolate(values: Tensor, drawing: Drawing, fragments: ops.Fragments) -> Tensor:
    """Values at the points ((N, V, C) or (P, C)) -> (N, H, W, C), 0 on background."""
    if not len(drawing.faces):
        return fragments.barycentric.new_zeros(*fragments.face_id.shape, values.shape[-1])
    image, row, column = (fragments.face_id >= 0).nonzero(as_tuple=True)  # most pixels see nothing: leave them out
    face = fragments.face_id[image, row, column].long()
    if drawing.ranges is None:
        count, verts = values.shape[:2]
        corners = drawing.faces[face] + (image * verts)[:, None]
        values = values.reshape(count * verts, -1)
    else:
        corners = drawing.faces[face + drawing.ranges[image, 0]]
    seen = (values[corners] * fragments.barycentric[image, row, column, :, None]).sum(-2)
    out = seen.new_zeros(*fragments.face_id.shape, values.shape[-1])
    return out.index_put((image, row, column), seen)
