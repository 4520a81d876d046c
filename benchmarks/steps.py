"""What is timed: forward and backward of our primitives, one function a step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks.scenes import Scene
from invgraph import ops


def soft(scene: Scene, sigma: float, *, backward: bool = True) -> Callable[[], Tensor]:
    """Soft silhouette."""

    def step() -> Tensor:
        moved = scene.points[..., :2].clone().requires_grad_()
        alpha = ops.soft_silhouette(moved, scene.mesh.faces, (scene.size, scene.size), sigma)
        if backward:
            (alpha - 0.3).square().sum().backward()
        return alpha.detach()

    return step


def coverage(scene: Scene) -> Callable[[], Tensor]:
    """Rasterize and antialias: the mask; its gradient is given, as the peer's is, and not derived from a loss."""
    faces, topology = scene.mesh.faces, scene.mesh.topology
    edges, edge_faces = topology.edges, topology.edge_faces

    def step() -> Tensor:
        moved = scene.points.clone().requires_grad_()
        seen = ops.rasterize(moved, faces, (scene.size, scene.size), barycentric=False)
        alpha = ops.antialias(None, seen.depth, moved, faces, edges, edge_faces).squeeze(-1)
        alpha.backward(2 * (alpha.detach() - 0.3))
        return alpha.detach()

    return step


def picture(scene: Scene, channels: int = 3, *, antialias: bool = True) -> Callable[[], Tensor]:
    """Rasterize, interpolate attributes of the vertices, and antialias."""
    faces, topology = scene.mesh.faces, scene.mesh.topology
    edges, edge_faces = topology.edges, topology.edge_faces
    attributes = vertex_attributes(scene, channels)

    def step() -> Tensor:
        moved, varying = scene.points.clone().requires_grad_(), attributes.clone().requires_grad_()
        fragments = ops.rasterize(moved, faces, (scene.size, scene.size))
        image = ops.interpolate(varying, faces, fragments)
        if antialias:
            image = ops.antialias(image, fragments.depth, moved, faces, edges, edge_faces)
        (image - 0.3).square().sum().backward()
        return image.detach()

    return step


def outline(scene: Scene, sigma: float) -> Callable[[], Tensor]:
    """The soft silhouette that is 1/2 on the visible outline."""
    faces, topology = scene.mesh.faces, scene.mesh.topology
    edges, edge_faces = topology.edges, topology.edge_faces

    def step() -> Tensor:
        moved = scene.points.clone().requires_grad_()
        alpha = ops.soft_outline(moved, faces, edges, edge_faces, (scene.size, scene.size), sigma)
        (alpha - 0.3).square().sum().backward()
        return alpha.detach()

    return step


def color(scene: Scene, sigma: float, gamma: float) -> Callable[[], Tensor]:
    """Soft colour of three channels, gradients to points and colours."""
    colors = vertex_attributes(scene, 3)[scene.mesh.faces]

    def step() -> Tensor:
        moved, varying = scene.points.clone().requires_grad_(), colors.clone().requires_grad_()
        size = scene.size, scene.size
        rgb, alpha = ops.soft_color(moved, scene.mesh.faces, varying, size, sigma, gamma, near=2.0, far=4.0)
        ((rgb - 0.3).square().sum() + (alpha - 0.3).square().sum()).backward()
        return rgb.detach()

    return step


def vertex_attributes(scene: Scene, channels: int) -> Tensor:
    """``(V, C)`` in [0, 1], the same every time."""
    count, points = scene.points.shape[1], scene.points
    return torch.rand(count, channels, generator=torch.Generator().manual_seed(0)).to(points.device, points.dtype)
