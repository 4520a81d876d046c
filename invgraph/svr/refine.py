"""What the network says of a picture, brought into agreement with the picture's own silhouette."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

import torch
from torch import Tensor

from .. import losses
from ..cameras import Cameras
from ..geometry import Mesh
from ..metrics import silhouette_iou
from ..render import render
from .augment import mirrored_cameras
from .mesh_decoder import MeshDecoder
from .model import Reconstructor, evaluating, one_by_one
from .viewpoints import UNKNOWN, Viewpoints

STEPS = 60
"""Of Adam; half as many to half as many again were found to differ by less than 0.003 of voxel IoU."""
_CODE_SHARE = 2 / 3  # of the steps move the code, the others the decoder's features
_CODE_RATE, _FEATURE_RATE = 0.05, 0.015  # of a step, in standard deviations of the numbers of a code, of features
_LIKELY = 4  # viewpoints that are tried
_TRUST = 20.0  # logarithms of odds, of an IoU of 1 against one of 0
_UNLIKELY = -20.0  # score of the other viewpoints
_WAY = 0.8  # from the first mesh to the one that has the silhouette: their errors differ, and some are averaged out


def can_refine(model: object) -> TypeGuard[Reconstructor]:
    """Whether :func:`refined` knows how: the decoder gives meshes, the cameras are known, pictures have alpha."""
    return _parts(model) is not None


def refined(model: Reconstructor, images: Tensor, steps: int = STEPS) -> list[Mesh]:
    """One mesh for each of the images, whose silhouette is nearly that of the image.

    The encoder answers at once, and its answer's silhouette is near the picture's, not on it. A few of Adam's steps on
    the code bring it nearer, and the decoder keeps it among the shapes that it has learned; a few on the features that
    the decoder's last layer makes shapes of go some way beyond these. The camera is taken for the likeliest of the
    training set's. A network that has learned from mirrored pictures too is asked about the picture and about its
    mirror image, and gives the mean of both answers. Meshes do not depend on what else is in the batch, but for
    rounding.

    Args:
        model: a network for which :func:`can_refine` holds.
        images: (B, C, S, S) in [0, 1], as :meth:`Reconstructor.encode` takes them; the last channel is the silhouette.
        steps: of Adam.

    Raises:
        ValueError: another kind of network, or less than no steps.
    """
    parts = _parts(model)
    if parts is None:
        raise ValueError("model: expected a mesh decoder and known viewpoints, of pictures with silhouettes")
    if steps < 0:
        raise ValueError(f"steps: expected at least 0, got {steps}")
    told, decoder = parts
    if not len(images):
        return []
    asked = torch.cat([images, images.flip(-1)]) if model.options.mirrored else images
    with evaluating(model), torch.no_grad():
        code = model.encode(asked).float()
        truth = asked[:, -1].float()
        numbers = _viewpoints(told, decoder, code, truth, model.options.mirrored)
        mesh = _nearer(decoder, code, told.cameras(truth.shape[-1])[numbers], truth, steps)
    if model.options.mirrored:
        direct, other = (mesh.with_verts(verts) for verts in mesh.verts.chunk(2))
        mesh = mesh.with_verts(0.5 * (direct.verts + decoder.mirrored(other).verts))
    return one_by_one(mesh)


def _parts(model: object) -> tuple[Viewpoints, MeshDecoder] | None:
    """What refinement needs of a network, if it has that."""
    if not isinstance(model, Reconstructor) or model.options.channels not in (1, 4):
        return None
    if model.viewpoints is None or not isinstance(model.decoder, MeshDecoder):
        return None
    return model.viewpoints, model.decoder


def _nearer(decoder: MeshDecoder, code: Tensor, cameras: Cameras, truth: Tensor, steps: int) -> Mesh:
    """A batch of meshes, whose silhouettes are nearer to the true ones than those of the codes' own meshes."""
    first, on_code = decoder(code), round(_CODE_SHARE * steps)
    code = _moved(code, decoder, cameras, truth, _CODE_RATE, on_code)
    h = _moved(decoder.features(code), decoder.from_features, cameras, truth, _FEATURE_RATE, steps - on_code)
    return first.with_verts(first.verts.lerp(decoder.from_features(h).verts, _WAY))


def _moved(
    x: Tensor, shape_of: Callable[[Tensor], Mesh], cameras: Cameras, truth: Tensor, rate: float, steps: int
) -> Tensor:
    """x (B, C), moved by Adam so that the silhouettes of its shapes come nearer to the true ones."""
    scale = x.std(1, keepdim=True)
    change = torch.zeros_like(x, requires_grad=True)
    optimizer = torch.optim.Adam([change], lr=rate)
    for _ in range(steps):
        with torch.enable_grad():
            apart = losses.silhouette_iou(_silhouettes(shape_of(x + scale * change), cameras), truth)
            # of each picture's own, not of the mean: what a step is does not depend on the batch
            (change.grad,) = torch.autograd.grad(len(x) * apart, [change])
        optimizer.step()
    return x + scale * change.detach()


def _viewpoints(told: Viewpoints, decoder: MeshDecoder, code: Tensor, truth: Tensor, mirrored: bool) -> Tensor:
    """(B,) number of the camera by which each picture was taken: likely, and one that sees such a silhouette.

    Where the second half are mirror images of the first, their cameras are too, if such cameras are known.
    """
    cameras = told.cameras(truth.shape[-1])
    odds, likely = told(code).log_softmax(1).topk(min(_LIKELY, len(cameras)), 1)
    mesh = decoder(code)
    drawn = [_silhouettes(mesh, cameras[numbers]) for numbers in likely.unbind(1)]
    alike = torch.stack([silhouette_iou(alpha, truth, threshold=None) for alpha in drawn], 1)
    scores = odds.new_full((len(code), len(cameras)), _UNLIKELY).scatter(1, likely, odds + _TRUST * alike)
    other = told.numbers(mirrored_cameras(cameras))
    if not mirrored or bool((other == UNKNOWN).any()):
        return scores.argmax(1)
    direct, flipped = scores.chunk(2)
    best = (direct + flipped[:, other]).argmax(1)
    return torch.cat([best, other[best]])


def _silhouettes(mesh: Mesh, cameras: Cameras) -> Tensor:
    """(B, H, W): each mesh in its camera."""
    return render(mesh, cameras, mode="antialias").alpha
