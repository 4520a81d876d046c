"""`load_views`: any supported folder of calibrated pictures -> `Views`; behind it, one pass that gathers all faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from ..cameras import Cameras
from ..errors import InputError
from . import colmap, idr, middlebury, nerf
from .frames import BadFile, Finding, Scan
from .masks import MIDDLEBURY, Threshold, empty_or_full, mask_files, threshold_masks
from .pictures import Picture, decode, informative
from .views import Views

FORMATS: dict[str, ModuleType] = {"nerf": nerf, "idr": idr, "colmap": colmap, "middlebury": middlebury}
"""The formats by name, in the order in which they are looked for."""
MASK_MODES = ("auto", "alpha", "folder", "threshold", "middlebury")
PLAIN_BORDER = 0.35
"""In automatic mode a threshold is refused where more than this share of the border pixels exceeds it."""


def load_views(
    path: str | Path,
    *,
    format: str = "auto",
    masks: str | Path = "auto",
    threshold: float | None = None,
    dilate: int | None = None,
    erode: int | None = None,
    fill_holes: float = 0.02,
    crumbs: float = 0.02,
    max_size: int | None = None,
    images: bool = True,
) -> Views:
    """Read a data set of calibrated pictures: NeRF-synthetic or nerfstudio, IDR/NeuS/DTU, COLMAP, Middlebury.

    Pictures of different sizes are padded at the right and the bottom; lens distortion is resampled away; what either
    leaves without data is marked in ``Views.known``. Cameras are float32, in the data set's own world and units.

    Args:
        path: the data folder, or its camera file.
        format: "auto" or one of "nerf", "idr", "colmap", "middlebury".
        masks: "alpha"; "folder" (mask files beside the images); the path of a folder with masks; "threshold" (on the
            pictures, before a plain background); "middlebury" (the recipe of that data's authors: threshold 0.19,
            dilate 10, erode 7); or "auto": mask files where there are any, else alpha, else a threshold.
        threshold, dilate, erode, fill_holes, crumbs: how "threshold" works, see `invgraph.data.masks.Threshold`.
            Giving ``threshold`` implies it.
        max_size: area-average pictures whose longer side has more pixels than this.
        images: keep the photographs; False saves their memory where only silhouettes are needed.

    Raises:
        InputError: one sentence on the first fault and how many more there are; `examine` lists them all.
    """
    if max_size is not None and max_size < 1:
        raise InputError(f"max_size must be a positive number of pixels, got {max_size}")
    rule = Threshold(threshold, dilate, erode, fill_holes, crumbs)
    views, findings = gather(path, format=format, masks=masks, rule=rule, max_size=max_size, images=images)
    errors = [f for f in findings if f.severity == "error"]
    if errors or views is None:
        more = f"; and {len(errors) - 1} more, which `invgraph doctor` lists" if len(errors) > 1 else ""
        raise InputError(f"{errors[0]}{more}")
    return views


def gather(
    path: str | Path,
    *,
    format: str = "auto",
    masks: str | Path = "auto",
    rule: Threshold | None = None,
    max_size: int | None = None,
    images: bool = True,
) -> tuple[Views | None, list[Finding]]:
    """One pass over a data set that does not stop at faults: the views that are sound, and everything found amiss.

    The views are None where none is left. Arguments as in `load_views`.
    """
    rule = Threshold() if rule is None else rule
    scan: Scan | None = None
    try:
        scan = recognise(Path(path), format)
        pictures, silhouettes, how = _silhouettes(scan, masks, rule, max_size, images)
    except BadFile as e:
        return None, [*(scan.findings if scan is not None else ()), e.finding]
    usable = []
    for i, (picture, mask) in enumerate(zip(pictures, silhouettes)):
        if fault := empty_or_full(mask, picture.known):
            scan.error(fault, str(picture.frame.image), "remove the view or mend its mask")
        else:
            usable.append(i)
    pictures, silhouettes = [pictures[i] for i in usable], [silhouettes[i] for i in usable]
    if len(scan.frames) < 2 and not any(f.severity == "error" for f in scan.findings):
        scan.error(f"found {len(scan.frames)} view, at least 2 are needed", scan.camera_file)
    if not pictures:
        return None, scan.findings
    source = f"{scan.format}: {len(pictures)} views from {scan.camera_file}; silhouettes from {how}"
    return _assemble(pictures, silhouettes, source, images), scan.findings


def recognise(path: Path, format: str = "auto") -> Scan:
    """Find and read the camera file of a data folder. Raises `InputError` where there is none that is understood."""
    if format != "auto" and format not in FORMATS:
        raise BadFile(path, f"unknown format {format!r}, expected auto, {', '.join(FORMATS)}")
    if not path.exists():
        raise BadFile(path, "no such file or folder")
    for name, reader in FORMATS.items():
        if format in ("auto", name) and (file := reader.find(path)) is not None:
            return reader.read(file)
    if format != "auto":
        raise BadFile(path, f"no camera file of the format {format!r} here")
    raise BadFile(
        path,
        "unknown format: expected transforms.json or transforms_train.json (NeRF, nerfstudio), cameras_sphere.npz or "
        "cameras.npz (IDR, NeuS, DTU), sparse/0 (COLMAP) or *_par.txt (Middlebury)",
    )


def _silhouettes(
    scan: Scan, masks: str | Path, rule: Threshold, max_size: int | None, images: bool
) -> tuple[list[Picture], list[Tensor], str]:
    """Decode the pictures and choose where their masks come from; says so in words."""
    mode, folder = _mask_mode(scan, masks, rule)
    files: list[Path | None] = [None] * len(scan.frames)
    how = ""
    if mode in ("auto", "folder"):
        files, how = mask_files(scan, folder)
        if mode == "folder" and not any(files):
            raise BadFile(folder or scan.root, f"no mask files found for the images of {scan.camera_file.name}")
    pictures = decode(scan, files, max_size, keep_color=images or mode in ("threshold", "middlebury"))
    if any(files):
        pictures = [p for p in pictures if p.mask is not None]  # the others are among the errors already
        return pictures, [p.mask for p in pictures if p.mask is not None], how
    if mode == "alpha" or (mode == "auto" and any(informative(p.alpha) for p in pictures)):
        for p in pictures:
            if p.alpha is None:
                scan.error("the image has no alpha channel", str(p.frame.image), "choose where masks come from")
        pictures = [p for p in pictures if p.alpha is not None]
        return pictures, [p.alpha for p in pictures if p.alpha is not None], "the alpha channel"
    if not pictures:
        return [], [], ""
    rule = MIDDLEBURY if mode == "middlebury" else rule
    silhouettes, how, crossing = threshold_masks([p.color for p in pictures if p.color is not None], rule)
    if mode == "auto" and crossing > PLAIN_BORDER:
        raise BadFile(
            scan.root,
            "no silhouettes: the images have no alpha channel and no mask folder, and their background is not plain "
            f"({crossing:.0%} of the border exceeds the threshold); add a folder masks/ or set the threshold yourself",
        )
    return pictures, silhouettes, how


def _mask_mode(scan: Scan, masks: str | Path, rule: Threshold) -> tuple[str, Path | None]:
    """One of MASK_MODES, and the folder of masks where one was given."""
    if isinstance(masks, str) and masks in MASK_MODES:
        explicit = rule != Threshold()
        if explicit and masks not in ("auto", "threshold"):
            raise BadFile(scan.root, f"threshold settings do not go with masks from {masks!r}")
        return ("threshold" if explicit else masks), None
    for folder in (Path(masks), scan.root / masks):
        if folder.is_dir():
            return "folder", folder
    raise BadFile(masks, f"expected a folder of masks or one of {', '.join(MASK_MODES)}")


def _assemble(pictures: Sequence[Picture], masks: Sequence[Tensor], source: str, images: bool) -> Views:
    """Stack, padding at the right and bottom to the largest picture; padding is unknown."""
    H, W = (max(p.size[axis] for p in pictures) for axis in (0, 1))

    def stacked(layers: Sequence[Tensor], fill: bool = False) -> Tensor:
        out = layers[0].new_full((len(layers), H, W, *layers[0].shape[2:]), fill)
        for target, layer in zip(out, layers):
            target[: layer.shape[0], : layer.shape[1]] = layer
        return out

    known = None
    if any(p.size != (H, W) or p.known is not None for p in pictures):
        known = stacked([torch.ones(p.size, dtype=torch.bool) if p.known is None else p.known for p in pictures])
    poses = [(p.frame.R, p.frame.t, p.K) for p in pictures]
    R, t, K = (torch.from_numpy(np.stack(x)).float() for x in zip(*poses))
    cameras = Cameras(R, t, K, (H, W))
    colors = [p.color for p in pictures if p.color is not None]
    return Views(
        cameras,
        stacked(masks),
        stacked(colors) if images and len(colors) == len(pictures) else None,
        known,
        tuple(p.frame.name for p in pictures),
        source,
    )
