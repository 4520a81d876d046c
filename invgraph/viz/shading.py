"""Plain Lambertian pictures of a mesh, lit from beside the camera."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras import Cameras
from ..geometry import Mesh

_CLAY = (0.58, 0.52, 0.455)  # linear light
_INSIDE = (0.58, 0.16, 0.12)
# towards the light in camera coordinates (x right, y down, z forward), and its strength
_LIGHTS = (((-0.70, -0.80, -0.55), 0.92), ((0.90, 0.05, -0.25), 0.12))
_SKY, _GROUND = 0.26, 0.06  # ambient light on surfaces that face the picture's top and bottom


def shade(
    normals: Tensor, cameras: Cameras, albedo: Tensor | None = None, face_normals: Tensor | None = None
) -> Tensor:
    """Lambertian shading: a key light from the upper left, a fill light from the right, ambient light from above.

    The lights turn with the camera. A surface seen from its back is shaded in red, which shows holes and faces that are
    wrongly oriented.

    Args:
        normals: (N, H, W, 3) unit normals in world coordinates; zero where there is no surface.
        cameras: N cameras with image size (H, W).
        albedo: (N, H, W, 3) sRGB colours of the surface; None: clay.
        face_normals: (N, H, W, 3) those of the faces themselves, which tell front from back: normals that are
            interpolated around a sharp edge may lean far away from a camera that sees the front. None: ``normals``.

    Returns:
        (N, H, W, 3) sRGB colours in [0, 1]; black where there is no surface.
    """
    N, (H, W) = len(cameras), cameras.image_size
    if normals.shape != (N, H, W, 3):
        raise ValueError(f"normals: expected shape {(N, H, W, 3)} as the cameras have it, got {tuple(normals.shape)}")
    R, K = cameras.R.to(normals), cameras.K.to(normals)
    colors = torch.zeros_like(normals)
    for i in range(N):
        row, column = (normals[i] != 0).any(-1).nonzero(as_tuple=True)
        n = normals[i, row, column] @ R[i].mT  # (P, 3), camera coordinates
        pixel = torch.stack([column + 0.5, row + 0.5, torch.ones_like(row)], -1).to(n)
        ray = pixel @ torch.linalg.inv(K[i]).mT if cameras.is_perspective else n.new_tensor([0.0, 0.0, 1.0])
        # interpolated normals lean a little past the outline of a smooth surface without it being seen from behind
        own, lean = (n, 0.25) if face_normals is None else (face_normals[i, row, column] @ R[i].mT, 0.0)
        back = (own * torch.nn.functional.normalize(ray, dim=-1)).sum(-1, keepdim=True) > lean
        n = torch.where(back, -n, n)
        light = _GROUND + (_SKY - _GROUND) * (0.5 - 0.5 * n[:, 1:2])
        for direction, strength in _LIGHTS:
            towards = torch.nn.functional.normalize(n.new_tensor(direction), dim=0)
            light = light + strength * (n @ towards).clamp(min=0)[:, None]
        surface = n.new_tensor(_CLAY) if albedo is None else _linear(albedo[i, row, column])
        linear = (light * torch.where(back, n.new_tensor(_INSIDE), surface)).clamp(0, 1)
        # the sRGB transfer curve, IEC 61966-2-1
        curve = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
        colors[i, row, column] = torch.where(linear <= 0.0031308, 12.92 * linear, curve)
    return colors


@torch.no_grad()
def shaded(mesh: Mesh, cameras: Cameras, *, supersample: int = 2) -> Tensor:
    """Pictures of a mesh: shaded surface and coverage.

    Args:
        mesh: verts (V, 3), in the cameras' world; shown in its own colours if it has any of 1 or 3 channels.
        cameras: N cameras; the pictures have their image size (H, W).
        supersample: each pixel is the average of ``supersample`` x ``supersample`` samples.

    Returns:
        (N, H, W, 4) sRGB with straight alpha, float in [0, 1].
    """
    from ..render import render

    if supersample < 1:
        raise ValueError(f"supersample: expected at least 1, got {supersample}")
    H, W = cameras.image_size
    colored = mesh.appearance is not None and mesh.appearance.channels in (1, 3)
    outputs = ("alpha", "normal", "face_id", *(("rgb",) if colored else ()))
    face_normals = torch.nn.functional.pad(mesh.face_normals(), (0, 0, 1, 0))  # the first is of no face
    pictures = []
    for i in range(len(cameras)):  # one at a time: the memory of one fine picture, however many there are
        camera = cameras[i : i + 1].resize((supersample * H, supersample * W))
        drawn = render(mesh, camera, mode="hard", outputs=outputs)
        alpha = drawn.alpha[..., None]
        colors = drawn.rgb.expand(-1, -1, -1, 3) if colored else None
        lit = shade(drawn.normal, camera, colors, face_normals[drawn.face_id + 1])
        layers = torch.cat([lit * alpha, alpha], -1).movedim(-1, 1)
        layers = torch.nn.functional.avg_pool2d(layers, supersample).movedim(1, -1)
        coverage = layers[..., 3:]
        pictures.append(torch.cat([layers[..., :3] / coverage.clamp(min=1e-6), coverage], -1))
    return torch.cat(pictures).clamp(0, 1)


def _linear(colors: Tensor) -> Tensor:
    """sRGB colours in linear light, by the inverse of the curve above."""
    colors = colors.clamp(0, 1)
    return torch.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
