"""Where silhouettes come from: the alpha channel, mask files, or a threshold on photographs of a plain background."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from .frames import Frame, Scan
from .pictures import IMAGE_SUFFIXES

MASK_FOLDERS = ("mask", "masks", "silhouette", "silhouettes")


@dataclass(frozen=True)
class Threshold:
    """Silhouettes from photographs before a plain background: a pixel is object where it differs from the background.

    The contrast of a pixel is the largest difference of its channels from the background colour. Object is where it
    exceeds ``level``; then dilate and erode by discs (a closing where both are equal: it bridges dark shadows), drop
    crumbs and fill small holes.

    Attributes:
        level: contrast in [0, 1]; None takes the middle between the mean contrasts of background and object, told apart
            by Otsu's method over all pictures together, all in square roots of the contrast (which keeps the object's
            shaded parts on its side).
        dilate, erode: radii in pixels of the picture as it was loaded; None is a closing of 2 % of its shorter side
            where the bare threshold leaves holes and crumbs (over 0.2 % of the object, in a quarter of the pictures),
            and 0 where it does not.
        fill_holes: holes up to this share of the object's area are filled, and as small pockets between the object and
            the image's border; 0 fills none, 1 all that are no larger than the object.
        crumbs: connected components up to this share of the largest one's area are dropped; 0 drops none, 1 keeps only
            the largest.
        background: colour in [0, 1]; None takes the median of the pictures' border pixels.
    """

    level: float | None = None
    dilate: int | None = None
    erode: int | None = None
    fill_holes: float = 0.02
    crumbs: float = 0.02
    background: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level < 1:
            raise InputError(f"threshold must lie in [0, 1), got {self.level}")
        for name in ("dilate", "erode"):
            if (getattr(self, name) or 0) < 0:
                raise InputError(f"{name} must be a radius in pixels, 0 or more, got {getattr(self, name)}")
        for name in ("fill_holes", "crumbs"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be a share of the object's area in [0, 1], got {getattr(self, name)}")


RAGGED = 0.002
"""The share of holes and crumbs above which a threshold mask is closed, see `Threshold`."""

MIDDLEBURY = Threshold(level=0.19, dilate=10, erode=7, fill_holes=0.0, crumbs=0.0, background=(0.0, 0.0, 0.0))
"""The recipe of the Middlebury multi-view data's authors (Seitz et al., CVPR 2006): 3 pixels too large by design."""


def threshold_masks(colors: Sequence[Tensor], rule: Threshold) -> tuple[list[Tensor], str, float]:
    """Silhouettes (H, W) float32 of pictures (H, W, 3) taken before one plain background.

    Returns:
        The masks; the rule in words with the values it came to; and the share of border pixels, in the median picture,
        that exceed the threshold: near 0 where the background is plain.
    """
    background = torch.tensor(rule.background) if rule.background is not None else _border_color(colors)
    contrasts = [(color - background).abs().amax(-1) for color in colors]
    level = rule.level
    if level is None:
        roots = np.concatenate([c.numpy().ravel()[:: max(1, len(colors) * c.numel() // 4_000_000)] for c in contrasts])
        level = _level(np.sqrt(roots))
    masks = [(c > level).numpy() for c in contrasts]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        ragged = float(np.quantile(list(pool.map(lambda m: _raggedness(m, rule), masks)), 0.75))
        dilate, erode = (
            [round(0.02 * min(c.shape)) if ragged > RAGGED else 0 for c in contrasts] if radius is None else [radius]
            for radius in (rule.dilate, rule.erode)
        )
        jobs = zip(masks, cycle(dilate), cycle(erode))
        cleaned = list(pool.map(lambda job: _clean(_dilate_erode(*job), rule), jobs))
    crossing = float(np.median([float((_border(c) > level).float().mean()) for c in contrasts]))
    radii = f"dilate {max(dilate)}, erode {max(erode)}" if max(dilate) or max(erode) else "no closing"
    how = f"threshold {level:.3g} on the contrast with the background, {radii}"
    return [torch.from_numpy(np.ascontiguousarray(m)).float() for m in cleaned], how, crossing


def _level(roots: np.ndarray) -> float:
    """The middle between Otsu's two classes. His own threshold is any between them where they are well apart."""
    from skimage.filters import threshold_otsu

    if roots.min() == roots.max():
        return 0.5  # nothing but background: all masks come out empty, which is reported
    upper = roots > threshold_otsu(roots)
    return float((roots[upper].mean() + roots[~upper].mean()) / 2) ** 2


def _border(x: Tensor) -> Tensor:
    """(H, W, ...) -> (2 H + 2 W, ...): the outermost pixels."""
    return torch.cat([x[0], x[-1], x[:, 0], x[:, -1]])


def _border_color(colors: Sequence[Tensor]) -> Tensor:
    return torch.cat([_border(c) for c in colors]).median(0).values


def _raggedness(mask: np.ndarray, rule: Threshold) -> float:
    """How much of a bare threshold mask is small holes and crumbs: what cleaning changes, relative to the object."""
    return float((mask != _clean(mask, rule)).sum() / max(1, mask.sum()))


def _dilate_erode(mask: np.ndarray, dilate: int, erode: int) -> np.ndarray:
    """Dilation, then erosion, by discs of these radii."""
    from skimage.morphology import isotropic_dilation, isotropic_erosion

    pad = max(dilate, erode) + 1
    # beyond the edge the picture is taken to go on as it ends: an object that leaves it is not eroded there
    mask = np.pad(mask, pad, mode="edge")
    if dilate:
        mask = isotropic_dilation(mask, dilate)
    if erode:
        mask = isotropic_erosion(mask, erode)
    return mask[pad:-pad, pad:-pad]


def _clean(mask: np.ndarray, rule: Threshold) -> np.ndarray:
    """Without crumbs and with small holes filled, as far as the rule asks for either."""
    if rule.crumbs > 0 and mask.any():
        labels, areas = _components(mask)
        large = areas > rule.crumbs * areas.max()
        large[areas.argmax()] = True
        mask = large[labels]
    if rule.fill_holes > 0 and not mask.all():
        labels, areas = _components(~mask)
        hole = (areas > 0) & (areas <= rule.fill_holes * mask.sum())
        hole[areas.argmax()] = False
        mask = mask | hole[labels]
    return mask


def _components(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the connected components, 0 elsewhere; and the area by label, 0 for label 0."""
    from scipy import ndimage

    labels, _ = ndimage.label(mask)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return labels, areas


def empty_or_full(mask: Tensor, known: Tensor | None) -> str | None:
    """What makes a mask (H, W) useless, in words, or None."""
    seen = mask if known is None else mask[known]
    if not bool((seen >= 0.5).any()):
        return "the mask is empty: no pixel of the object"
    return "the mask is full: no pixel of background" if bool((seen >= 0.5).all()) else None


def mask_files(scan: Scan, folder: Path | None) -> tuple[list[Path | None], str]:
    """A mask file for each frame, as the camera file names it or from a folder of masks, and that in words.

    Args:
        folder: where to look; None looks for a folder called mask, masks, silhouette or silhouettes beside the images.

    Returns:
        All None and "" where no mask is found at all. Frames without a mask in a folder that has others are errors.
    """
    if folder is None and scan.frames and all(frame.mask is not None for frame in scan.frames):
        return [frame.mask for frame in scan.frames], "mask files named by the camera file"
    for place in [folder] if folder is not None else _folders(scan):
        found = _match(scan, place)
        if not any(found):
            continue
        for frame, mask in zip(scan.frames, found):
            if mask is None:
                scan.error(f"no mask for this image in {place}", str(frame.image))
        return found, f"mask folder {place.name}/"
    return [None] * len(scan.frames), ""


def _folders(scan: Scan) -> list[Path]:
    parents = {
        scan.root: None,
        **{p: None for f in scan.frames for p in (f.image.parent, f.image.parent.parent)},
    }
    inside = [p for p in parents if p == scan.root or scan.root in p.parents]
    return [p / name for p in inside for name in MASK_FOLDERS if (p / name).is_dir()]


def _match(scan: Scan, folder: Path) -> list[Path | None]:
    """By name (``a/b.jpg`` finds ``a/b.png``, ``b.png`` or ``b.jpg.png``); else, where the counts agree, in order."""
    files = sorted(p for p in folder.rglob("*") if p.suffix in IMAGE_SUFFIXES)
    by_name = {str(p.relative_to(folder).with_suffix("")): p for p in reversed(files)}
    found = [next((by_name[key] for key in _keys(scan, frame) if key in by_name), None) for frame in scan.frames]
    if not any(found) and len(files) == len(scan.frames):
        order = sorted(range(len(files)), key=lambda i: scan.frames[i].image)
        for i, file in zip(order, files):
            found[i] = file
    return found


def _keys(scan: Scan, frame: Frame) -> list[str]:
    path = frame.image
    if scan.root in path.parents:
        path = path.relative_to(scan.root)
    tails = [Path(*path.parts[i:]) for i in range(len(path.parts))]
    return [str(key) for tail in tails for key in (tail.with_suffix(""), tail)]
