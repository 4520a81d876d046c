"""Every differentiable primitive with arguments that work: what is asked of one of them is asked of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from scenes import project
from torch import Tensor

from invgraph import ops
from invgraph.geometry import icosphere

MESH = icosphere(1)
SIZE = (18, 21)


@dataclass(frozen=True)
class Call:
    """``call(**tensors)`` gives a tuple of tensors; those named in ``wrt`` get gradients."""

    name: str
    call: Callable[..., tuple[Tensor, ...]]
    wrt: tuple[str, ...]
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def __call__(self, **changed: Tensor) -> tuple[Tensor, ...]:
        return self.call(**{**self.tensors, **changed})

    def leaves(self) -> dict[str, Tensor]:
        return {name: self.tensors[name].detach().clone().requires_grad_() for name in self.wrt}

    def to(self, dtype: torch.dtype) -> Call:
        moved = {k: v.to(dtype) if v.is_floating_point() else v for k, v in self.tensors.items()}
        return replace(self, tensors=moved)


def _geometry(images: int) -> dict[str, Tensor]:
    topology = MESH.topology
    points = torch.cat([project(MESH, 20, shift=(0.1 * k, 0.05, 0)) for k in range(images)])
    return {
        "points": points,
        "faces": MESH.faces,
        "edges": topology.edges.contiguous(),
        "edge_faces": topology.edge_faces.contiguous(),
    }


def _some(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


def _soft_silhouette(points, faces):
    return (ops.soft_silhouette(points, faces, SIZE, 1.5),)


def _rasterize(points, faces):
    seen = ops.rasterize(points, faces, SIZE)
    return seen.barycentric, torch.where(seen.face_id >= 0, seen.depth, 0.0)


def _antialias(image, depth, points, faces, edges, edge_faces):
    return (ops.antialias(image, depth, points, faces, edges, edge_faces),)


def _interpolate(attributes, faces, face_id, barycentric, depth):
    return (ops.interpolate(attributes, faces, ops.Fragments(face_id, barycentric, depth)),)


def _soft_color(points, faces, colors):
    return ops.soft_color(points, faces, colors, SIZE, 1.5, 0.1, near=2.0, far=6.0)


def _soft_outline(points, faces, edges, edge_faces):
    return (ops.soft_outline(points, faces, edges, edge_faces, SIZE, 1.5),)


def _texture(image, uv):
    return (ops.texture(image, uv),)


def every_op(images: int = 2) -> list[Call]:
    """Shared topology, ``images`` images, float64."""
    g = _geometry(images)
    points, faces = g["points"], g["faces"]
    seen = ops.rasterize(points, faces, SIZE)
    fragments = {"face_id": seen.face_id, "barycentric": seen.barycentric, "depth": seen.depth}
    picture = _some((images, *SIZE, 2))
    return [
        Call(
            "soft_silhouette", _soft_silhouette, ("points",), {"points": points[..., :2].contiguous(), "faces": faces}
        ),
        Call("rasterize", _rasterize, ("points",), {"points": points, "faces": faces}),
        Call("antialias", _antialias, ("image", "points"), {"image": picture, "depth": seen.depth, **g}),
        Call(
            "interpolate",
            _interpolate,
            ("attributes", "barycentric"),
            {"attributes": _some((images, len(MESH.verts), 3)), "faces": faces, **fragments},
        ),
        Call(
            "soft_color",
            _soft_color,
            ("points", "colors"),
            {"points": points, "faces": faces, "colors": _some((len(faces), 3, 3))},
        ),
        Call("soft_outline", _soft_outline, ("points",), g),
        Call(
            "texture",
            _texture,
            ("image", "uv"),
            {"image": _some((images, 6, 5, 3)), "uv": _some((images, 4, 7, 2)) * 3 - 1},
        ),
    ]


NAMES = ["soft_silhouette", "rasterize", "antialias", "interpolate", "soft_color", "soft_outline", "texture"]


def op(name: str, images: int = 2) -> Call:
    return next(call for call in every_op(images) if call.name == name)
