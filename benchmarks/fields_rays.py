"""Silhouettes of fields along rays: what they cost, and where they settle."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, normalize

from benchmarks.measure import header, machine, medians_ms, ms, row
from invgraph.cameras import Cameras
from invgraph.fields import Field, GridField, Sphere, camera_rays, ray_alpha

METHODS = ("closest", "occupancy", "volsdf")
RADIUS, DISTANCE, FINER = 0.7, 3.0, 16


class Values(Field):
    """Signed distances of a sphere on a grid of 64^3 nodes, between them trilinear."""

    def __init__(self) -> None:
        super().__init__("sdf")
        axis = torch.linspace(-1, 1, 64)
        nodes = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
        self.values = torch.nn.Parameter((nodes.norm(dim=-1) - RADIUS)[None, None])

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        self.check(points, code)
        at = points.reshape(1, 1, 1, -1, 3)
        return grid_sample(self.values, at, align_corners=True).reshape(points.shape[:-1])


def rays_time(arguments: argparse.Namespace) -> None:
    """Milliseconds of 8 views of 64x64 pixels, 32 samples a ray and 8 more in the second pass, float32."""
    print(machine() + "\n")
    header("field", "method", "forward ms", "forward and backward ms")
    cameras = _cameras(8, 64)
    for name, field in (("trilinear, 64^3", Values()), ("GridField, levels 16, 32, 64", GridField("sdf"))):
        for method in METHODS:

            def alpha(method: str = method, field: Field = field) -> Tensor:
                return ray_alpha(field, cameras, method=method)  # type: ignore[arg-type]

            def forward_and_back(alpha: Callable[[], Tensor] = alpha) -> None:
                alpha().mean().backward()

            forward, both = medians_ms(alpha, forward_and_back, repeats=arguments.repeats)
            row(name, method, ms(forward), ms(both))


def rays_bias(arguments: argparse.Namespace) -> None:
    """Where the best radius of a sphere lies beside the true one, in pixels.

    Squared error of alpha, 3 views of 64x64, against the exact coverage of pixels from 16 x 16 rays each.
    """
    cameras = _cameras(3, 64)
    target = _coverage(cameras)
    pixel = (DISTANCE**2 - RADIUS**2) ** 0.5 / float(cameras.K[0, 0, 0])
    widths = (0.1, 0.18, 0.5, 1.0, 2.0)
    header("method", "samples", *(f"softness {width}" for width in widths))
    for method in METHODS:
        for samples in (32, 128):
            found = []
            for width in widths:

                def error(shift: float, method: str = method, samples: int = samples, width: float = width) -> float:
                    sphere = Sphere(RADIUS + shift * pixel, bounds=((-1, -1, -1), (1, 1, 1)))
                    alpha = ray_alpha(sphere, cameras, method=method, samples=samples, softness=width)  # type: ignore[arg-type]
                    return float((alpha - target).square().sum())

                best = minimize_scalar(error, bounds=(-10, 4), method="bounded", options={"xatol": 1e-4})
                found.append(f"{best.x:.3f}")
            row(method, samples, *found)


def _cameras(count: int, size: int) -> Cameras:
    eye = DISTANCE * normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    return Cameras.look_at(eye, at=[0, 0, 0], up=[0, 1, 0], fov_deg=40, image_size=(size, size))


def _coverage(cameras: Cameras) -> Tensor:
    """(N, H, W) of the sphere, by counting rays that meet it."""
    H, W = cameras.image_size
    rays = camera_rays(cameras.resize((FINER * H, FINER * W)))
    along = normalize(rays.directions, dim=1)
    missed_by = (rays.origins - (rays.origins * along).sum(1, keepdim=True) * along).norm(dim=1)
    hit = (missed_by < RADIUS).float().reshape(len(cameras), 1, FINER * H, FINER * W)
    return avg_pool2d(hit, FINER)[:, 0]
