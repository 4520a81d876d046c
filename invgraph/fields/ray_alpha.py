"""Silhouettes of a field along the rays of cameras, without a mesh."""

from __future__ import annotations

import math
from typing import Any, get_args

import torch
from torch import Tensor

from ..cameras import Cameras
from .field import Field
from .ray_methods import FieldOnRays, RayMethod, logits_along
from .rays import camera_rays


def ray_alpha(
    field: Field,
    cameras: Cameras,
    pixels: Tensor | None = None,
    *,
    method: RayMethod = "closest",
    softness: float | Tensor = 0.18,
    samples: int = 32,
    importance: int = 8,
    code: Tensor | None = None,
    generator: torch.Generator | None = None,
    chunk: int = 2**18,
) -> Tensor:
    """How much of each pixel's ray a field covers: alpha in [0, 1], from the field alone.

    Each ray is sampled in ``samples`` strata of its stretch within ``field.bounds`` (nothing is seen outside of it, nor
    behind the camera), and ``importance`` times more about the sample that is deepest inside, or nearest to it: that
    is where alpha is decided. A signed distance f becomes the logit ``l = -f / (softness * pixel)``, pixel being the
    size of a pixel at the sample's depth; an occupancy field gives its own logits l and does not heed ``softness``.

    ``method``:

    - ``"closest"``: the sample that counts, alone: ``alpha = sigmoid(max l)``, at the summit of l along the ray (for a
      distance: the closest approach). 1/2 on the outline, whatever the softness; one evaluation with gradients a ray.
    - ``"occupancy"``: ``alpha = 1 - prod_i (1 - sigmoid(l_i))`` over all samples. As every one that is nearly inside
      adds to it, the outline lies outside of the surface's, the farther the softer the field and the more the samples.
    - ``"volsdf"``: ``alpha = 1 - exp(-integral of density)``, where the density ``Psi(-f) / beta`` is the Laplace
      distribution's of scale ``beta = softness * pixel`` (Yariv et al., Volume Rendering of Neural Implicit Surfaces,
      2021, eq. 2). Its outline lies some beta outside of the surface. Signed distances only.

    Args:
        field: of either kind; its ``bounds`` are those of the rays.
        cameras: N of the field's dtype, in the field's frame.
        pixels: (N, P, 2) coordinates (u, v), see :func:`camera_rays`; None: the centres of all pixels.
        softness: width of the outline in pixels, > 0, for signed distances; a tensor may be learned. 0.18 comes nearest
            to the coverage of pixels by a straight edge.
        samples: >= 2 a ray.
        importance: more a ray in a second pass, >= 0.
        code: (code_size,) of the shape seen in all views, or (N, code_size), of the shape in each.
        generator: jitters the samples within their strata; None: they are in the middle.
        chunk: greatest number of points that the field is given at once. With gradients, where there are more, their
            graphs are not kept but computed again: memory stays bounded, at the price of one more evaluation.

    Returns:
        (N, P), or (N, H, W) without ``pixels``; 0 where the ray misses the box. Differentiable with respect to the
        field's parameters, the code, the softness, the pixels and the cameras. Where alpha is nearly 0 or 1 its
        gradient vanishes: take :func:`ray_logits` and a cross-entropy of logits, which does not.

    Raises:
        InputError: the field has a value that is not finite.
        TypeError, ValueError: an argument that is none of these.
    """
    return torch.sigmoid(
        ray_logits(
            field,
            cameras,
            pixels,
            method=method,
            softness=softness,
            samples=samples,
            importance=importance,
            code=code,
            generator=generator,
            chunk=chunk,
        )
    )


def ray_logits(
    field: Field,
    cameras: Cameras,
    pixels: Tensor | None = None,
    *,
    method: RayMethod = "closest",
    softness: float | Tensor = 0.18,
    samples: int = 32,
    importance: int = 8,
    code: Tensor | None = None,
    generator: torch.Generator | None = None,
    chunk: int = 2**18,
) -> Tensor:
    """``log(alpha / (1 - alpha))`` of :func:`ray_alpha`, for cross-entropies of logits: no gradient vanishes.

    The arguments are the same. Rays that miss the box get a finite number whose sigmoid is 0 (-175 in float32), and no
    gradient.
    """
    _check(field, cameras, method, softness, samples, importance, code, chunk)
    sampling: dict[str, Any] = {"samples": samples, "importance": importance, "generator": generator, "chunk": chunk}
    if code is not None and code.ndim == 2:
        views = range(len(cameras))
        at = [None if pixels is None else pixels[i : i + 1] for i in views]
        how: dict[str, Any] = {"method": method, "softness": softness, **sampling}
        return torch.cat([ray_logits(field, cameras[i], at[i], code=code[i], **how) for i in views])
    rays = camera_rays(cameras, pixels)
    near, far = rays.within(field.bounds)
    hit = (near < far).nonzero()[:, 0]
    seen = FieldOnRays(field, code, softness, rays[hit], near[hit], (far - near)[hit])
    logits = logits_along(seen, method, **sampling)
    shape = (len(cameras), *cameras.image_size) if pixels is None else pixels.shape[:2]
    missed = logits.new_full((math.prod(shape),), 2 * math.log(torch.finfo(logits.dtype).tiny))
    return missed.index_put((hit,), logits).reshape(shape)


def _check(
    field: Field,
    cameras: Cameras,
    method: str,
    softness: float | Tensor,
    samples: int,
    importance: int,
    code: Tensor | None,
    chunk: int,
) -> None:
    if not isinstance(field, Field):
        raise TypeError(f"field: expected a Field, got {type(field).__name__}")
    if method not in get_args(RayMethod):
        raise ValueError(f"method: expected one of {get_args(RayMethod)}, got {method!r}")
    if method == "volsdf" and field.kind != "sdf":
        raise ValueError(f"method: 'volsdf' needs a field of signed distances, got one of kind {field.kind!r}")
    if field.bounds.dtype != cameras.R.dtype or field.bounds.device != cameras.R.device:
        raise TypeError(
            f"cameras: expected the field's {field.bounds.dtype} on {field.bounds.device}, got {cameras.R.dtype} on "
            f"{cameras.R.device}; both have .to()"
        )
    if isinstance(softness, Tensor) and softness.numel() != 1:
        raise ValueError(f"softness: expected one number, got shape {tuple(softness.shape)}")
    width = float(softness.detach() if isinstance(softness, Tensor) else softness)
    if not 0 < width < math.inf:
        raise ValueError(f"softness: expected a positive number of pixels, got {width}")
    for name, value, least in (("samples", samples, 2), ("importance", importance, 0), ("chunk", chunk, 1)):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    if code is not None and code.shape not in ((field.code_size,), (len(cameras), field.code_size)):
        expected = f"({field.code_size},) or ({len(cameras)}, {field.code_size})" if field.code_size else "None"
        raise ValueError(f"code: expected {expected}, got {tuple(code.shape)}")
