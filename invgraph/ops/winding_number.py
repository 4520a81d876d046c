"""Generalised winding number: how often a surface wraps around a point, defined for open and broken meshes too."""

from __future__ import annotations

import torch
from torch import Tensor

from . import _native
from ._batch import is_double
from ._precision import full_precision
from ._register import primitives, register


@full_precision
def winding_number(points: Tensor, verts: Tensor, faces: Tensor, *, accuracy: float = 2.0) -> Tensor:
    """Generalised winding number of a triangle mesh at ``points``: its solid angle as seen from there, over 4 pi.

    1 inside and 0 outside of a closed mesh oriented outward; a smooth fraction around the holes of an open one, so that
    ``winding_number(...) > 0.5`` is a usable inside test for meshes that are not watertight (Jacobson et al., Robust
    Inside-Outside Segmentation using Generalized Winding Numbers, 2013). Computed hierarchically (Barill et al., Fast
    Winding Numbers for Soups and Clouds, 2018) with second-order expansions, in single precision relative to the
    mesh's size whatever the input dtype; building the tree is part of each call, so pass many points at once.
    On the surface itself (within 4e-7 of the mesh's size) it is the mean of both sides, as in the mathematics.
    No gradient: away from its surface the winding number of a closed mesh is constant.

    Args:
        points: ``(P, 3)``, float32 or float64, CPU.
        verts: ``(V, 3)``, the same dtype.
        faces: ``(F, 3)`` int64; with no faces the winding number is 0.
        accuracy: a cluster of faces is expanded for points farther than ``accuracy`` times its radius, >= 1. 2 errs by
            less than 0.01, by 0.001 on average; ``math.inf`` sums every face exactly (time P * F).

    Returns:
        ``(P,)`` of the points' dtype; a point's value does not depend on the other points. NaN where a point is not
        finite.

    Raises:
        TypeError, ValueError: a wrong dtype, device or shape, an index out of range, ``accuracy`` below 1, or
            ``verts`` that are not finite.
    """
    _check(points, verts, faces)
    if not accuracy >= 1:  # within its radius the expansion of a cluster does not converge
        raise ValueError(f"accuracy: expected a number not below 1, got {accuracy}")
    value: Tensor = primitives.winding_number(points.detach(), verts.detach(), faces, float(accuracy))
    return value


def _winding_number(points: Tensor, verts: Tensor, faces: Tensor, accuracy: float) -> Tensor:
    if len(faces) and not 0 <= int(faces.min()) <= int(faces.max()) < len(verts):
        got = f"[{int(faces.min())}, {int(faces.max())}]"
        raise ValueError(f"faces: expected indices in [0, {len(verts)}), got a range of {got}")
    if not bool(verts.isfinite().all()):
        raise ValueError("verts: expected finite coordinates, got NaN or infinity")
    points, verts, faces = points.contiguous(), verts.contiguous(), faces.contiguous()
    out = points.new_empty(len(points))
    _native.winding_number(
        is_double(points),
        points.data_ptr(),
        len(points),
        verts.data_ptr(),
        faces.data_ptr(),
        len(faces),
        accuracy,
        torch.get_num_threads(),
        out.data_ptr(),
    )
    return out


def _fake(points: Tensor, verts: Tensor, faces: Tensor, accuracy: float) -> Tensor:
    return points.new_empty(len(points))


def _check(points: Tensor, verts: Tensor, faces: Tensor) -> None:
    for name, x in (("points", points), ("verts", verts), ("faces", faces)):
        if x.ndim != 2 or x.shape[1] != 3:
            raise ValueError(f"{name}: expected shape (*, 3), got {tuple(x.shape)}")
        if x.device.type != "cpu":
            raise ValueError(f"{name}: expected a CPU tensor, got one on {x.device}")
    if points.dtype not in (torch.float32, torch.float64) or verts.dtype != points.dtype:
        raise TypeError(f"points, verts: expected both float32 or both float64, got {points.dtype}, {verts.dtype}")
    if faces.dtype != torch.int64:
        raise TypeError(f"faces: expected int64, got {faces.dtype}")


register("winding_number(Tensor points, Tensor verts, Tensor faces, float accuracy) -> Tensor", _winding_number, _fake)
