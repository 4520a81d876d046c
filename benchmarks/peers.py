"""The same pictures by other renderers, where they are installed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from invgraph.geometry import Mesh

Step = Callable[[], object]


def pytorch3d_soft_silhouette(points: Tensor, mesh: Mesh, size: int, sigma_ndc: float, faces_per_pixel: int) -> Step:
    """Forward and backward of PyTorch3D's soft silhouette; raises ImportError where it is not installed."""
    from pytorch3d.renderer.blending import BlendParams, sigmoid_alpha_blend
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.renderer.mesh.rasterizer import Fragments
    from pytorch3d.structures import Meshes

    # pixels to its normalised device coordinates: x left, y up
    verts = torch.cat([1 - 2 * points[0, :, :2] / size, points[0, :, 2:]], -1)
    blur = math.log(1 / 1e-4 - 1) * sigma_ndc
    colors = torch.ones(1, size, size, faces_per_pixel, 3)

    def step() -> Tensor:
        moved = verts.clone().requires_grad_()
        fragments = Fragments(*rasterize_meshes(Meshes([moved], [mesh.faces]), size, blur, faces_per_pixel, bin_size=0))
        alpha = sigmoid_alpha_blend(colors, fragments, BlendParams(sigma=sigma_ndc))[..., 3]
        (alpha - 0.3).square().sum().backward()
        return alpha.detach()

    return step


def deodr_coverage(points: Tensor, mesh: Mesh, size: int) -> Step:
    """Forward and backward of DEODR's antialiased mask, with its own search for the silhouette edges, as ours has."""
    from deodr.differentiable_renderer import Scene2D
    from deodr.triangulated_mesh import TriMesh

    uv = points[0, :, :2].double().numpy()
    # it culls faces that run clockwise in (u, v)
    faces = mesh.faces.numpy().astype(np.uint32)
    count = len(uv)
    connectivity = TriMesh(faces, points[0].double().numpy(), clockwise=False)
    scene = Scene2D(
        faces=faces,
        faces_uv=faces,
        ij=uv,
        depths=points[0, :, 2].double().numpy(),
        textured=np.zeros(len(faces), dtype=bool),
        uv=np.zeros((count, 2)),
        shade=np.ones(count),
        colors=np.ones((count, 1)),
        shaded=np.zeros(len(faces), dtype=bool),
        edgeflags=np.zeros((len(faces), 3), dtype=bool),
        height=size,
        width=size,
        nb_colors=1,
        texture=np.zeros((0, 0, 1)),
        background_color=np.zeros(1),
        clockwise=False,
        backface_culling=True,
        integer_pixel_centers=False,
    )

    def step() -> np.ndarray:
        scene.edgeflags = connectivity.edge_on_silhouette(uv)
        scene.clear_gradients()
        image, _ = scene.render(sigma=1.0)
        scene.render_backward(2 * (image - 0.3))
        return image

    return step
