"""Line and bar charts as inline SVG, coloured by the page's CSS variables: they follow its light or dark theme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 26, 34
_BAR_WIDTH = 1100
_BINS = 240  # points drawn per curve; finer data are drawn as the mean and range of each bin

Series = tuple[Sequence[float], Sequence[float]]


def line_chart(
    series: Mapping[str, Series],
    *,
    label: str,
    stages: Sequence[tuple[float, str]] = (),
    log: bool | None = None,
) -> Markup:
    """One chart of curves over the iteration.

    A curve with many points is drawn as the mean over short runs of iterations, with their range as a lighter band.

    Args:
        series: name -> (x, y), two sequences of one length; points that are not finite are left out.
        label: what the chart shows, for screen readers.
        stages: (first x, name) of each stage, marked by a vertical line.
        log: logarithmic y axis; None chooses it for positive data over more than a factor 30.
    """
    curves = [(name, *_points(name, *xy)) for name, xy in series.items()]
    curves = [curve for curve in curves if len(curve[1])]
    if not curves:
        return Markup('<p class="empty">No data.</p>')
    xs, ys = (np.concatenate([curve[k] for curve in curves]) for k in (1, 2))
    if log is None:
        log = bool(ys.min() > 0 and ys.max() > 30 * ys.min())
    x_low, x_high = float(xs.min()), float(max(xs.max(), xs.min() + 1))
    y_ticks, y_low, y_high = _log_ticks(ys) if log else _ticks(float(ys.min()), float(ys.max()), 5)

    def px(x: np.ndarray | float) -> np.ndarray:
        return _LEFT + (np.asarray(x) - x_low) / (x_high - x_low) * (_WIDTH - _LEFT - _RIGHT)

    def py(y: np.ndarray | float) -> np.ndarray:
        y = np.asarray(y, dtype=float)
        part = np.log(y / y_low) / math.log(y_high / y_low) if log else (y - y_low) / (y_high - y_low)
        return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)

    out = [f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">']
    for tick in y_ticks:
        y = float(py(tick))
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    for tick in _ticks(x_low, x_high, 6)[0]:
        if x_low <= tick <= x_high:
            x = float(px(tick))
            out.append(f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{_number(tick)}</text>')
    inside = [(x, name) for x, name in stages if x_low <= x <= x_high]
    for (start, name), (end, _) in zip(inside, [*inside[1:], (x_high, "")]):
        x, room = float(px(start)), float(px(end) - px(start))
        if start > x_low:
            out.append(f'<line class="stage" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 12}" y2="{_HEIGHT - _BOTTOM}"/>')
        letters = int((room - 8) / 6.6)
        if letters >= 3:
            short = name if len(name) <= letters else name[: letters - 1] + "…"
            out.append(f'<text class="stage-name" x="{x + 5:.1f}" y="{_TOP - 8}">{escape(short)}</text>')
    for k, (name, x_all, y_all) in enumerate(curves):
        run, mean, low, high = _binned(x_all, y_all, log)
        color = f"var(--series-{k % 6})"
        if (high > low).any():
            band = np.concatenate([np.stack([px(run), py(high)], 1), np.stack([px(run), py(low)], 1)[::-1]])
            out.append(f'<polygon points="{_path(band)}" fill="{color}" opacity="0.16"/>')
        line = np.stack([px(run), py(mean)], 1)
        title = f"<title>{escape(name)}: ends at {_number(float(y_all[-1]))}</title>"
        if len(line) == 1:
            out.append(f'<circle cx="{line[0, 0]:.1f}" cy="{line[0, 1]:.1f}" r="3" fill="{color}">{title}</circle>')
        else:
            out.append(f'<polyline class="curve" points="{_path(line)}" stroke="{color}">{title}</polyline>')
    out.append("</svg>")
    return Markup("".join(out))


def bar_chart(bars: Sequence[tuple[str, float, int, str]], *, label: str) -> Markup:
    """One bar for each (name, value >= 0, colour number, address it links to), with the lowest value at 0.

    Args:
        bars: from left to right.
        label: what the chart shows, for screen readers.
    """
    if not bars:
        return Markup('<p class="empty">No data.</p>')
    height, top, bottom = 150, 10, 10
    ticks, _, high = _ticks(0.0, max(max(value for _, value, _, _ in bars), 1e-6), 3)
    pitch = min(46.0, (_BAR_WIDTH - _LEFT - _RIGHT) / len(bars))

    def py(value: float) -> float:
        return height - bottom - value / high * (height - top - bottom)

    out = [f'<svg class="chart bars" viewBox="0 0 {_BAR_WIDTH} {height}" role="img" aria-label="{escape(label)}">']
    for tick in ticks:
        y = py(tick)
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{_BAR_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>')
    for k, (name, value, color, address) in enumerate(bars):
        x, y, wide = _LEFT + pitch * (k + 0.15), py(value), pitch * 0.7
        out.append(
            f'<a href="{escape(address)}"><rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" '
            f'height="{max(height - bottom - y, 0.5):.1f}" rx="{min(2.0, wide / 4):.1f}" '
            f'fill="var(--series-{color % 6})"><title>{escape(name)}: {value:.4f}</title></rect></a>'
        )
    out.append("</svg>")
    return Markup("".join(out))


def _points(name: str, x: Sequence[float], y: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if xs.ndim != 1 or xs.shape != ys.shape:
        raise ValueError(f"curve {name!r}: expected x and y of one length, got shapes {xs.shape} and {ys.shape}")
    good = np.isfinite(xs) & np.isfinite(ys)
    order = np.argsort(xs[good], kind="stable")
    return xs[good][order], ys[good][order]


def _binned(x: np.ndarray, y: np.ndarray, log: bool) -> tuple[np.ndarray, ...]:
    """x, mean, lowest and highest y of each run of points, at most ``_BINS`` runs."""
    if len(x) <= _BINS:
        return x, y, y, y
    starts = np.linspace(0, len(x), _BINS, endpoint=False).astype(int)
    count = np.diff(np.append(starts, len(x)))

    def mean(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, starts) / count

    middle = np.exp(mean(np.log(y))) if log else mean(y)
    return mean(x), middle, np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)


def _ticks(low: float, high: float, wanted: int) -> tuple[list[float], float, float]:
    """Round tick values that cover [low, high], and the first and last of them."""
    if not high > low:
        spread = abs(low) * 0.05 or 0.5
        low, high = low - spread, high + spread
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(k * step, 12) for k in range(first, last + 1)]
    return ticks, first * step, last * step


def _log_ticks(values: np.ndarray) -> tuple[list[float], float, float]:
    low, high = float(values.min()), float(values.max())
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [m * 10.0**k for k in range(first, last + 1) for m in steps]
    stride = max(1, (last - first) // 6) if len(steps) == 1 else 1
    ticks = ticks[::stride]
    inside = [t for t in ticks if low * 0.999 <= t <= high * 1.001]
    return inside or ticks, low / 1.1, high * 1.1


def _number(value: float) -> str:
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _path(points: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
