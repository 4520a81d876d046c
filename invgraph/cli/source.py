"""How the VIEWS of a command are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

if TYPE_CHECKING:
    from ..data import Views


@dataclass(frozen=True)
class Reading:
    """What a data set is taken for; by default it is recognised."""

    format: str = "auto"
    """Format of the data set; auto recognises it."""
    masks: str = "auto"
    """Where masks come from: auto, alpha, a folder of masks, or threshold (on the brightness of the image)."""
    threshold: Annotated[float | None, arg(metavar="VALUE")] = None
    """Brightness in [0, 1] above which a pixel is the object, for --masks threshold; chosen by itself if not given."""

    def load(self, path: Path) -> Views:
        """Read the views of a data set."""
        from ..data import load_views

        return load_views(path, format=self.format, masks=self.masks, threshold=self.threshold)
