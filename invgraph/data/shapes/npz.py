"""``points.npz``, ``points_near.npz``, ``pointcloud.npz``: float16 and packed occupancies, checked as they are read.

The layout is that of Occupancy Networks (Mescheder et al., CVPR 2019), so that files go both ways.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...atomic import write_atomically
from ...errors import InputError
from .records import ShapeCloud, ShapePoints

Arrays = dict[str, np.ndarray]


def load_points(
    path: str | os.PathLike[str], *, noise: float = 0.0, generator: torch.Generator | int | None = None
) -> ShapePoints:
    """Read ``points.npz`` or ``points_near.npz``.

    Keys: ``points`` (N, 3) floating point; ``occupancies``, (N,) of 0 and 1, or packed eight to a byte, the first in
    the highest bit (``np.packbits``); ``loc`` (3,) and ``scale``, without which the points are in the shape's own
    frame; and for points near the surface ``sigmas`` (K,) and ``sigma_index`` (N,).

    Args:
        path: the file.
        noise: standard deviation of noise added to points that are stored in float16, so that they do not lie on a
            lattice; Occupancy Networks takes 1e-4. 0 gives the points for which the occupancies hold exactly.
        generator: source of the noise, or a seed; the global generator if None.

    Raises:
        InputError: missing, truncated or not an npz; a key missing, of wrong dtype or shape; numbers of points and of
            occupancies that disagree; values that are not finite, as after an overflow of float16.
    """
    path, arrays = _read(path, ("points", "occupancies"))
    points = _vectors(path, arrays, "points")
    occupancies = _occupancies(path, arrays["occupancies"], len(points))
    loc, scale = _frame(path, arrays)
    place = torch.from_numpy(points.astype(np.float32))
    if noise and points.dtype == np.float16:
        if isinstance(generator, int):
            generator = torch.Generator().manual_seed(generator)
        place = place + noise * torch.randn(place.shape, generator=generator)
    return ShapePoints(place, torch.from_numpy(occupancies), loc, scale, _sigmas(path, arrays, len(points)))


def save_points(path: str | os.PathLike[str], points: ShapePoints) -> None:
    """Write what :func:`load_points` reads, whole or not at all: float16 points and packed occupancies.

    Raises:
        ValueError: points that are not finite in float16, or numbers that disagree.
        InputError: the file cannot be written.
    """
    if points.occupancies.shape != (len(points),):
        raise ValueError(f"occupancies: expected shape ({len(points)},), got {tuple(points.occupancies.shape)}")
    arrays = {
        "points": _halves(points.points, "points"),
        "occupancies": np.packbits(points.occupancies.cpu().numpy().astype(bool)),
        **_frame_arrays(points),
    }
    if points.sigmas is not None:
        sigmas, index = torch.unique(points.sigmas.cpu(), return_inverse=True)
        if len(sigmas) > 256:
            raise ValueError(f"sigmas: expected at most 256 different values, got {len(sigmas)}")
        arrays |= {"sigmas": sigmas.float().numpy(), "sigma_index": index.numpy().astype(np.uint8)}
    _write(path, arrays)


def load_frame(path: str | os.PathLike[str]) -> tuple[Tensor, float]:
    """``loc`` (3,) float64 and ``scale`` of a file of points, without reading the points; the identity if it has none.

    Raises:
        InputError: missing, not an npz, or with a broken ``loc`` or ``scale``.
    """
    return _frame(*_read(path, (), only=("loc", "scale")))


def load_pointcloud(path: str | os.PathLike[str]) -> ShapeCloud:
    """Read ``pointcloud.npz``: ``points`` and ``normals`` (N, 3) floating point, ``loc`` (3,), ``scale``.

    Normals are brought to unit length again, which float16 loses.

    Raises:
        InputError: as :func:`load_points`; or a normal without a direction.
    """
    path, arrays = _read(path, ("points", "normals"))
    points, normals = _vectors(path, arrays, "points"), _vectors(path, arrays, "normals")
    if len(points) != len(normals):
        raise InputError(f"{path}: 'normals' has {len(normals)} rows for {len(points)} points")
    directions = normals.astype(np.float32)
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    if not length.all():
        raise InputError(f"{path}: 'normals' has {int((length == 0).sum())} rows without a direction")
    loc, scale = _frame(path, arrays)
    return ShapeCloud(torch.from_numpy(points.astype(np.float32)), torch.from_numpy(directions / length), loc, scale)


def save_pointcloud(path: str | os.PathLike[str], cloud: ShapeCloud) -> None:
    """Write what :func:`load_pointcloud` reads, in float16, whole or not at all.

    Raises:
        ValueError: values that are not finite in float16, or numbers that disagree.
        InputError: the file cannot be written.
    """
    if cloud.normals.shape != cloud.points.shape:
        raise ValueError(f"normals: expected shape {tuple(cloud.points.shape)}, got {tuple(cloud.normals.shape)}")
    points, normals = _halves(cloud.points, "points"), _halves(cloud.normals, "normals")
    _write(path, {"points": points, "normals": normals, **_frame_arrays(cloud)})


def _read(path: str | os.PathLike[str], keys: Sequence[str], only: Sequence[str] | None = None) -> tuple[Path, Arrays]:
    """The arrays of an npz (or those of some names), without running any code that it may hold."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise InputError(f"{path}: expected an npz archive, got a single array")
        with archive:
            arrays = {key: archive[key] for key in archive.files if only is None or key in only}
    except InputError:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds for broken archives
        reason = (str(error).strip().split("\n")[0] or type(error).__name__)[:120]
        raise InputError(f"{path}: not a readable npz archive, truncated perhaps ({reason})") from error
    for key in keys:
        if key not in arrays:
            raise InputError(f"{path}: expected the key {key!r}, got {', '.join(sorted(arrays)) or 'none'}")
    return path, arrays


def _write(path: str | os.PathLike[str], arrays: Arrays) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # stored, not deflated, as in the original: half of it is noise
    write_atomically(Path(path), buffer.getvalue())


def _vectors(path: Path, arrays: Arrays, key: str) -> np.ndarray:
    """(N, 3) finite floating point."""
    array = arrays[key]
    if array.ndim != 2 or array.shape[1] != 3 or len(array) == 0:
        raise InputError(f"{path}: {key!r} has shape {array.shape}, expected (N, 3) with N > 0")
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(f"{path}: {key!r} is {array.dtype}, expected float16, float32 or float64")
    bad = int((~np.isfinite(array)).any(1).sum())
    if bad:
        overflow = ", as after an overflow of float16" if array.dtype == np.float16 else ""
        raise InputError(f"{path}: {key!r} has {bad} of {len(array)} rows that are not finite{overflow}")
    return array


def _occupancies(path: Path, array: np.ndarray, count: int) -> np.ndarray:
    """(count,) bool, from one value a point or from bits."""
    size = -(-count // 8)
    if array.ndim != 1:
        raise InputError(f"{path}: 'occupancies' has shape {array.shape}, expected one axis")
    if array.dtype == np.uint8 and (len(array) == size or len(array) != count):
        if len(array) != size:
            raise InputError(
                f"{path}: 'occupancies' has {len(array)} bytes, {count} points need {size} (packed) or {count}"
            )
        bits = np.unpackbits(array)
        if bits[count:].any():
            raise InputError(f"{path}: 'occupancies' has bits set beyond its {count} points")
        return bits[:count].astype(bool)
    if array.dtype.kind not in "buif":
        raise InputError(f"{path}: 'occupancies' is {array.dtype}, expected packed bits, bool or numbers 0 and 1")
    if len(array) != count:
        raise InputError(f"{path}: 'occupancies' has {len(array)} values for {count} points")
    if not np.isin(array, (0, 1)).all():
        raise InputError(f"{path}: 'occupancies' has values other than 0 and 1")
    return array.astype(bool)


def _frame(path: Path, arrays: Arrays) -> tuple[Tensor, float]:
    """``loc`` and ``scale``; the identity if the file has neither."""
    if "loc" not in arrays and "scale" not in arrays:
        return torch.zeros(3, dtype=torch.float64), 1.0
    for key, size, expected in (("loc", 3, "(3,)"), ("scale", 1, "()")):
        if key not in arrays:
            raise InputError(f"{path}: expected the key {key!r} beside {'scale' if key == 'loc' else 'loc'!r}")
        array = arrays[key]
        if array.size != size or array.ndim > 1 or array.dtype.kind not in "fiu":
            raise InputError(f"{path}: {key!r} is {array.dtype} of shape {array.shape}, expected a float of {expected}")
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {key!r} is not finite")
    scale = float(arrays["scale"].reshape(()))
    if scale <= 0:
        raise InputError(f"{path}: 'scale' is {scale}, expected a length above 0")
    return torch.from_numpy(arrays["loc"].astype(np.float64)), scale


def _sigmas(path: Path, arrays: Arrays, count: int) -> Tensor | None:
    if "sigmas" not in arrays and "sigma_index" not in arrays:
        return None
    if "sigmas" not in arrays or "sigma_index" not in arrays:
        raise InputError(f"{path}: expected both keys 'sigmas' and 'sigma_index', got one")
    sigmas, index = arrays["sigmas"], arrays["sigma_index"]
    if sigmas.ndim != 1 or sigmas.dtype.kind != "f" or not (np.isfinite(sigmas) & (sigmas > 0)).all():
        raise InputError(f"{path}: 'sigmas' is {sigmas.dtype} of shape {sigmas.shape}, expected (K,) positive floats")
    if index.shape != (count,) or index.dtype.kind not in "iu":
        raise InputError(f"{path}: 'sigma_index' is {index.dtype} of shape {index.shape}, expected ({count},) integers")
    if index.min() < 0 or index.max() >= len(sigmas):
        raise InputError(f"{path}: 'sigma_index' goes from {index.min()} to {index.max()}, with {len(sigmas)} sigmas")
    return torch.from_numpy(sigmas.astype(np.float32)[index])


def _halves(values: Tensor, name: str) -> np.ndarray:
    """(N, 3) values in float16, all finite."""
    if values.ndim != 2 or values.shape[1] != 3 or len(values) == 0:
        raise ValueError(f"{name}: expected shape (N, 3) with N > 0, got {tuple(values.shape)}")
    half = values.detach().cpu().half()
    if not bool(half.isfinite().all()):
        raise ValueError(f"{name}: expected values within float16, got up to {float(values.abs().max())}")
    return half.numpy()


def _frame_arrays(record: ShapePoints | ShapeCloud) -> Arrays:
    return {"loc": record.loc.cpu().double().numpy(), "scale": np.float64(record.scale)}
