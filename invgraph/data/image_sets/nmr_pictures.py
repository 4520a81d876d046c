"""A mesh in the pictures of the NMR set."""

from __future__ import annotations

import torch
from torch import Tensor

from ...geometry.mesh import Mesh
from ...render.lights import AmbientLight, DirectionalLight
from ...render.renderer import render
from .nmr_frame import nmr_cameras

LIGHTS = (
    AmbientLight(0.38),
    DirectionalLight((0.5, 1.0, 0.8), 0.5),
    DirectionalLight((-0.9, 0.3, 0.2), 0.22),
    DirectionalLight((0.2, 0.1, -1.0), 0.15),
)


def nmr_pictures(mesh: Mesh) -> Tensor:
    """The 24 shaded, antialiased views of a mesh.

    Args:
        mesh: one mesh in the world of :func:`nmr_cameras`, within ``[-0.5, 0.5]^3``. Without an appearance it is white.

    Returns:
        (24, 4, 64, 64) uint8 RGBA. Colours are straight, and black where alpha is 0.
    """
    drawn = render(mesh, nmr_cameras(), outputs=("rgb", "alpha"), lights=LIGHTS, flat=True)
    alpha = drawn.alpha[..., None]
    # the picture is blended with black at the outline: divided by alpha it is straight
    straight = torch.where(alpha > 0, drawn.rgb / alpha.clamp_min(1 / 255), torch.zeros(()))
    rgba = torch.cat([straight.clamp(0, 1), alpha.clamp(0, 1)], -1)
    rgba = (255 * rgba).round().to(torch.uint8)
    rgba[..., :3] *= rgba[..., 3:] > 0
    return rgba.permute(0, 3, 1, 2).contiguous()
