"""What a data set of made shapes holds."""

from __future__ import annotations

from dataclasses import dataclass

from .classes import SYNSETS

SPLITS = ("train", "val", "test")


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
        if len(self.split) != 3 or not min(self.split) >= 0 or not 0 < sum(self.split) < float("inf"):
            raise ValueError(f"split: expected three shares not below 0 with a sum above 0, got {self.split}")
        if not 0 <= self.points <= 1_000_000:
            raise ValueError(f"points: expected 0 to 1,000,000, got {self.points}")

    def plan(self) -> dict[tuple[str, str], range]:
        """Numbers of the shapes of each class and split, those without any left out."""
        wanted: dict[tuple[str, str], range] = {}
        for i, name in enumerate(self.classes):
            total = self.count // len(self.classes) + (i < self.count % len(self.classes))
            begin, so_far = 0, 0.0
            for split, share in zip(SPLITS, self.split, strict=True):
                so_far += share / sum(self.split)
                end = round(total * so_far)
                if end > begin:
                    wanted[name, split] = range(begin, end)
                begin = end
        return wanted
