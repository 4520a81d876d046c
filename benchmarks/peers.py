"""The same pictures by other renderers, each a step of forward and backward; ImportError where one is not installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import Step
from benchmarks.scenes import SPHERE_DISTANCE, Scene, sphere_field_of_view
from benchmarks.steps import vertex_attributes


def pytorch3d_silhouette(scene: Scene, sigma_ndc: float, faces_per_pixel: int) -> Callable[[], Tensor]:
    """PyTorch3D's soft silhouette."""
    from pytorch3d.renderer.blending import BlendParams, sigmoid_alpha_blend

    verts, rasterized = _pytorch3d(scene, sigma_ndc, faces_per_pixel)
    # what it calls colours is not looked at: one number, expanded
    ones = verts.new_ones(1).expand(len(verts), scene.size, scene.size, faces_per_pixel, 3)

    def step() -> Tensor:
        alpha = sigmoid_alpha_blend(ones, rasterized(verts.clone().requires_grad_()), BlendParams(sigma=sigma_ndc))
        (alpha[..., 3] - 0.3).square().sum().backward()
        return alpha[..., 3].detach()

    return step


def pytorch3d_color(scene: Scene, sigma_ndc: float, gamma: float, faces_per_pixel: int) -> Step:
    """PyTorch3D's soft colour of interpolated colours, gradients to points and colours."""
    from pytorch3d.ops import interpolate_face_attributes
    from pytorch3d.renderer.blending import BlendParams, softmax_rgb_blend

    verts, rasterized = _pytorch3d(scene, sigma_ndc, faces_per_pixel)
    colors = vertex_attributes(scene, 3)[scene.mesh.faces]
    blend = BlendParams(sigma_ndc, gamma, (0.0, 0.0, 0.0))

    def step() -> Tensor:
        varying = colors.clone().requires_grad_()
        seen = rasterized(verts.clone().requires_grad_())
        texels = interpolate_face_attributes(seen.pix_to_face, seen.bary_coords, varying)
        image = softmax_rgb_blend(texels, seen, blend, znear=2.0, zfar=4.0)
        (image - 0.3).square().sum().backward()
        return image.detach()

    return step


def _pytorch3d(scene: Scene, sigma_ndc: float, faces_per_pixel: int) -> tuple[Tensor, Any]:
    """Points in its normalised device coordinates, and its rasterizer of them."""
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.renderer.mesh.rasterizer import Fragments
    from pytorch3d.structures import Meshes

    verts = torch.cat([1 - 2 * scene.points[..., :2] / scene.size, scene.points[..., 2:]], -1)  # x left, y up
    faces = scene.mesh.faces.expand(len(verts), -1, -1)
    blur = math.log(1 / 1e-4 - 1) * sigma_ndc

    def rasterized(moved: Tensor) -> Any:
        meshes = Meshes(moved, faces)
        options = {"perspective_correct": True, "clip_barycentric_coords": True}
        return Fragments(*rasterize_meshes(meshes, scene.size, blur, faces_per_pixel, **options))

    return verts, rasterized


def deodr_coverage(scene: Scene) -> Step:
    """DEODR's antialiased mask, with its own search for the silhouette edges, as ours has."""
    from deodr.differentiable_renderer import Scene2D
    from deodr.triangulated_mesh import TriMesh

    points, size = scene.points[0].double().numpy(), scene.size
    uv = np.ascontiguousarray(points[:, :2])
    faces = scene.mesh.faces.numpy().astype(np.uint32)  # it culls faces that run clockwise in (u, v)
    count = len(uv)
    connectivity = TriMesh(faces, points, clockwise=False)
    picture = Scene2D(
        faces=faces,
        faces_uv=faces,
        ij=uv,
        depths=points[:, 2],
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
        picture.edgeflags = connectivity.edge_on_silhouette(uv)
        picture.clear_gradients()
        image, _ = picture.render(sigma=1.0)
        picture.render_backward(2 * (image - 0.3))
        return image

    return step


def mitsuba_sphere(level: int, size: int, samples: int) -> Step:
    """Mitsuba's ``direct_projective`` on the CPU: the icosphere of :func:`scenes.sphere` under a uniform light."""
    import mitsuba as mi

    mi.set_variant("llvm_ad_rgb")
    mi.set_log_level(mi.LogLevel.Error)
    import drjit as dr

    from invgraph.geometry import icosphere

    sphere = icosphere(level)
    mesh = mi.Mesh("sphere", len(sphere.verts), len(sphere.faces))
    buffers = mi.traverse(mesh)
    buffers["vertex_positions"] = sphere.verts.float().numpy().ravel()
    buffers["faces"] = sphere.faces.numpy().astype(np.uint32).ravel()
    buffers.update()
    film = {"type": "hdrfilm", "width": size, "height": size, "pixel_format": "luminance", "sample_border": True}
    sensor = {
        "type": "perspective",
        "fov": math.degrees(sphere_field_of_view()),
        "to_world": mi.ScalarTransform4f().look_at([0, 0, -SPHERE_DISTANCE], [0, 0, 0], [0, 1, 0]),
        "film": {**film, "rfilter": {"type": "box"}},
        "sampler": {"type": "independent", "sample_count": samples},
    }
    integrator, light = {"type": "direct_projective", "sppi": 0}, {"type": "constant"}
    scene = mi.load_dict({"type": "scene", "integrator": integrator, "sensor": sensor, "light": light, "mesh": mesh})
    parameters = mi.traverse(scene)
    key = next(name for name in parameters.keys() if name.endswith("vertex_positions"))  # noqa: SIM118 (not a dict)
    rest = mi.Float(parameters[key])

    def step() -> object:
        moved = mi.Float(rest)
        dr.enable_grad(moved)
        parameters[key] = moved
        parameters.update()
        image = mi.render(scene, parameters, spp=samples)
        dr.backward(dr.mean(dr.square(image - 0.3)))
        gradient = dr.grad(moved)
        dr.eval(gradient)
        dr.sync_thread()
        return gradient

    return step


def nvdiffrast_picture(scene: Scene, channels: int) -> Step:
    """nvdiffrast's rasterize, interpolate and antialias on the GPU, gradients to points and attributes."""
    import nvdiffrast.torch as dr

    context = dr.RasterizeCudaContext()
    faces = scene.mesh.faces.int().contiguous()
    attributes = vertex_attributes(scene, channels)
    size = scene.size, scene.size

    def step() -> Tensor:
        moved, varying = scene.points.clone().requires_grad_(), attributes.clone().requires_grad_()
        xy, z = 2 * moved[..., :2] / scene.size - 1, moved[..., 2:]
        clip = torch.cat([xy * z, (z - 3) * z * 0.5, z], -1)
        seen, _ = dr.rasterize(context, clip, faces, size)
        image, _ = dr.interpolate(varying, seen, faces)
        image = dr.antialias(image, seen, clip, faces)
        (image - 0.3).square().sum().backward()
        return image.detach()

    return step
