"""What a data set of made shapes holds."""

from __future__ import annotations

from dataclasses import dataclass

from ..shapes.shares import SPLITS, check_shares, share_out
from .classes import SYNSETS


@dataclass(frozen=True)
class MadeOptions:
    """What is made."""

    count: int = 4000
    """Shapes in all, as many of each class."""
    seed: int = 0
    """Another seed makes other shapes; the same one the same bytes."""
    classes: tuple[str, ...] = tuple(SYNSETS)
    """Which classes."""
    split: tuple[float, float, float] = (0.7, 0.1, 0.2)
    """Shares of train, val and test."""
    points: int = 10_000
    """Points of each shape with their occupancies, for 3D supervision; 0 for none."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.classes if name not in SYNSETS]
        if unknown:
            raise ValueError(f"classes: no class {', '.join(map(repr, unknown))}; there are: {', '.join(SYNSETS)}")
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes: expected different ones, got {', '.join(self.classes) or 'none'}")
        if self.count < len(self.classes):
            raise ValueError(
                f"count: expected at least a shape for each of {len(self.classes)} classes, got {self.count}"
            )
        check_shares(self.split)
        if not 0 <= self.points <= 1_000_000:
            raise ValueError(f"points: expected 0 to 1,000,000, got {self.points}")

    def plan(self) -> dict[tuple[str, str], range]:
        """Numbers of the shapes of each class and split, those without any left out."""
        wanted: dict[tuple[str, str], range] = {}
        for i, name in enumerate(self.classes):
            total = self.count // len(self.classes) + (i < self.count % len(self.classes))
            for split, part in zip(SPLITS, share_out(total, self.split), strict=True):
                if part:
                    wanted[name, split] = part
        return wanted
