"""The function of space whose positive part is the visual hull, and bounds on it over cells."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from ..cameras import Cameras
from .hull_distance import FAR, outline_distance

_CHUNK = 400_000  # samples (points times views) at a time: few enough for the caches


class HullField:
    """How far a point is inside the common region of the silhouettes, in world units; negative outside.

    In each view the signed pixel distance to the silhouette's outline, times depth over focal length, says how far in
    the world the point is from leaving the silhouette. The smallest over the views is the hull's field; with
    ``min_votes = k`` the k-th smallest, so that k views must agree to carve. A view does not carve where it does not
    see: outside of its image, on unknown pixels, behind the camera. Points in fewer than ``min_views`` images are
    outside.

    Args:
        cameras: N cameras.
        masks: (N, H, W) in [0, 1].
        known: (N, H, W) bool, false where the mask says nothing.
        min_votes: 1 to N.
        min_views: 0 to N.
    """

    def __init__(self, cameras: Cameras, masks: Tensor, known: Tensor | None, min_votes: int, min_views: int) -> None:
        H, W = cameras.image_size
        self.size = (H, W)
        self.min_votes, self.min_views = min_votes, min_views
        self.origin = cameras.centers.mean(0)  # float32 projections of worlds far from zero stay exact about this
        shift = cameras.R @ self.origin + cameras.t
        self.projection = (cameras.K @ cameras.R).transpose(0, 1).contiguous()  # (3 rows, N, 3)
        self.offset = (cameras.K @ shift[:, :, None]).transpose(0, 1).contiguous()  # (3 rows, N, 1)
        self.focal = (cameras.K[:, 0, 0] * cameras.K[:, 1, 1]).abs().sqrt()
        corners = masks.new_tensor([[0, 0, 1], [W, 0, 1], [0, H, 1], [W, H, 1]]) @ torch.linalg.inv(cameras.K).mT
        self.obliquity = corners.norm(dim=-1).amax(1)  # (N,) pixels per focal length move faster off the axis by this

        self.everywhere = False  # every camera has all of the points of interest in front of it and in its image

        # what is not known is inside, and so is a frame of one pixel around the image: the outline of
        # "the silhouette or unseen" is then where the view begins to carve, and the field crosses it continuously
        inside = masks if known is None else torch.where(known, masks, 1.0)
        self.distance = outline_distance(F.pad(inside, (1, 1, 1, 1), value=1.0))[:, None]
        self.seen = None
        if known is not None and not bool(known.all()):
            self.seen = outline_distance(F.pad(known.to(masks), (1, 1, 1, 1), value=1.0))[:, None]

    def __call__(self, points: Tensor) -> Tensor:
        """Field (P,) at ``points (P, 3)``."""

        def value(inside: Tensor, seen: Tensor | None, z: Tensor) -> Tensor:
            k = self.min_votes
            result = inside.amin(0) if k == 1 else inside.kthvalue(k, dim=0).values
            if seen is not None:  # the k-th largest, needed where fewer than k are above the result
                few = (seen >= result).sum(0) < self.min_views
                rank = len(seen) - self.min_views + 1
                result[few] = torch.minimum(result[few], seen[:, few].kthvalue(rank, dim=0).values)
            return result

        return self._map(points, value)

    def classify(self, points: Tensor, radius: float) -> Tensor:
        """(P,) int8: 1 if the ball of ``radius`` about a point is all inside, -1 if all outside, 0 if not sure."""

        def state(inside: Tensor, seen: Tensor | None, z: Tensor) -> Tensor:
            # how far the distances can change within the ball
            reach = self.obliquity[:, None] * radius * z / (z - radius).clamp(min=1e-30)
            if not self.everywhere:
                reach = torch.where(z > radius, reach, FAR).clamp(max=FAR)
            solid = (inside < reach).sum(0) < self.min_votes
            empty = (inside < -reach).sum(0) >= self.min_votes
            if seen is not None:
                solid &= (seen > reach).sum(0) >= self.min_views
                empty |= (seen > -reach).sum(0) < self.min_views
            return solid.to(torch.int8) - empty.to(torch.int8)

        return self._map(points, state)

    def within(self, low: Tensor, high: Tensor) -> HullField:
        """The same field for points of a box alone, which is cheaper where all images hold all of it."""
        corners = torch.stack(
            [torch.where(torch.tensor([i & 1, i & 2, i & 4]).to(low) > 0, high, low) for i in range(8)]
        )
        u, v, z = self._project(corners)
        H, W = self.size
        held = (z > 0.05 * float((high - low).norm())) & (u > 0) & (u < W) & (v > 0) & (v < H)
        field = copy.copy(self)
        field.everywhere = self.seen is None and bool(held.all())
        return field

    def _map(self, points: Tensor, reduce: Callable[[Tensor, Tensor | None, Tensor], Tensor]) -> Tensor:
        return torch.cat([reduce(*self._sample(some)) for some in points.split(max(1, _CHUNK // len(self.focal)))])

    def _project(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """u, v, z, each (N, P)."""
        x = (points - self.origin).T
        u, v, z = (torch.addmm(o, p, x) for o, p in zip(self.offset, self.projection, strict=True))
        return u.div_(z), v.div_(z), z

    def _sample(self, points: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """For each view and point, (N, P) each: world distance into the silhouette or unseen, into the image; depth."""
        H, W = self.size
        u, v, z = self._project(points)
        if self.everywhere:
            inside = self._look_up(self.distance, u, v).mul_(z).div_(self.focal[:, None])
            return inside, None, z
        front = z > 0
        scale = z.clamp(min=0) / self.focal[:, None]
        u, v = u.nan_to_num(), v.nan_to_num()
        # past the frame the distance is extended by that to the frame: a lower bound of the true one
        beyond = torch.hypot(u - u.clamp(-0.5, W + 0.5), v - v.clamp(-0.5, H + 0.5))
        distance = self._look_up(self.distance, u, v)
        distance = torch.where(beyond > 0, torch.hypot(distance, beyond), distance)
        inside = torch.where(front, distance * scale, FAR)
        if self.min_views == 0:
            return inside, None, z
        seen = torch.minimum(torch.minimum(u, W - u), torch.minimum(v, H - v))
        if self.seen is not None:
            seen = torch.minimum(seen, self._look_up(self.seen, u, v))
        return inside, torch.where(front, seen * scale, -FAR), z

    def _look_up(self, framed: Tensor, u: Tensor, v: Tensor) -> Tensor:
        """Bilinear samples (N, P) of an image (N, 1, H + 2, W + 2) at pixels (u, v) of the image within its frame."""
        H, W = self.size
        grid = torch.stack([u * (2 / (W + 2)) + (2 / (W + 2) - 1), v * (2 / (H + 2)) + (2 / (H + 2) - 1)], -1)
        return F.grid_sample(framed, grid[:, None], padding_mode="border", align_corners=False)[:, 0, 0]
