"""What the pages have in common: how they look, and how values are written on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from .overlay import AGREEMENT, BACKGROUND, EXTRA, MISSING, UNKNOWN


def rendered(template: str, **values: Any) -> str:
    """A page from a template of this folder, which gets the values, ``colors`` and ``version``; all text is escaped."""
    import jinja2

    from .. import __version__

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    named = {"missing": MISSING, "extra": EXTRA, "agreement": AGREEMENT, "unknown": UNKNOWN, "tile": BACKGROUND}
    colors = {name: _css(color) for name, color in named.items()}
    return environment.get_template(template).render(colors=colors, version=__version__, **values)


def text_of(value: Any) -> str:
    """A value as a reader wants it: yes or no, 12,345, 0.9876, a list by commas."""
    if isinstance(value, (Tensor, np.ndarray)):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(text_of(part) for part in value) or "–"
    return str(value) or "–"


def _css(color: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in color)
