"""Charts as files of their own, for pages that cannot take them inline."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from markupsafe import escape

from ..atomic import write_atomically
from ..errors import InputError
from .chart import Series, line_chart

_STYLE = """
:root { --series-0: #1f5fd6; --series-1: #d2621c; --series-2: #1c8a6a; --series-3: #8b4fc6; --series-4: #b3261e;
  --series-5: #6b7280; }
text { font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #5b6472; }
.title { font-size: 15px; fill: #1b2230; } .grid { stroke: #dfe3ea; }
.curve { fill: none; stroke-width: 1.9; stroke-linejoin: round; stroke-linecap: round; }
"""
_HEAD = 44  # pixels above the chart: title and legend


def save_chart(
    path: str | os.PathLike[str], series: Mapping[str, Series], *, title: str, log: bool | None = None
) -> None:
    """Write one chart of curves, with a title and a legend, as an svg file on white.

    Args:
        path: file ending in .svg, in a folder that exists.
        series: name -> (x, y), two sequences of one length; a curve with many points is drawn as its mean over short
            runs, with their range as a lighter band.
        title: what the chart shows.
        log: logarithmic y axis; None chooses it for positive data over more than a factor 30.

    Raises:
        InputError: another ending, or a folder that is missing or cannot be written.
        ValueError: a curve's x and y differ in length, or no curve has a point that is finite.
    """
    path = Path(path)
    if path.suffix.lower() != ".svg":
        raise InputError(f"{path}: expected a chart file ending in .svg")
    chart = str(line_chart(series, label=title, log=log))
    if not chart.startswith("<svg"):
        raise ValueError("series: expected a curve with at least one finite point, got none")
    left, legend = 62.0, []
    for k, name in enumerate(series):
        legend.append(f'<circle cx="{left + 5:.0f}" cy="34" r="4.5" fill="var(--series-{k % 6})"/>')
        legend.append(f'<text x="{left + 14:.0f}" y="38">{escape(name)}</text>')
        left += 34 + 6.6 * len(name)
    inner = chart.replace("<svg", f'<svg y="{_HEAD}" width="720" height="300"', 1)
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {_HEAD + 300}" width="720" height="{_HEAD + 300}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="title" x="62" y="18">{escape(title)}</text>{"".join(legend)}{inner}</svg>\n'
    )
    write_atomically(path, text.encode())
