"""Shapes of the decoders as numbers, which refinement moves, mixes and mirrors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ..cameras import Cameras
from ..fields.rays import camera_rays
from ..geometry import Mesh
from ..render import render
from .coded_lattice import NODES, read_lattice
from .decoders import Decoder
from .expected_iou import best_threshold
from .mesh_decoder import MeshDecoder
from .model import one_by_one
from .occupancy_decoder import FieldDecoder, extracted
from .sdf_decoder import DistanceDecoder
from .sight import Sight
from .viewpoints import as_remembered

_CODE_RATE, _FEATURE_RATE = 0.05, 0.015  # of meshes
_LATTICE_RATE = 0.07  # of fields
_DEPTHS = 24  # along a ray, at which a lattice is read
_HELD = 4  # steps, between which the deepest place of a ray is not looked for
_LEAST = 1e-6  # probability
_UNSUREST = 0.05  # threshold, below which nothing is to be made of noise
# networks are surer than they are right (Guo et al. 2017): 1.6 to 1.7 gave the greatest IoU of validation shapes
_TEMPERATURE = 1.7
_SHARP_LOGITS, _SHARP_CELLS = 4.0, 2.0  # logits of a silhouette, in those of an occupancy, in cells of depth


class Stage(NamedTuple):
    """What is moved for a while: numbers (B, C), whose shapes ``shape`` gives."""

    share: float
    """Of the steps."""
    rate: float
    """Of a step, in standard deviations of the numbers."""
    start: Callable[[Tensor], Tensor]
    """The numbers, of those that the stage before has found; of codes, for the first."""
    shape: Callable[[Tensor], Tensor]


class Refinable(Protocol):
    """A decoder whose shapes are numbers (B, ...), of which means are shapes too."""

    way: float
    """How far to go from the first shape to the one that has the silhouette: their errors differ, some average out."""
    coarseness: int
    """Pixels of a picture along a side of each of its silhouette's."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """One after the other."""

    def of_codes(self, code: Tensor) -> Tensor:
        """Shapes (B, ...) of codes (B, code_size)."""

    def mirrored(self, shapes: Tensor) -> Tensor:
        """Left and right, x and -x, exchanged."""

    def silhouettes(self, cameras: Cameras) -> Callable[[Tensor], Tensor]:
        """What turns shapes, that change little from call to call, into silhouettes (B, H, W), each in its camera."""

    def meshes(self, shapes: Tensor) -> list[Mesh]:
        """One each."""


class MeshShapes:
    """Vertices (B, V, 3)."""

    way, coarseness = 0.8, 1

    def __init__(self, decoder: MeshDecoder) -> None:
        self._decoder = decoder
        self.stages = (
            Stage(2 / 3, _CODE_RATE, _itself, self.of_codes),
            # the last layer can make shapes that no code stands for
            Stage(1 / 3, _FEATURE_RATE, decoder.features, lambda h: decoder.from_features(h).verts),
        )

    def of_codes(self, code: Tensor) -> Tensor:
        return self._decoder(code).verts

    def mirrored(self, shapes: Tensor) -> Tensor:
        return shapes[:, self._decoder.opposite] * shapes.new_tensor([-1.0, 1.0, 1.0])

    def silhouettes(self, cameras: Cameras) -> Callable[[Tensor], Tensor]:
        return lambda shapes: render(self._decoder.over(shapes), cameras, mode="antialias").alpha

    def meshes(self, shapes: Tensor) -> list[Mesh]:
        return one_by_one(self._decoder.over(shapes))


class LatticeShapes:
    """Logits (B, n, n, n) at the nodes of a lattice, positive inside, as sharp as a silhouette is.

    Args:
        of_codes: gives them of codes.
        box: (2, 3), from the first node to the last one.
        cells: along each axis of the grid on which surfaces are extracted.
    """

    way = 0.65
    coarseness = 2  # finer silhouettes gain 0.001 of IoU, for half as much time again

    def __init__(self, of_codes: Callable[[Tensor], Tensor], box: Tensor, cells: int) -> None:
        self.of_codes, self._box, self._cells = of_codes, box, cells
        self.stages = (Stage(1.0, _LATTICE_RATE, _itself, of_codes),)

    def mirrored(self, shapes: Tensor) -> Tensor:
        return shapes.flip(1)

    def silhouettes(self, cameras: Cameras) -> Callable[[Tensor], Tensor]:
        rays = camera_rays(cameras)
        near, far = rays.within(self._box)
        steps = (torch.arange(_DEPTHS, device=near.device) + 0.5) / _DEPTHS
        size = (len(cameras), *cameras.image_size)
        points = rays.points(near[:, None] + (far - near).clamp_min(0)[:, None] * steps).unflatten(0, size)
        hit = (near < far).view(size)
        box = self._box.expand(len(cameras), 2, 3)
        deepest, calls = points[:, :, :, 0], 0

        def draw(shapes: Tensor) -> Tensor:
            # where a logit is greatest along its ray its place may be held fixed; it moves little from step to step
            nonlocal deepest, calls
            if calls % _HELD == 0:
                with torch.no_grad():
                    values = read_lattice(shapes, box, points.flatten(1, 3)).view(points.shape[:-1])
                    place = values.argmax(-1)[..., None, None].expand(*size, 1, 3)
                    deepest = points.gather(3, place)[:, :, :, 0]
            calls += 1
            return torch.where(hit, read_lattice(shapes, box, deepest.flatten(1, 2)).view(size).sigmoid(), 0.0)

        return draw

    def meshes(self, shapes: Tensor) -> list[Mesh]:
        return [self._mesh(one) for one in shapes]

    def _mesh(self, logits: Tensor) -> Mesh:
        def at(points: Tensor) -> Tensor:
            return read_lattice(logits[None], self._box[None], points.to(logits)[None])[0]

        return extracted(at, self._box, resolution=self._cells, subdivisions=0)


class SeeingShapes(LatticeShapes):
    """The same of a field whose points see the picture: a shape is one code's, for one camera."""

    def __init__(self, decoder: FieldDecoder, sight: Sight) -> None:
        # at the nodes themselves: in between, what is beside the silhouette would eat into the shape
        super().__init__(_sharpened(decoder), decoder.field.bounds, NODES - 1)
        self._sight, self._level = sight, decoder.level

    def seen_by(self, code: Tensor, cameras: Cameras) -> Tensor:
        """Codes (B, code_size) of the same pictures, as if they were taken by these cameras."""
        return self._sight.with_camera(code, as_remembered(cameras))

    def mean(self, shapes: Sequence[Tensor], weights: Tensor) -> Tensor:
        """(B, n, n, n): of the probabilities of being inside, of K shapes (B, n, n, n) by weights (B, K)."""
        weighed = torch.zeros_like(shapes[0])
        for shape, weight in zip(shapes, weights.unbind(1)):
            weighed += weight[:, None, None, None] * self._probability(shape)
        return _SHARP_LOGITS * (weighed.logit(_LEAST) - self._level)

    def meshes(self, shapes: Tensor) -> list[Mesh]:
        """One each, at a level of its own: the less is sure of a shape, the lower."""
        if self._level == 0:  # silhouettes have taught where the surface is, and no probabilities
            return super().meshes(shapes)
        logits = shapes / _SHARP_LOGITS + self._level
        best = best_threshold((logits / _TEMPERATURE).sigmoid().flatten(1)).clamp(min=_UNSUREST)
        level = _TEMPERATURE * best.logit()
        return super().meshes(_SHARP_LOGITS * (logits - level[:, None, None, None]))

    def _probability(self, shapes: Tensor) -> Tensor:
        return (shapes / _SHARP_LOGITS + self._level).sigmoid()


def refinable(decoder: Decoder) -> Refinable | None:
    """How the shapes of a decoder are refined; None: they are not.

    Each step asks for a whole shape, which takes a network at every point too long.
    """
    if isinstance(decoder, MeshDecoder):
        return MeshShapes(decoder)
    if isinstance(decoder, DistanceDecoder):
        return LatticeShapes(_sharpened(decoder), decoder.bounds, len(decoder.ball) - 1)
    if isinstance(decoder, FieldDecoder) and decoder.field.network is None:
        if decoder.sight is not None:
            return SeeingShapes(decoder, decoder.sight)
        return LatticeShapes(_sharpened(decoder), decoder.field.bounds, decoder.resolution)
    return None


def _sharpened(decoder: FieldDecoder | DistanceDecoder) -> Callable[[Tensor], Tensor]:
    """What gives the logits at the nodes of a decoder's lattice, of codes."""
    if isinstance(decoder, FieldDecoder):
        field, level = decoder.field, decoder.level
        return lambda code: _SHARP_LOGITS * (field.at_nodes(code) - level)
    sharpness = -_SHARP_CELLS / decoder.cell
    return lambda code: sharpness * decoder.distances(code)


def _itself(code: Tensor) -> Tensor:
    return code
