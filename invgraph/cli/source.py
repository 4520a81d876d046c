"""How the VIEWS of a command are read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import arg

if TYPE_CHECKING:
    from ..data import Views


@dataclass(frozen=True)
class Reading:
    """What a data set is taken for; by default it is recognised."""

    format: Literal["auto", "nerf", "idr", "colmap", "middlebury"] = "auto"
    """Format of the data set; auto recognises it."""
    masks: Annotated[str, arg(metavar="auto|alpha|folder|threshold|middlebury|DIR")] = "auto"
    """Where masks come from: the alpha channel, mask files beside the images, a folder DIR of masks, a threshold on
    pictures before a plain background, or the recipe of the Middlebury data's authors."""
    threshold: Annotated[float | None, arg(metavar="VALUE")] = None
    """Contrast with the background, in [0, 1), above which a pixel is the object; default: chosen by Otsu's method."""
    dilate: Annotated[int | None, arg(metavar="PIXELS")] = None
    """Grow threshold masks by this radius; default: as far as their raggedness asks."""
    erode: Annotated[int | None, arg(metavar="PIXELS")] = None
    """Then shrink them by this radius."""

    def load(self, path: Path, max_size: int | None = None) -> Views:
        """Read the views of a data set; pictures are averaged down to ``max_size`` pixels as they are decoded."""
        from ..data import load_views

        return load_views(path, max_size=max_size, **dataclasses.asdict(self))
