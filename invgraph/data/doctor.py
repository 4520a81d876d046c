"""`examine`: everything that is wrong or risky in a data set, at once, before an hour is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from .consensus import Target, find_target, vote, worst_tangency
from .frames import Finding
from .load import gather
from .masks import Threshold, empty_or_full
from .views import Views

FEW_VIEWS = 8


def examine(
    data: str | Path | Views,
    *,
    format: str = "auto",
    masks: str | Path = "auto",
    threshold: float | None = None,
    dilate: int | None = None,
    erode: int | None = None,
    fill_holes: float = 0.02,
    crumbs: float = 0.02,
) -> list[Finding]:
    """All problems of a data folder (or of views in memory), errors first.

    Errors are what `load_views` refuses; where views are left without them, those are examined for what usually ruins a
    fit: cameras that do not look at one place, masks that disagree with the cameras, objects cropped by the image, too
    few or one-sided views, masks that are nearly empty, nearly full, inverted or blurred.

    Args:
        data: a data folder, its camera file, or `Views`.
        format, masks, threshold, dilate, erode, fill_holes, crumbs: as in `load_views`.
    """
    findings: list[Finding] = []
    if isinstance(data, Views):
        views: Views | None = data
        where = "the views"
        if len(data) < 2:
            findings.append(Finding("error", f"found {len(data)} view, at least 2 are needed", where))
        for name, mask, known in zip(
            data.names, data.masks, data.known if data.known is not None else [None] * len(data)
        ):
            if fault := empty_or_full(mask, known):
                findings.append(Finding("error", fault, name))
        views = None if findings else data
    else:
        rule = Threshold(threshold, dilate, erode, fill_holes, crumbs)
        views, findings = gather(data, format=format, masks=masks, rule=rule, images=False)
        where = str(data)
    if views is not None and len(views) >= 2:
        findings = [*findings, *(Finding("warning", what, at or where, mend) for at, what, mend in _risks(views))]
    return sorted(findings, key=lambda f: f.severity != "error")


Risk = tuple[str, str, str]  # where ("" for the data set), what, how to mend it


def _risks(views: Views) -> Iterator[Risk]:
    """Warnings about views that are sound one by one."""
    target = find_target(views)
    yield from _mask_risks(views)
    yield from _camera_risks(views, target)
    yield from _arrangement_risks(views, target)
    if bool((target.depth > 0).any()):
        yield from _agreement_risks(views, target)


def _names(views: Views, which: Tensor | Iterable[int]) -> str:
    """The names of some views, shortened where there are many."""
    index = which.nonzero()[:, 0].tolist() if isinstance(which, Tensor) else list(which)
    shown = ", ".join(views.names[i] for i in index[:4])
    return shown if len(index) <= 4 else f"{shown} and {len(index) - 4} more"


def _mask_risks(views: Views) -> Iterator[Risk]:
    masks = views.masks.cpu()
    known = torch.ones_like(masks, dtype=torch.bool) if views.known is None else views.known.cpu()
    pixels = known.sum((1, 2)).clamp(min=1)
    share = ((masks > 0.5) & known).sum((1, 2)) / pixels
    # the rim of what is known: pixels with an unknown pixel or the end of the image next to them
    unknown = torch.nn.functional.pad((~known).float()[:, None], (1, 1, 1, 1), value=1.0)
    rim = known & (torch.nn.functional.max_pool2d(unknown, 3, 1)[:, 0] > 0)
    on_rim = ((masks > 0.5) & rim).sum((1, 2))
    rim_share = on_rim / rim.sum((1, 2)).clamp(min=1)
    soft = ((masks > 0.1) & (masks < 0.9)).sum((1, 2)) / (masks > 0.1).sum((1, 2)).clamp(min=1)

    if bool((rim_share > 0.6).float().mean() > 0.5):
        yield "", "the masks look inverted: most of the images' borders count as object", "the object must be white"
        return
    for which, what, mend in (
        (share < 0.005, "the mask is nearly empty (under 0.5 % of the image)", "check the mask, or crop the images"),
        (share > 0.9, "the mask is nearly full (over 90 % of the image)", "check the mask, or use wider images"),
        (soft > 0.5, "most of the mask is neither object nor background", "check that this is a mask, and sharp"),
        (
            on_rim > 2,
            f"the object is cropped by the image's border in {int((on_rim > 2).sum())} of {len(views)} views",
            "what lies outside is judged by the other views alone",
        ),
    ):
        if bool(which.any()):
            yield _names(views, which), what, mend


def _camera_risks(views: Views, target: Target) -> Iterator[Risk]:
    cameras = views.cameras.to("cpu", torch.float64)
    H, W = cameras.image_size
    fx, fy, cx, cy = (cameras.K[:, i, j] for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    outside = (cx < 0) | (cx > W) | (cy < 0) | (cy > H)
    if bool(outside.any()):
        yield (
            _names(views, outside),
            "the principal point lies outside the image",
            "check cx, cy against the image size",
        )
    odd = (fx / fy - 1).abs() > 0.2
    if bool(odd.any()):
        yield _names(views, odd), "the focal lengths in x and y differ by over 20 %", "check that width and height fit"

    # the same pose twice says nothing new, and is often a wrongly copied line
    pose = torch.cat([cameras.R.flatten(1), cameras.t / target.depth.abs().median().clamp(min=1e-12)], 1)
    same = (torch.cdist(pose, pose) < 1e-6).triu(1).any(0)
    if bool(same.any()):
        yield _names(views, same), "the camera is the same as that of another view", "check the poses"
    rounding = float((fx / target.depth.abs().clamp(min=1e-12)).max() * target.center.abs().max()) * 2**-24
    if rounding > 0.05:
        yield "", f"the scene lies so far from the origin that float32 costs {rounding:.2g} pixels", "move the origin"


def _arrangement_risks(views: Views, target: Target) -> Iterator[Risk]:
    cameras = views.cameras.to("cpu", torch.float64)
    H, W = cameras.image_size
    behind = target.depth <= 0
    if bool(behind.float().mean() > 0.5):
        yield (
            "",
            "the cameras look away from one another: what their axes meet in lies behind them",
            "y and z of the camera axes may be flipped (OpenGL against OpenCV)",
        )
        return
    if float(target.miss.median()) > 0.1:
        yield (
            "",
            "the cameras do not look at a common region: the rays through the middle of the masks miss one another by "
            f"{float(target.miss.median()):.0%} of their length",
            "check the pose convention (camera-to-world or its inverse) and the order of the images",
        )
        return
    uvz = cameras.project(target.center[None])[:, 0]
    lost = behind | (uvz[:, 0] < 0) | (uvz[:, 0] > W) | (uvz[:, 1] < 0) | (uvz[:, 1] > H)
    if bool(lost.any()):
        yield _names(views, lost), "the camera does not see the region that the others look at", "check its pose"

    if len(views) < FEW_VIEWS:
        yield "", f"only {len(views)} views: silhouettes of so few leave much of the shape open", "take 16 or more"
    sight = torch.nn.functional.normalize(cameras.centers - target.center, dim=-1)
    angle, normal = worst_tangency(sight)
    if angle > 40:
        n = ", ".join(f"{x:.2f}" for x in normal.tolist())
        yield (
            "",
            f"the views are one-sided: no camera comes closer than {angle:.0f} degrees to seeing surfaces that face "
            f"+-({n}) edge-on, so silhouettes do not tell how far the object reaches there",
            "add views from the side",
        )


def _agreement_risks(views: Views, target: Target) -> Iterator[Risk]:
    consensus = vote(views, target)
    rest = [i for i in range(len(views)) if i not in consensus.outvoted]
    agreed = float(consensus.covered[rest].mean())
    # a few wrong views leave the rest in full agreement; where leaving some out helps a little only, all are suspect
    if agreed < (0.95 if consensus.outvoted else 0.8):
        yield (
            "",
            f"masks and cameras disagree: what all views agree on explains only {agreed:.0%} of the masks",
            "check the order of the images, the pose convention and the masks",
        )
        return
    if consensus.outvoted:
        yield (
            _names(views, consensus.outvoted),
            "mask or camera disagrees with the other views, which agree much better without it",
            "check its pose and mask, or remove the view",
        )
    poor = [i for i in rest if float(consensus.covered[i]) < 0.85]
    if poor:
        shares = _percent([float(consensus.covered[i]) for i in poor])
        yield (
            _names(views, poor),
            f"only {shares} of the mask is explained by what the views agree on",
            "the mask may hold more than the object",
        )


def _percent(shares: Sequence[float]) -> str:
    low, high = min(shares), max(shares)
    return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"
