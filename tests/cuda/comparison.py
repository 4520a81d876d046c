"""Scenes and calls on which the CUDA functions are compared with the CPU kernels, with a GPU and without."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from invgraph.geometry import Mesh, icosphere

SIZE = (37, 70)  # not whole tiles, not square

TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-11}  # a crossing of nearly parallel lines loses two digits


class Scene(NamedTuple):
    name: str
    points: Tensor
    faces: Tensor
    ranges: Tensor | None
    edges: Tensor
    edge_faces: Tensor
    smooth: bool = True
    """Whether gradients are defined: not where several edges of a face are equally near everywhere."""


def scenes(dtype: torch.dtype) -> Iterator[Scene]:
    """Soups that reach over the border and a sphere in front of another, shared and packed; a crowd; faces that are
    repeated, behind the camera, not finite, larger than the image, without area."""
    for packed in (False, True):
        points, faces = _soup(40, 1 if packed else 2)
        ranges = torch.tensor([[0, 7], [7, 7], [9, 40]]) if packed else None
        yield _scene("packed soup" if packed else "soup", points[0] if packed else points, faces, ranges, dtype)
        points, faces = _spheres()
        if packed:
            count, moved = points.shape[1], points + torch.tensor([5.3, -2.1, 0.4])
            both = torch.cat([points[0], moved[0]])
            half = len(faces)
            ranges = torch.tensor([[0, half], [half, 2 * half]])
            yield _scene("packed spheres", both, torch.cat([faces, faces + count]), ranges, dtype)
        else:
            yield _scene("spheres", torch.cat([points, points * torch.tensor([0.9, 1.1, 1.0])]), faces, None, dtype)
    points, faces = _soup(300, 1)
    yield _scene("crowd", points * torch.tensor([0.2, 0.2, 1.0]), faces, None, dtype)  # more in a tile than are staged
    points, faces = _odd_faces()
    yield _scene("odd faces", points, faces, None, dtype)
    flat = torch.tensor([[4, 5, 6], [4, 6, 7], [0, 1, 2]])
    yield _scene("faces without area", points, flat, None, dtype)._replace(smooth=False)
    none = torch.zeros(0, 3, dtype=torch.int64)
    yield _scene("no faces", torch.zeros(2, 4, 3), none, None, dtype)
    yield _scene("no images", torch.zeros(0, 4, 3), none, None, dtype)


def _scene(name: str, points: Tensor, faces: Tensor, ranges: Tensor | None, dtype: torch.dtype) -> Scene:
    topology = Mesh(torch.zeros(points.shape[-2], 3), faces).topology
    return Scene(name, points.to(dtype), faces, ranges, topology.edges, topology.edge_faces)


def _soup(faces: int, images: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(faces)
    shape = (images, faces, 3)
    centre = torch.rand(images, faces, 1, 2, generator=generator, dtype=torch.float64) * 74 - 2
    corner = centre + torch.randn(*shape, 2, generator=generator, dtype=torch.float64) * 8
    depth = 1 + torch.rand(*shape, 1, generator=generator, dtype=torch.float64) * 3
    return torch.cat([corner, depth], -1).reshape(images, 3 * faces, 3), torch.arange(3 * faces).reshape(faces, 3)


def _spheres() -> tuple[Tensor, Tensor]:
    one = icosphere(1)
    verts = torch.cat([one.verts, one.verts * 0.7 + torch.tensor([0.8, 0.3, -0.6])]).double()
    z = verts[:, 2:] + 4
    uv = verts[:, :2] / z * 60 + torch.tensor([30.137, 18.281])
    return torch.cat([uv, z], -1)[None], torch.cat([one.faces, one.faces + len(one.verts)])


def _odd_faces() -> tuple[Tensor, Tensor]:
    nan, inf = float("nan"), float("inf")
    points = torch.tensor(
        [
            *[[4.5, 4.5, 1], [30.5, 4.5, 1], [4.5, 30.5, 1], [30.5, 30.5, 1]],  # edges through pixel centres
            *[[10, 10, 2], [10, 10, 2], [20, 20, 2], [15, 15, 2]],  # no area
            *[[nan, 3, 1], [inf, 2, 1], [5, 5, -1], [6, 6, 0], [1e30, 3, 1]],
            *[[-1e4, -1e4, 3], [1e4, -1e4, 3], [40, 1e4, 3]],  # behind everything
        ],
        dtype=torch.float64,
    )
    faces = [[0, 1, 2], [2, 1, 3], [0, 1, 2], [1, 0, 2], [0, 1, 8], [0, 1, 9], [0, 1, 10], [0, 1, 11], [0, 1, 12]]
    return points[None], torch.tensor([*faces, [13, 14, 15]])


def calls(scene: Scene) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Operations with their arguments: each primitive's forward and backward pass, at CPU results."""
    for operation, arguments in _all_calls(scene):
        if scene.smooth or not operation.endswith("_backward"):
            yield operation, arguments


def _all_calls(scene: Scene) -> Iterator[tuple[str, tuple[Any, ...]]]:
    _, points, faces, ranges, edges, edge_faces, _ = scene
    op, random = torch.ops.invgraph, torch.Generator().manual_seed(1)

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=random, dtype=torch.float64).to(like.dtype)

    uv = points[..., :2]
    for sigma in (0.3, 20.0):
        silhouette = (uv, faces, ranges, *SIZE, sigma, 9.2)
        yield "soft_silhouette", silhouette
        alpha, transmittance = op.soft_silhouette(*silhouette)
        yield "soft_silhouette_backward", (uv, faces, ranges, sigma, 9.2, transmittance, noise(alpha))

    yield "rasterize", (points, faces, ranges, *SIZE, False)
    yield "rasterize", (points, faces, ranges, *SIZE, True)
    weights, depth, face_id = op.rasterize(points, faces, ranges, *SIZE, True)
    yield "rasterize_backward", (points, faces, ranges, face_id, noise(weights), noise(depth))

    rows = noise(points.new_empty(*points.shape[:-1], 5))
    for attributes in (rows,) if ranges is not None or len(points) == 0 else (rows, rows[0]):
        yield "interpolate", (attributes, faces, ranges, face_id, weights)
        out = op.interpolate(attributes, faces, ranges, face_id, weights)
        yield "interpolate_backward", (attributes, faces, ranges, face_id, weights, noise(out), True, True)

    image = torch.cat([weights, (face_id >= 0).to(weights)[..., None]], -1)
    yield "antialias", (image, depth, points, faces, ranges, edges, edge_faces)
    out, crossing = op.antialias(image, depth, points, faces, ranges, edges, edge_faces)
    yield "antialias_backward", (image, depth, points, faces, ranges, edges, edge_faces, crossing, noise(out), True)
    mask = (None, depth, points, faces, ranges, edges, edge_faces)
    yield "antialias", mask
    out, crossing = op.antialias(*mask)
    yield "antialias_backward", (*mask, crossing, out - 0.3, False)

    for scale, reach in ((0.4, 3.4), (2.0, 17.0)):
        outline = (points, faces, ranges, edges, edge_faces, depth, scale, reach)
        yield "soft_outline", outline
        alpha, nearest, fraction = op.soft_outline(*outline)
        yield (
            "soft_outline_backward",
            (points, faces, ranges, edges, depth, scale, nearest, fraction, noise(alpha)),
        )

    corners = noise(points.new_empty(*points.shape[:1], len(faces), 3, 6)).abs()
    numbers = [2.0, 0.05, 9.2, 0.5, 5.0, 1e-3]
    for colors in (corners[0],) if ranges is not None else (corners, corners[0]) if len(points) else (corners,):
        yield "soft_color", (points, faces, ranges, colors, *SIZE, numbers)
        outputs = op.soft_color(points, faces, ranges, colors, *SIZE, numbers)
        grads = [noise(t) for t in outputs[:3]]
        yield "soft_color_backward", (points, faces, ranges, colors, numbers, True, list(outputs), grads)


def cuda_function(operation: str) -> Any:
    """The function that is registered for an operation on CUDA."""
    primitive = operation.removesuffix("_backward")
    return getattr(import_module(f"invgraph.ops.cuda.{primitive}"), "forward" if primitive == operation else "backward")


def tensors(result: Any) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def comparable(operation: str, arguments: tuple[Any, ...], result: Any) -> tuple[Tensor, ...]:
    """The outputs that are defined but for roundings. Of two edges that are equally near to a pixel either may be named
    as the nearest, so there the distance to it."""
    if operation != "soft_outline" or len(arguments[3]) == 0:
        return tensors(result)
    points, _, ranges, edges, *_ = arguments
    alpha, nearest, fraction = result
    ends = edges[nearest[:, 0].clamp_min(0).long() >> 1]  # (B, H, W, 2)
    if ranges is None:
        image = torch.arange(len(points), device=points.device)[:, None, None, None]
        corner = points[image, ends, :2]
    else:
        corner = points[ends, :2]
    point = corner[..., 0, :].lerp(corner[..., 1, :], fraction[..., None])
    u, v = torch.meshgrid(torch.arange(SIZE[1]) + 0.5, torch.arange(SIZE[0]) + 0.5, indexing="xy")
    distance = (point - torch.stack([u, v], -1).to(point)).norm(dim=-1)
    return alpha, torch.where(nearest[:, 0] >= 0, distance, -1.0)


def assert_same(ours: Any, theirs: Any, what: str) -> None:
    """Equal integers; numbers that differ by roundings, relative to the largest of their tensor."""
    for number, (a, b) in enumerate(zip(tensors(ours), tensors(theirs), strict=True)):
        where = f"{what}, output {number}"
        assert a.shape == b.shape, where
        assert a.dtype == b.dtype, where
        if not a.is_floating_point():
            assert torch.equal(a, b), where
            continue
        finite = b.isfinite()
        assert torch.equal(a.isfinite(), finite), where
        largest = float(b[finite].abs().max()) if finite.any() else 0.0
        torch.testing.assert_close(
            a, b, rtol=0, atol=TOLERANCE[b.dtype] * max(1.0, largest), msg=lambda m, where=where: f"{where}: {m}"
        )


def on(device: torch.device | str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with their tensors, also those in lists, on a device."""

    def move(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(device)
        return [move(v) for v in value] if isinstance(value, list) else value

    return tuple(move(value) for value in arguments)


__all__ = ["SIZE", "Scene", "assert_same", "calls", "comparable", "cuda_function", "on", "scenes", "tensors"]
