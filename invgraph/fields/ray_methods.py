"""From a field along rays to the logit of alpha: where it is asked, without gradients, and what follows, with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..errors import InputError
from .field import Field
from .ray_samples import about_peak, shares, strata, summit
from .rays import Rays

RayMethod = Literal["closest", "occupancy", "volsdf"]


class Places(NamedTuple):
    """Q samples on M rays: ``ray`` (Q,) ascending, at ``fraction`` (Q,) of its stretch, of which each stands for
    ``share`` (Q,)."""

    ray: Tensor
    fraction: Tensor
    share: Tensor


@dataclass(frozen=True, eq=False)
class FieldOnRays:
    """A field on the stretch of each of M rays from depth ``near`` (M,) on, ``length`` (M,) long."""

    field: Field
    code: Tensor | None
    softness: float | Tensor
    rays: Rays
    near: Tensor
    length: Tensor

    def __len__(self) -> int:
        return len(self.rays)

    def __getitem__(self, index: Tensor | slice) -> FieldOnRays:
        rays, near, length = self.rays[index], self.near[index], self.length[index]
        return FieldOnRays(self.field, self.code, self.softness, rays, near, length)

    def depth(self, fraction: Tensor) -> Tensor:
        """(M, S) at fractions (M, S) of the stretch."""
        return self.near[:, None] + fraction * self.length[:, None]

    def width(self, depth: Tensor) -> Tensor:
        """The softness in world units at depths (M, S)."""
        return self.softness * self.rays.pixel_size(depth)

    def logits(self, depth: Tensor) -> Tensor:
        """(M, S) at depths (M, S), positive inside: an occupancy's own, of a distance f ``-f / width``."""
        points = self.rays.points(depth)
        values = self.field(points, self.code)
        if values.shape != depth.shape:
            raise ValueError(
                f"field: expected values {tuple(depth.shape)} at points {tuple(points.shape)}, got shape "
                f"{tuple(values.shape)}"
            )
        if not math.isfinite(float(values.detach().sum())):  # one pass; a sum of finite numbers may overflow, too
            wrong = ~values.isfinite()
            if bool(wrong.any()):
                raise InputError(
                    f"field: expected finite values, got {int(wrong.sum())} of {wrong.numel()} that are not, the first "
                    f"at {points[wrong][0].tolist()}"
                )
        return values if self.field.kind == "occupancy" else -values / self.width(depth)


def logits_along(
    seen: FieldOnRays,
    method: RayMethod,
    *,
    samples: int,
    importance: int,
    generator: torch.Generator | None,
    chunk: int,
) -> Tensor:
    """(M,) logits of alpha; what is named by keyword is that of :func:`invgraph.fields.ray_alpha`."""
    closest = method == "closest"
    with torch.no_grad():
        size = max(chunk // max(samples, importance), 1)
        found = []
        for begin in range(0, len(seen), size):
            part = seen[begin : begin + size]
            search = closest_places if closest else _all_that_count
            ray, fraction, share = search(part, strata(len(part), samples, seen.near, generator), importance)
            found.append(Places(ray + begin, fraction, share))
        places = Places(*(torch.cat(x) for x in zip(*found))) if found else _nowhere(seen)

    def evidence(begin: int) -> Tensor:
        ray, fraction, share = (x[begin : begin + chunk] for x in places)
        part = seen[ray]
        depth = part.depth(fraction[:, None])
        logits = part.logits(depth)
        if closest:
            return logits[:, 0]
        if method == "occupancy":
            return _log_softplus(logits[:, 0])
        step = share * part.length * part.rays.directions.norm(dim=1)
        return _log_laplace(logits[:, 0]) + torch.log(step / part.width(depth)[:, 0])

    begins = range(0, len(places.ray), chunk)
    if len(begins) > 1 and torch.is_grad_enabled():  # no graph of several is kept: each is computed again
        parts = [checkpoint(evidence, at, use_reentrant=False, preserve_rng_state=False) for at in begins]
    else:
        parts = [evidence(at) for at in begins]
    logits = torch.cat(parts) if parts else seen.near
    return logits if closest else _logit_of_depth(_log_sum(logits, places.ray, len(seen)))


def closest_places(seen: FieldOnRays, fraction: Tensor, importance: int) -> Places:
    """One a ray, where the logit is greatest: of samples at fractions (M, S), of ``importance`` more about the greatest
    of them, and of the summit of the parabola through its neighbours. Without gradients.

    There the logit's derivative along the ray is 0, so that the place may be held fixed under the gradient (envelope
    theorem). At an end of the ray the fraction is what is held, and the end moves with the camera as it should.
    """
    logits = seen.logits(seen.depth(fraction))
    if importance:
        fraction = about_peak(fraction, logits, importance)
        logits = seen.logits(seen.depth(fraction))
    best, at = logits.max(1, keepdim=True)
    reach = (fraction[:, -1:] - fraction[:, :1]) / (4 * fraction.shape[1])
    about = summit(fraction, logits) + reach * torch.tensor([-1, 0, 1], dtype=reach.dtype, device=reach.device)
    about = about.clamp(0, 1)
    logits = seen.logits(seen.depth(about))
    better = logits.amax(1, keepdim=True) > best
    place = torch.where(better, summit(about, logits), fraction.gather(1, at))[:, 0]
    return Places(torch.arange(len(seen), device=place.device), place, torch.ones_like(place))


def _all_that_count(seen: FieldOnRays, fraction: Tensor, importance: int) -> Places:
    """Every sample that the dtype can tell from nothing, beside those of the same ray."""
    logits = seen.logits(seen.depth(fraction))
    if importance:
        more = about_peak(fraction, logits, importance)
        logits = torch.cat([logits, seen.logits(seen.depth(more))], 1)
        fraction, order = torch.cat([fraction, more], 1).sort(1)
        logits = logits.gather(1, order)
    least = logits.amax(1, keepdim=True).clamp_max(0) + math.log(torch.finfo(logits.dtype).eps)
    share = shares(fraction)
    counts = (logits > least) & (share > 0)
    return Places(counts.nonzero()[:, 0], fraction[counts], share[counts])


def _nowhere(seen: FieldOnRays) -> Places:
    none = seen.near[:0].detach()
    return Places(none.long(), none, none)


def _log_softplus(x: Tensor) -> Tensor:
    """``log(log(1 + exp(x)))``: of the optical depth ``-log(1 - sigmoid(x))``, without underflow."""
    return torch.where(x < -15, x, torch.nn.functional.softplus(x.clamp_min(-15)).log())


def _log_laplace(x: Tensor) -> Tensor:
    """Logarithm of the Laplace distribution function of scale 1."""
    return torch.where(x < 0, x - math.log(2), torch.log1p(-0.5 * torch.exp(-x.abs())))


def _log_sum(x: Tensor, ray: Tensor, count: int) -> Tensor:
    """(count,) logarithm of the sum of ``exp(x)`` (Q,) over each ray, every one of which has some."""
    greatest = x.detach().new_full((count,), -torch.inf).scatter_reduce(0, ray, x.detach(), "amax")
    return greatest + torch.zeros_like(greatest).index_add(0, ray, torch.exp(x - greatest[ray])).log()


def _logit_of_depth(log_depth: Tensor) -> Tensor:
    """Optical depth L, ``alpha = 1 - exp(-L)``, as log(L) -> ``log(alpha / (1 - alpha)) = log(exp(L) - 1)``."""
    depth = log_depth.clamp_min(-15).exp()
    return torch.where(log_depth < -15, log_depth, depth + torch.log(-torch.expm1(-depth)))
