"""The cameras and the voxels of the SoftRas/NMR ShapeNet files, in the house's conventions.

The frame of SoftRas is left-handed: x right, y up, z away from the camera of view 0. The house has z towards that
camera, so that what is called ``z`` here is ``-z`` there, and pictures and voxels are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ...cameras import Cameras
from ...geometry.mesh import Mesh
from ..shapes.records import Voxels
from ..shapes.voxelize import voxelize

VIEWS, SIZE, RESOLUTION = 24, 64, 32
DISTANCE, ELEVATION, STEP, HALF_ANGLE = 2.732, 30.0, 15.0, 15.0
SIDE = 32 / 31
"""Side of the cube of voxels: SoftRas puts the unit cube into ``[0.5, 31.5]`` of the 32 voxels."""


def nmr_cameras(views: Sequence[int] | Tensor | None = None, image_size: int = SIZE) -> Cameras:
    """Cameras of the NMR pictures: distance 2.732, elevation 30 degrees, azimuth -15 k degrees, half-angle 15 degrees.

    In them ``u = 32 + 32 x / (z tan 15)`` for 64 pixels, with u = 0.5 in the middle of the first one.

    Args:
        views: numbers k of the views; None: all 24.
        image_size: pixels along a side.

    Returns:
        float32 Cameras around the origin; the world is x right, y up, z towards the camera of view 0.

    Raises:
        ValueError: a view below 0 or above 23.
    """
    k = torch.arange(VIEWS) if views is None else torch.as_tensor(views).reshape(-1).cpu()
    if len(k) and not (int(k.min()) >= 0 and int(k.max()) < VIEWS):
        raise ValueError(f"views: expected numbers from 0 to {VIEWS - 1}, got {k.tolist()}")
    azimuth = torch.deg2rad(-STEP * k.double())
    up = math.radians(ELEVATION)
    flat = DISTANCE * math.cos(up)
    eye = torch.stack(
        [flat * azimuth.sin(), torch.full_like(azimuth, DISTANCE * math.sin(up)), flat * azimuth.cos()], 1
    )
    cameras = Cameras.look_at(eye, (0.0, 0.0, 0.0), (0.0, 1.0, 0.0), 2 * HALF_ANGLE, (image_size, image_size))
    return cameras.to(dtype=torch.float32)


def nmr_voxels(mesh: Mesh, resolution: int = RESOLUTION) -> Voxels:
    """Voxels of a mesh by the protocol of SoftRas: the cube ``[-0.5, 0.5]^3`` within 31 of the 32 voxels.

    Args:
        mesh: one mesh in the world of :func:`nmr_cameras`; what lies outside of the cube is left out.
        resolution: voxels along an axis; 31 / 32 stays.

    Returns:
        :class:`Voxels`, filled as by :func:`voxelize`; ``filled[x, y, z]`` is the file's ``[y, x, z]``.
    """
    filled = voxelize(mesh.detach().with_verts(mesh.verts.detach() / SIDE), resolution)
    return as_voxels(filled)


def as_voxels(filled: Tensor) -> Voxels:
    """(R, R, R) bool in the order x, y, z, with the place of the cube."""
    return Voxels(filled, torch.full((3,), -SIDE / 2, dtype=torch.float64), SIDE)


def file_order(voxels: Tensor) -> Tensor:
    """From x, y, z to the order of the files, y, x, z, and back."""
    return voxels.transpose(-3, -2)
