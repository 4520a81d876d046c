"""What the network says of a picture, brought into agreement with the picture's own silhouette."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeGuard

import torch
from torch import Tensor

from .. import losses
from ..cameras import Cameras
from ..data.views import area_resize
from ..geometry import Mesh
from ..metrics import silhouette_iou
from .augment import mirrored_cameras
from .model import Reconstructor, evaluating
from .refinable import Refinable, SeeingShapes, refinable
from .viewpoints import UNKNOWN, Viewpoints

STEPS = 60
"""Of Adam; half as many to half as many again were found to differ by less than 0.003 of voxel IoU."""
_LIKELY = 4  # viewpoints that are tried
_TRUST = 20.0  # logarithms of odds, of an IoU of 1 against one of 0
_UNLIKELY = -20.0  # score of the other viewpoints


def can_refine(model: object) -> TypeGuard[Reconstructor]:
    """Whether :func:`refined` knows how: shapes that are drawn fast, known cameras, pictures with alpha."""
    return _parts(model) is not None


def refined(model: Reconstructor, images: Tensor, steps: int = STEPS) -> list[Mesh]:
    """One mesh for each of the images, whose silhouette is nearly that of the image.

    The encoder answers at once, and its answer's silhouette is near the picture's, not on it. A few of Adam's steps on
    the code bring it nearer, and the decoder keeps it among the shapes that it has learned; of the decoder "mesh", a
    few on the features that its last layer makes shapes of go some way beyond these. The camera is taken for the
    likeliest of the training set's. A network that has learned from mirrored pictures too is asked about the picture
    and about its mirror image, and gives the mean of both answers: of vertices, or of logits. Meshes do not depend on
    what else is in the batch, but for rounding.

    A field whose points see the picture has its silhouette already: it makes no steps, and gives the mean of the
    probabilities of being inside over the likeliest cameras, and the surface of which the greatest IoU is to be
    expected.

    Args:
        model: a network for which :func:`can_refine` holds.
        images: (B, C, S, S) in [0, 1], as :meth:`Reconstructor.encode` takes them; the last channel is the silhouette.
        steps: of Adam, where there are any.

    Raises:
        ValueError: another kind of network, or less than no steps.
    """
    parts = _parts(model)
    if parts is None:
        raise ValueError("model: expected a decoder that can be refined and known viewpoints, of pictures with alpha")
    if steps < 0:
        raise ValueError(f"steps: expected at least 0, got {steps}")
    told, shapes = parts
    if not len(images):
        return []
    asked = torch.cat([images, images.flip(-1)]) if model.options.mirrored else images
    with evaluating(model), torch.no_grad():
        code = model.encode(asked).float()
        truth = area_resize(asked[:, -1].float(), (asked.shape[-1] // shapes.coarseness,) * 2)
        if isinstance(shapes, SeeingShapes):
            found = _expected(told, shapes, code, truth)
        else:
            numbers = _viewpoints(told, shapes, code, truth, model.options.mirrored)
            found = _nearer(shapes, code, told.cameras(truth.shape[-1])[numbers], truth, steps)
    if model.options.mirrored:
        direct, other = found.chunk(2)
        found = 0.5 * (direct + shapes.mirrored(other))
    return shapes.meshes(found)


def _parts(model: object) -> tuple[Viewpoints, Refinable] | None:
    """What refinement needs of a network, if it has that."""
    if not isinstance(model, Reconstructor) or model.options.channels not in (1, 4) or model.viewpoints is None:
        return None
    shapes = refinable(model.decoder)
    return None if shapes is None else (model.viewpoints, shapes)


def _nearer(shapes: Refinable, code: Tensor, cameras: Cameras, truth: Tensor, steps: int) -> Tensor:
    """Shapes whose silhouettes are nearer to the true ones than those of the codes' own."""
    draw, x = shapes.silhouettes(cameras), code
    for stage in shapes.stages:
        x = _moved(stage.start(x), stage.shape, draw, truth, stage.rate, round(stage.share * steps))
    return shapes.of_codes(code).lerp(shapes.stages[-1].shape(x), shapes.way)


def _moved(
    x: Tensor,
    shape: Callable[[Tensor], Tensor],
    draw: Callable[[Tensor], Tensor],
    truth: Tensor,
    rate: float,
    steps: int,
) -> Tensor:
    """x (B, C), moved by Adam so that the silhouettes of its shapes come nearer to the true ones."""
    scale = x.std(1, keepdim=True)
    change = torch.zeros_like(x, requires_grad=True)
    optimizer = torch.optim.Adam([change], lr=rate)
    for _ in range(steps):
        with torch.enable_grad():
            apart = losses.silhouette_iou(draw(shape(x + scale * change)), truth)
            # of each picture's own, not of the mean: what a step is does not depend on the batch
            (change.grad,) = torch.autograd.grad(len(x) * apart, [change])
        optimizer.step()
    return x + scale * change.detach()


def _expected(told: Viewpoints, shapes: SeeingShapes, code: Tensor, truth: Tensor) -> Tensor:
    """Shapes (B, n, n, n) that are to be expected of pictures of which it is not known for sure where they were taken.

    Points beside the silhouette are outside: these shapes have nearly that of the picture.
    """
    cameras = told.cameras(truth.shape[-1])
    likely, odds = _told(told, code)
    tried = [cameras[numbers] for numbers in likely.unbind(1)]
    found = [shapes.of_codes(shapes.seen_by(code, some)) for some in tried]
    return shapes.mean(found, (odds + _agreement(shapes, found, tried, truth)).softmax(1))


def _told(told: Viewpoints, code: Tensor) -> tuple[Tensor, Tensor]:
    """(B, K) numbers of the likeliest cameras of each code, and the logarithms of their odds."""
    odds, likely = told(code).log_softmax(1).topk(min(_LIKELY, len(told.table)), 1)
    return likely, odds


def _agreement(shapes: Refinable, found: Sequence[Tensor], cameras: Sequence[Cameras], truth: Tensor) -> Tensor:
    """(B, K) what it adds to the odds of K cameras, that each sees nearly the true silhouette of its shape."""
    drawn = [shapes.silhouettes(some)(shape) for some, shape in zip(cameras, found)]
    return _TRUST * torch.stack([silhouette_iou(alpha, truth, threshold=None) for alpha in drawn], 1)


def _viewpoints(told: Viewpoints, shapes: Refinable, code: Tensor, truth: Tensor, mirrored: bool) -> Tensor:
    """(B,) number of the camera by which each picture was taken: likely, and one that sees such a silhouette.

    Where the second half are mirror images of the first, their cameras are too, if such cameras are known.
    """
    cameras = told.cameras(truth.shape[-1])
    first = shapes.of_codes(code)
    likely, odds = _told(told, code)
    tried = [cameras[numbers] for numbers in likely.unbind(1)]
    odds = odds + _agreement(shapes, [first] * len(tried), tried, truth)
    scores = odds.new_full((len(code), len(cameras)), _UNLIKELY).scatter(1, likely, odds)
    other = told.numbers(mirrored_cameras(cameras))
    if not mirrored or bool((other == UNKNOWN).any()):
        return scores.argmax(1)
    direct, flipped = scores.chunk(2)
    best = (direct + flipped[:, other]).argmax(1)
    return torch.cat([best, other[best]])
