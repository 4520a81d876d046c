"""What a camera file says, before any picture is opened: frames, and the findings gathered on the way.

Readers never stop at the first fault. Each yields the frames it could make sense of and a `Finding` for each one that
it could not; `load_views` raises on them, `examine` lists them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..camera_conventions import camera_faults
from ..errors import InputError

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (``error``: the data cannot be used as it is) or risky (``warning``) in a data set."""

    severity: Severity
    what: str
    where: str
    mend: str = ""

    def __str__(self) -> str:
        """One sentence: where, what and, where known, how to mend it."""
        return f"{self.where}: {self.what}" + (f" ({self.mend})" if self.mend else "")


class BadFile(InputError):
    """A file that makes no sense as a whole, or a picture that cannot be used: an error that becomes a finding."""

    def __init__(self, where: str | Path, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.finding = Finding("error", what, str(where))


@dataclass
class Frame:
    """One picture and its camera as the camera file states them, in the house convention and float64.

    Attributes:
        name: what the camera file calls it.
        image: the picture's file.
        mask: the mask's file where the camera file names one.
        R, t: world to camera, (3, 3) and (3,).
        K: (3, 3) in pixels.
        size: (height, width) that the camera file states, or None.
        distortion: k1 k2 p1 p2 [k3 [k4 k5 k6]], OpenCV's order, or None.
    """

    name: str
    image: Path
    R: np.ndarray
    t: np.ndarray
    K: np.ndarray
    size: tuple[int, int] | None = None
    mask: Path | None = None
    distortion: np.ndarray | None = None


@dataclass
class Scan:
    """A data folder after its camera file was read: what was recognised, the usable frames and what was found amiss.

    Attributes:
        format: the format in words, for `Views.source`.
        root: the data folder, which no path in the camera file may leave.
        camera_file: what was read.
    """

    format: str
    root: Path
    camera_file: Path
    frames: list[Frame] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def error(self, what: str, where: str | Path, mend: str = "") -> None:
        self.findings.append(Finding("error", what, str(where), mend))

    def warn(self, what: str, where: str | Path, mend: str = "") -> None:
        self.findings.append(Finding("warning", what, str(where), mend))

    def add(self, frame: Frame, where: str) -> None:
        """Keep a frame whose camera is sound; report each fault of one that is not."""
        R, t, K = (torch.from_numpy(x)[None] for x in (frame.R, frame.t, frame.K))
        faults = [text for _, text in camera_faults(R, t, K)]
        if not faults and not all(x.float().isfinite().all() for x in (t, K)):
            faults.append("the camera's numbers are too large for float32")
        if frame.distortion is not None and not np.isfinite(frame.distortion).all():
            faults.append("the distortion coefficients contain NaN or infinity")
        for text in faults:
            self.error(text, where)
        if not faults:
            frame.R = nearest_rotation(frame.R)
            self.frames.append(frame)

    def inside(self, name: str, base: Path, where: str) -> Path | None:
        """``base / name`` if that stays inside the data folder; otherwise an error finding and None.

        Judged by the spelling of the path: a link that the user placed inside the folder may point anywhere.
        """
        root = os.path.abspath(self.root)
        path = os.path.abspath(os.path.join(base, name))
        if "\0" in name or os.path.commonpath([root, path]) != root:
            self.error(
                f"the path {name!r} leaves the data folder {self.root}", where, "keep the images inside the data folder"
            )
            return None
        return Path(path)


def nearest_rotation(R: np.ndarray) -> np.ndarray:
    """The rotation closest to R (3, 3) in the Frobenius norm: removes what rounding in a text file left behind."""
    U, _, Vt = np.linalg.svd(R)
    return U @ Vt


def matrix(value: object, shape: tuple[int, ...]) -> np.ndarray | None:
    """A float64 array of this shape, or None where ``value`` is not one."""
    try:
        x = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return x if x.shape == shape else None


def pinhole(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    """K (3, 3)."""
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def read_text(path: Path) -> str:
    """The text of a UTF-8 file; raises `BadFile`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as e:
        raise BadFile(path, f"cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise BadFile(path, f"expected UTF-8 text, byte {e.start} is not") from e
