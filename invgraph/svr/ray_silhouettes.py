"""Silhouettes of the decoders of fields along rays: no mesh, and only at a sample of the pixels."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ..cameras import Cameras
from ..errors import InputError
from ..fields.field import Field, FieldKind
from ..fields.ray_methods import FieldOnRays, closest_places
from ..fields.ray_samples import strata
from ..fields.rays import camera_rays
from .coded_lattice import read_lattice
from .decoders import Decoder
from .occupancy_decoder import FieldDecoder
from .sdf_decoder import DistanceDecoder

_SAMPLES, _IMPORTANCE = 32, 8  # of a lattice along a ray, to find the deepest place: see ray_alpha
_NODES = 16  # along an axis, at which an occupancy field is asked where it is deepest
_NOWHERE = -50.0  # logit of a ray that misses the box
_TURN = (0.8191725, 0.6710436, 0.5497005)  # multiples of them are spread evenly over the unit cube (Roberts 2018)


def check_field(decoder: Decoder) -> None:
    """Refuse a decoder that gives no field."""
    if not isinstance(decoder, (DistanceDecoder, FieldDecoder)):
        raise InputError(f"silhouettes along rays: need the decoder 'occupancy' or 'sdf', got {decoder.kind!r}")


def silhouette_logits(
    decoder: Decoder,
    code: Tensor,
    cameras: Cameras,
    index: Tensor,
    softness: float,
    terms: Collection[str] | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits of how much of each pixel's ray a shape covers, by the deepest place along it, and the decoder's terms.

    What :func:`invgraph.fields.ray_logits` gives by the method "closest", of many shapes at once. The place is looked
    for in a lattice, without gradients: of distances, the decoder's own; of an occupancy, its values at 16^3 nodes,
    which lie elsewhere for other pixels, so that nothing thin stays between them unseen. There the field is asked, with
    gradients, once a ray. An occupancy field uses the running statistics of its normalisation and leaves them alone, as
    its surfaces do: points along rays crowd at outlines, and statistics of theirs would hold nowhere else.

    Args:
        decoder: "sdf" or "occupancy".
        code: (B, code_size).
        cameras: B * n of them: of the n views of the first shape, then of the second.
        index: (B, n, P) int64 pixels, ``row * W + column``.
        softness: width of the outline in pixels, of distances; an occupancy field gives its own.
        terms: see :meth:`Decoder.decode`.

    Returns:
        (B, n, P), and scalars by name. Rays that miss the field's box have -50, and no gradient.

    Raises:
        InputError: a decoder that gives no field, or a field that is not finite.
    """
    check_field(decoder)
    decoder.check(code)
    B, width = len(code), cameras.image_size[1]
    pixels = torch.stack([index % width, index // width], -1).flatten(0, 1).to(cameras.R.dtype) + 0.5
    found: dict[str, Tensor] = {}
    if isinstance(decoder, DistanceDecoder):
        box = decoder.bounds
        distances, found = decoder.decode_lattice(code, terms)
        asked = _Fields("sdf", box, B, partial(read_lattice, distances, box.expand(B, 2, 3)))
        read = _Fields("sdf", box, B, partial(read_lattice, distances.detach(), box.expand(B, 2, 3)))
    else:
        assert isinstance(decoder, FieldDecoder)
        box = decoder.field.bounds
        asked = _Fields("occupancy", box, B, partial(_evaluated, decoder.field, code))
        read = _Fields("occupancy", box, B, partial(read_lattice, *_nodes(decoder.field, code, _shift(index))))
    rays = camera_rays(cameras, pixels)
    near, far = rays.within(box)
    length = (far - near).clamp_min(0)
    searched = FieldOnRays(read, None, softness, rays, near, length)
    with torch.no_grad():
        place = closest_places(searched, strata(len(rays), _SAMPLES, near, None), _IMPORTANCE).fraction[:, None]
    logits = replace(searched, field=asked).logits(searched.depth(place))[:, 0]
    return torch.where(near < far, logits, _NOWHERE).view(index.shape), found


def ray_loss(logits: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """What :func:`invgraph.losses.silhouette_iou` is likely to be, from sampled pixels: a scalar, the mean over views.

    The cross entropy of logits, whose gradient does not vanish where alpha is nearly 0 or 1, carves one shape faster;
    but a network that does not know yet would have only what is covered more often than not: next to nothing.

    Args:
        logits: (..., P) of alpha.
        truth: (..., P) in [0, 1].
        weights: (..., P), see :class:`~invgraph.fields.PixelSample`.
    """
    alpha = logits.sigmoid()
    both = alpha * truth
    either = (weights * (alpha + truth - both)).sum(-1)
    return (1 - (weights * both).sum(-1) / either.clamp_min(torch.finfo(either.dtype).tiny)).mean()


def sampled_iou(logits: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """(...) what :func:`invgraph.metrics.silhouette_iou` is likely to be, from sampled pixels (..., P)."""
    inside, covered = logits > 0, truth > 0.5
    both, either = (weights * (inside & covered)).sum(-1), (weights * (inside | covered)).sum(-1)
    return torch.where(either > 0, both / either, 1.0)


class _Fields(Field):
    """B fields side by side: points (M, S, 3) are those of the first, then of the second, as many of each.

    Args:
        kind, bounds: see :class:`Field`; all have the same.
        shapes: B.
        values: (B, Q) at points (B, Q, 3).
    """

    def __init__(self, kind: FieldKind, bounds: Tensor, shapes: int, values: Callable[[Tensor], Tensor]) -> None:
        super().__init__(kind, bounds=bounds)
        self.bounds, self._shapes, self._values = bounds, shapes, values  # the bounds' own dtype

    def forward(self, points: Tensor, code: Tensor | None = None) -> Tensor:
        self.check(points, code)
        return self._values(points.reshape(self._shapes, -1, 3)).reshape(points.shape[:-1])


def _evaluated(field: Field, code: Tensor, points: Tensor) -> Tensor:
    """(B, Q) of a field with codes (B, code_size) at points (B, Q, 3), in evaluation mode."""
    was_training = field.training
    field.eval()
    try:
        return field(points, code)
    finally:
        field.train(was_training)


def _shift(index: Tensor) -> Tensor:
    """(B, 3) cells in [-1/2, 1/2), other ones for other pixels (B, n, P): random, but the same in whatever process."""
    turns = index.sum((1, 2)).double()[:, None] * torch.tensor(_TURN, dtype=torch.float64, device=index.device)
    return turns % 1 - 0.5


@torch.no_grad()
def _nodes(field: Field, code: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Values (B, R, R, R) at the nodes of lattices over boxes (B, 2, 3): the field's, moved by cells (B, 3)."""
    low, high = field.bounds
    cell = (high - low) / (_NODES - 1)
    moved = shift.to(cell) * cell
    axes = [torch.linspace(0, 1, _NODES).to(cell)] * 3
    grid = low + (high - low) * torch.cartesian_prod(*axes)
    values = [_evaluated(field, one[None], (grid + by)[None]) for one, by in zip(code, moved)]  # one is in the cache
    return torch.cat(values).view(-1, _NODES, _NODES, _NODES), field.bounds + moved[:, None]
