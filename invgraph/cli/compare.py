"""``invgraph compare PRED TRUTH``: how near a mesh is to the true one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Compare:
    """Score a mesh against the true one, in the same frame; prints JSON.

    Volume IoU, Chamfer-L1, F1 at 1% and 2% of the truth's bounding-sphere radius, normal consistency and
    watertightness. The truth may be open or non-manifold.
    """

    pred: Annotated[Positional[Path], arg(metavar="PRED")]
    """Mesh to score (obj, ply, glb, off, stl)."""
    truth: Annotated[Positional[Path], arg(metavar="TRUTH")]
    """True mesh."""
    out: Annotated[Path | None, arg(metavar="FILE")] = None
    """Write the JSON to this file too."""
    seed: int = 0
    """Seed of the random points."""

    def run(self) -> int:
        """Print the scores; 0."""
        from ..atomic import write_atomically
        from ..geometry import load_mesh
        from ..metrics import evaluate

        pred, truth = (load_mesh(path, appearance=False) for path in (self.pred, self.truth))
        text = json.dumps(evaluate(pred, truth, seed=self.seed), indent=2)
        if self.out is not None:
            write_atomically(self.out, f"{text}\n".encode())
        print(text)
        return 0
