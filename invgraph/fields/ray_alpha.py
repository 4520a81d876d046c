"""Silhouettes of a field along the rays of cameras, without a mesh."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..cameras import Cameras
from ..errors import InputError
from .field import Field
from .ray_samples import about_peak, strata, summit
from .rays import Rays, camera_rays

RayMethod = Literal["closest", "occupancy", "volsdf"]


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

    The arguments are the same. Rays that miss the box have the logarithm of the dtype's least positive number, without
    a gradient.
    """
    _check(field, cameras, method, softness, samples, importance, code, chunk)
    rays = camera_rays(cameras, pixels)
    near, far = rays.within(field.bounds)
    hit = (near < far).nonzero()[:, 0]
    rays, near, far = rays[hit], near[hit], far[hit]
    seen = strata(len(rays), samples, near, generator)
    each = None if code is None or code.ndim == 1 else code[rays.view]

    along = {"closest": _closest, "occupancy": _product, "volsdf": _density}[method]

    def logits(part: slice) -> Tensor:
        return along(
            _Sampler(field, rays[part], near[part], far[part], code if each is None else each[part], softness),
            seen[part],
            importance,
        )

    size = max(chunk // (samples + importance), 1)
    parts = _by_parts(logits, len(rays), size)
    lowest = math.log(torch.finfo(near.dtype).tiny)
    shape = (len(cameras), *cameras.image_size) if pixels is None else pixels.shape[:2]
    full = near.new_full((math.prod(shape),), lowest)
    return full.index_put((hit,), parts.clamp_min(lowest)).reshape(shape)


class _Sampler:
    """A field along some rays: fractions of their stretch within the box -> logits."""

    def __init__(
        self, field: Field, rays: Rays, near: Tensor, far: Tensor, code: Tensor | None, softness: float | Tensor
    ) -> None:
        self.field, self.rays, self.code, self.softness = field, rays, code, softness
        self.near, self.length = near[:, None], (far - near)[:, None]

    def depth(self, fraction: Tensor) -> Tensor:
        return self.near + fraction * self.length

    def values(self, depth: Tensor) -> Tensor:
        """(M, S) the field's own values at depths (M, S)."""
        points = self.rays.points(depth)
        values = self.field(points, self.code)
        if values.shape != points.shape[:-1]:
            raise ValueError(
                f"field: expected values of shape {tuple(points.shape[:-1])} at points {tuple(points.shape)}, "
                f"got {tuple(values.shape)}"
            )
        wrong = ~values.isfinite()
        if bool(wrong.any()):
            where = points[wrong][0].tolist()
            raise InputError(
                f"field: expected finite values, got {int(wrong.sum())} of {wrong.numel()} that are not, the first at "
                f"{where}"
            )
        return values

    def scale(self, depth: Tensor) -> Tensor:
        """The softness in world units at depths (M, S)."""
        return self.softness * self.rays.pixel_size(depth)

    def logits(self, fraction: Tensor) -> Tensor:
        """(M, S) at fractions (M, S): positive inside."""
        depth = self.depth(fraction)
        values = self.values(depth)
        return values if self.field.kind == "occupancy" else -values / self.scale(depth)


def _closest(sampler: _Sampler, fraction: Tensor, importance: int) -> Tensor:
    # Where l is greatest along the ray its derivative along it is 0: the place may be held fixed (envelope theorem).
    # At an end of the ray the fraction is what is held, and the end moves with the camera as it should.
    with torch.no_grad():
        values = sampler.logits(fraction)
        if importance:
            fraction = about_peak(fraction, values, importance)
            values = sampler.logits(fraction)
        best, at = values.max(1, keepdim=True)
        vertex = summit(fraction, values)
        place = torch.where(sampler.logits(vertex) > best, vertex, fraction.gather(1, at))
    return sampler.logits(place)[:, 0]


def _product(sampler: _Sampler, fraction: Tensor, importance: int) -> Tensor:
    logits = sampler.logits(fraction)
    if importance:
        logits = torch.cat([logits, sampler.logits(about_peak(fraction, logits.detach(), importance))], 1)
    return _logit_of_depth(torch.nn.functional.softplus(logits).sum(1))


def _density(sampler: _Sampler, fraction: Tensor, importance: int) -> Tensor:
    depth = sampler.depth(fraction)
    values = sampler.values(depth)
    if importance:
        # the fractions alone are needed to order the samples and to give each its share of the ray
        more = about_peak(fraction, -values.detach() / sampler.scale(depth).detach(), importance)
        extra = sampler.depth(more)
        values = torch.cat([values, sampler.values(extra)], 1)
        depth = torch.cat([depth, extra], 1)
        fraction = torch.cat([fraction, more], 1)
    order = fraction.argsort(1)
    middle = fraction.gather(1, order).unfold(1, 2, 1).mean(-1)
    ends = torch.nn.functional.pad(middle, (1, 0))
    share = torch.cat([ends, torch.ones_like(ends[:, :1])], 1).diff(dim=1)
    share = torch.empty_like(share).scatter(1, order, share)
    beta = sampler.scale(depth)
    tail = 0.5 * torch.exp(-values.abs() / beta)
    density = torch.where(values > 0, tail, 1 - tail) / beta
    length = sampler.length * sampler.rays.directions.norm(dim=1, keepdim=True)
    return _logit_of_depth((density * share * length).sum(1))


def _logit_of_depth(depth: Tensor) -> Tensor:
    """Optical depth L, alpha = 1 - exp(-L) -> log(alpha / (1 - alpha)) = log(exp(L) - 1)."""
    depth = depth.clamp_min(torch.finfo(depth.dtype).tiny)
    return depth + torch.log(-torch.expm1(-depth))


def _by_parts(function: Callable[[slice], Tensor], count: int, size: int) -> Tensor:
    """``function`` of slices of at most ``size``, joined; with gradients none of several keeps its graph."""
    if count <= size:
        return function(slice(0, count))
    parts = [slice(begin, min(begin + size, count)) for begin in range(0, count, size)]
    if not torch.is_grad_enabled():
        return torch.cat([function(part) for part in parts])
    return torch.cat([checkpoint(function, part, use_reentrant=False, preserve_rng_state=False) for part in parts])


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
