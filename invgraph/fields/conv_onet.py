"""Convolutional Occupancy Networks: a cloud of points to features in space, and those to occupancy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from .conditioning import as_batch
from .field import Field, FieldKind
from .local_pointnet import LocalPointNet, mean_in_cells
from .multilinear import interpolate_grid
from .resnet import ResNetReadout
from .unet import UNet

_PLANES = ((0, 2), (0, 1), (1, 2))  # the axes that span each plane


class ConvONet(Field):
    """Convolutional Occupancy Networks (Peng 2020): :meth:`encode` makes a code of a cloud, the field reads it.

    A PointNet with maxima over cells gives each point of the cloud its features; their means in the cells of three
    axis-aligned planes, or of a volume, pass a U-Net of two or three dimensions. At a point of space the features of
    the three planes, interpolated, are added (those of the volume are interpolated), and a small residual network
    reads the value::

        code = field.encode(cloud[None])                # (1, N, 3) -> (1, code_size)
        surface = extract_mesh(field, code=code[0])

    The code is a vector, as every field's; :meth:`features` gives it its shape. Coordinates count within ``bounds``:
    points beyond them take the features at the nearest place of the box. In both modes a value depends on its own point
    and cloud alone, and it can be differentiated with respect to the points to any order.

    Args:
        grid: "planes" or "volume".
        resolution: cells along each axis.
        channels: channels of the point features, of the code, and of the readout.
        width: channels of the U-Net's finest level.
        levels: resolutions of the U-Net, each half of the one before.
        blocks: residual blocks of the point network and of the readout.
        kind: what the values mean; the paper's are occupancy logits.
        bounds: box that the cells fill; the cloud should leave some room at its border.
    """

    def __init__(
        self,
        grid: Literal["planes", "volume"] = "planes",
        *,
        resolution: int = 64,
        channels: int = 32,
        width: int = 32,
        levels: int = 4,
        blocks: int = 5,
        kind: FieldKind = "occupancy",
        bounds: Tensor | Sequence[Sequence[float]] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
    ) -> None:
        if grid not in ("planes", "volume"):
            raise ValueError(f"grid: expected 'planes' or 'volume', got {grid!r}")
        sizes = {"resolution": resolution, "channels": channels, "width": width, "levels": levels, "blocks": blocks}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")
        if resolution % 2 ** (levels - 1):
            raise ValueError(
                f"resolution: expected a multiple of 2^(levels - 1) = {2 ** (levels - 1)}, got {resolution}"
            )
        shape = (3, resolution, resolution) if grid == "planes" else (resolution,) * 3
        super().__init__(kind, channels * shape[0] * shape[1] * shape[2], bounds)
        self.grid, self.resolution, self.shape = grid, resolution, (*shape, channels)
        self.point_network = LocalPointNet(channels, blocks)
        self.unet = UNet(2 if grid == "planes" else 3, channels, width, levels)
        # features from an encoder move far in the first steps, most of all to where everything is outside; there the
        # paper's ReLU would leave a readout without gradients
        self.readout = ResNetReadout(channels, channels, blocks, slope=0.2)

    def encode(self, points: Tensor) -> Tensor:
        """Codes (B, code_size) of B clouds (B, N, 3), whose order of points does not matter."""
        if not points.is_floating_point():
            raise TypeError(f"points: expected floating point coordinates, got {points.dtype}")
        if points.ndim != 3 or points.shape[-1] != 3 or points.shape[1] == 0:
            raise ValueError(f"points: expected clouds (B, N, 3) of one or more points, got {tuple(points.shape)}")
        if not bool(points.isfinite().all()):
            raise ValueError("points: expected finite coordinates, got NaN or infinity")
        clouds, R = len(points), self.resolution
        u = self._unit(points)
        cell = (u * R).long().clamp(0, R - 1)
        first = torch.arange(clouds, device=points.device)[:, None]
        if self.grid == "planes":  # the planes of all clouds in a row: (plane, cloud, cells of both axes)
            grids = [(((first * R + cell[..., a]) * R + cell[..., b]).flatten(), clouds * R * R) for a, b in _PLANES]
        else:
            x, y, z = cell.unbind(-1)
            grids = [((((first * R + x) * R + y) * R + z).flatten(), clouds * R**3)]
        within = 2 * (u * R - cell) - 1  # places in the point's cell, which coordinates in the box hardly tell apart
        features = self.point_network(torch.cat([2 * u - 1, within.clamp(-1, 1)], -1).flatten(0, 1), grids)
        means = torch.stack([mean_in_cells(features, cells, count) for cells, count in grids])
        maps = means.view(len(grids) * clouds, *self.shape[1 if self.grid == "planes" else 0 :])
        maps = self.unet(maps.movedim(-1, 1)).movedim(1, -1)
        return maps.reshape(len(grids), clouds, -1).transpose(0, 1).reshape(clouds, -1)

    def features(self, code: Tensor) -> Tensor:
        """(..., code_size) as (..., 3, R, R, channels), planes xz, xy and yz; or as (..., R, R, R, channels)."""
        return code.unflatten(-1, self.shape)

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        """Values (...) at points (..., 3); see :meth:`Field.forward`."""
        self.check(points, code)
        rows, codes = as_batch(points, code)
        assert codes is not None  # check() lets no code pass only for a field without
        u, features = self._unit(rows), self.features(codes)
        if self.grid == "planes":
            sampled = sum(interpolate_grid(features[:, k], u[..., axes]) for k, axes in enumerate(_PLANES))
        else:
            sampled = interpolate_grid(features, u)
        return self.readout(2 * u - 1, sampled).reshape(points.shape[:-1])

    def _unit(self, points: Tensor) -> Tensor:
        """Coordinates within the bounds, 0 at the lowest corner and 1 at the highest."""
        return (points - self.bounds[0]) / (self.bounds[1] - self.bounds[0])
