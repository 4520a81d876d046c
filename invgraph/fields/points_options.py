"""What can be chosen about a fit to points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FitPointsOptions:
    """Options of a fit to points or to a mesh; the defaults are the measured ones."""

    field: Literal["grid", "siren", "occupancy"] = "grid"
    """What is fitted: grid, a signed distance on feature grids, in seconds; siren, a signed distance by a network of
    sines, in minutes, smooth and small; occupancy, the decoder of Occupancy Networks, in minutes."""
    normals: Literal["auto", "given", "estimate"] = "auto"
    """Where a cloud's normals come from: given, the file must have them; estimate, found from the points alone; auto,
    those of the file if it has any."""
    noise: float | None = None
    """Standard deviation of a cloud's points about the surface, as a fraction of its longest side; estimated by
    default. More smooths more; 0 trusts every point."""
    points: int = 100_000
    """At most so many points of a cloud are used, drawn at random; of a mesh, so many are sampled."""
    effort: float = 1.0
    """Multiplies the number of steps."""
    resolution: int = 128
    """Cells along the longest side of the box in which the mesh is extracted, a tenth larger than the shape."""
    faces: int | None = None
    """Simplify the mesh to about so many faces."""
    seed: int = 0
    """Seed of all that is random; on a CPU the same seed and number of threads give the same bytes."""

    def __post_init__(self) -> None:
        def require(ok: bool, name: str, expected: str) -> None:
            if not ok:
                raise ValueError(f"{name}: expected {expected}, got {getattr(self, name)!r}")

        require(self.field in ("grid", "siren", "occupancy"), "field", "grid, siren or occupancy")
        require(self.normals in ("auto", "given", "estimate"), "normals", "auto, given or estimate")
        require(self.noise is None or 0 <= self.noise < 0.2, "noise", "a fraction in [0, 0.2)")
        require(100 <= self.points <= 10_000_000, "points", "100 to 10,000,000")
        require(0 < self.effort < 1e6, "effort", "a positive number")
        require(8 <= self.resolution <= 4096 and self.resolution % 4 == 0, "resolution", "a multiple of 4, at least 8")
        require(self.faces is None or self.faces >= 4, "faces", "at least 4")
        require(-(2**63) <= self.seed < 2**63, "seed", "a 64-bit integer")
