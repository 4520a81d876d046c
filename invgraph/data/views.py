"""Views: what the cameras saw. The one form every data format is read into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..cameras import ArrayLike, Cameras


@dataclass(frozen=True, eq=False)
class Views:
    """N calibrated silhouettes, with their photographs where there are any.

    Attributes:
        cameras: N cameras; their image size is that of the masks.
        masks: (N, H, W) float32 in [0, 1], the fraction of each pixel that the object covers.
        images: (N, H, W, 3) float32 in [0, 1], straight (not premultiplied) colour, or None.
        known: (N, H, W) bool, False where a pixel says nothing (padding, the border left by undistortion), or None
            where all pixels are known. Unknown is not background.
        names: N names, for messages and reports.
        source: one line: the format that was recognised and where the masks came from.

    Raises:
        ValueError: shapes or dtypes that do not fit together, or masks outside [0, 1].
    """

    cameras: Cameras
    masks: Tensor
    images: Tensor | None = None
    known: Tensor | None = None
    names: tuple[str, ...] = ()
    source: str = "in memory"

    def __post_init__(self) -> None:
        shape = (len(self.cameras), *self.cameras.image_size)
        if tuple(self.masks.shape) != shape:
            raise ValueError(f"masks must have shape {shape} to fit the cameras, got {tuple(self.masks.shape)}")
        if self.masks.dtype != torch.float32:
            raise ValueError(f"masks must be float32, got {self.masks.dtype}")
        if self.masks.numel() and not bool(((self.masks >= 0) & (self.masks <= 1)).all()):
            raise ValueError("masks must lie in [0, 1]")
        if self.images is not None and (tuple(self.images.shape) != (*shape, 3) or self.images.dtype != torch.float32):
            raise ValueError(
                f"images must be float32 {(*shape, 3)}, got {self.images.dtype} {tuple(self.images.shape)}"
            )
        if self.known is not None and (tuple(self.known.shape) != shape or self.known.dtype != torch.bool):
            raise ValueError(f"known must be bool {shape}, got {self.known.dtype} {tuple(self.known.shape)}")
        if not self.names:
            object.__setattr__(self, "names", tuple(str(i) for i in range(len(self.cameras))))
        if len(self.names) != len(self.cameras):
            raise ValueError(f"expected {len(self.cameras)} names, got {len(self.names)}")

    def __len__(self) -> int:
        return len(self.cameras)

    def __repr__(self) -> str:
        return f"Views({len(self)} of {self.masks.shape[2]}x{self.masks.shape[1]} pixels: {self.source})"

    def __getitem__(self, index: int | slice | Tensor | Sequence[int]) -> Views:
        """A subset, always a batch: an int gives one view."""
        cameras = self.cameras[index]
        where = torch.arange(len(self), device=self.masks.device)
        if isinstance(index, slice):
            where = where[index]
        else:
            index = torch.as_tensor([index] if isinstance(index, int) else index, device=where.device)
            where = where[index if index.dtype == torch.bool else index.long()]
        return replace(
            self,
            cameras=cameras,
            masks=self.masks[where],
            images=None if self.images is None else self.images[where],
            known=None if self.known is None else self.known[where],
            names=tuple(self.names[i] for i in where.tolist()),
        )

    def to(self, device: torch.device | str) -> Views:
        """Cameras and pictures on another device."""
        return replace(
            self,
            cameras=self.cameras.to(device),
            masks=self.masks.to(device),
            images=None if self.images is None else self.images.to(device),
            known=None if self.known is None else self.known.to(device),
        )

    def resize(self, image_size: tuple[int, int]) -> Views:
        """The same views at another (height, width): masks and images area-averaged over their known pixels.

        A new pixel is known where any of the pixels under it is; enlarging repeats pixels.
        """
        if tuple(image_size) == self.cameras.image_size:
            return self
        cameras = self.cameras.resize(image_size)
        weight = None if self.known is None else area_resize(self.known.to(self.masks.dtype), image_size)

        def averaged(x: Tensor) -> Tensor:
            if weight is None or self.known is None:
                return area_resize(x, image_size).clamp(0, 1)
            seen = area_resize(x * self.known, image_size)
            return torch.where(weight > 0, seen / weight.clamp(min=1e-12), torch.zeros_like(seen)).clamp(0, 1)

        images = None
        if self.images is not None:
            images = torch.stack([averaged(channel) for channel in self.images.unbind(-1)], -1)
        known = None if weight is None else weight > 0
        return replace(self, cameras=cameras, masks=averaged(self.masks), images=images, known=known)

    def normalized(self, center: ArrayLike, scale: float) -> Views:
        """The same pictures of the world ``x' = (x - center) / scale``, see `Cameras.normalized`."""
        return replace(self, cameras=self.cameras.normalized(center, scale))

    def split(self, holdout: int) -> tuple[Views, Views]:
        """(training views, ``holdout`` held-out views), the held-out ones spread evenly over the order of the views."""
        if not 0 <= holdout < len(self):
            raise ValueError(f"holdout must leave at least one of the {len(self)} views, got {holdout}")
        held = torch.zeros(len(self), dtype=torch.bool, device=self.masks.device)
        held[[int((k + 0.5) * len(self) / holdout) for k in range(holdout)]] = True
        return self[~held], self[held]


def area_resize(x: Tensor, image_size: tuple[int, int]) -> Tensor:
    """(N, H, W) -> (N, *image_size), each new pixel the area-weighted mean of what lies under it, for any ratio.

    Separable, a product with one overlap matrix an axis; exact also where the ratio is not whole, which
    ``interpolate(mode="area")`` is not (its bins overlap there).
    """
    rows, columns = (_overlap(n, m).to(x) for n, m in zip(x.shape[1:], image_size))
    return rows @ x @ columns.mT


def _overlap(source: int, target: int) -> Tensor:
    """(target, source): the share of target bin i that source bin j covers, both spanning [0, 1]; rows sum to 1."""
    lower = torch.arange(target, dtype=torch.float64)[:, None] * (source / target)
    upper = lower + source / target
    j = torch.arange(source, dtype=torch.float64)
    overlap = (torch.minimum(upper, j + 1) - torch.maximum(lower, j)).clamp(min=0)
    return overlap / overlap.sum(1, keepdim=True)
