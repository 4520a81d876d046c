"""True surfaces of a data set's shapes, and how near a reconstruction comes to them."""

from __future__ import annotations

import json

import numpy as np
import torch
from torch import Tensor

from ..data.image_sets import ImageSet
from ..data.image_sets.grid import Grid
from ..data.image_sets.synsets import class_name
from ..data.made.options import MadeOptions
from ..data.shapes.records import Voxels
from ..geometry.mesh import Mesh
from ..metrics import surface_distances
from .voxel_iou import filled_by

RECORD = "made.json"
FIGURES = ("chamfer_l1", "f1", "normal_consistency")
_SIDE = 1.0  # of the cube that holds a shape


class Surfaces:
    """Surfaces of the shapes of a data set, in the world of its cameras.

    Made shapes are made again, exactly; of others it is that of their voxels, see :meth:`ImageSet.voxels`.

    Args:
        data: the data set.
    """

    def __init__(self, data: ImageSet) -> None:
        self._data = data
        self._made = _options(data)
        """What made the data set, or None."""
        if self._made is not None and not self._same():
            self._made = None

    @property
    def exact(self) -> bool:
        """Whether surfaces are those that were seen, rather than those of their voxels."""
        return self._made is not None

    def __getitem__(self, index: int) -> Mesh:
        """Surface of a shape."""
        return voxel_surface(self._data.voxels(index)) if self._made is None else self._make(index)

    def _same(self) -> bool:
        """Whether the first shape of each class, made again, has the voxels of the file: another version may differ."""
        first = [int((self._data.class_of == k).nonzero()[0]) for k in range(len(self._data.classes))]
        return all(torch.equal(filled_by(self._make(i)), self._data.voxels(i).filled) for i in first)

    def _make(self, index: int) -> Mesh:
        from ..data.made import make_shape

        assert self._made is not None
        assert self._data.split is not None
        synset, row = self._data.names[index].split("/")
        name = class_name(synset)
        return make_shape(name, self._made.plan()[name, self._data.split][int(row)], seed=self._made.seed)


def voxel_surface(voxels: Voxels) -> Mesh:
    """The surface halfway between filled voxels and others: closed, faces counter-clockwise from outside.

    Args:
        voxels: what is filled; if nothing is, the mesh has no faces.
    """
    from skimage.measure import marching_cubes

    if not bool(voxels.filled.any()):
        return Mesh(torch.zeros((0, 3)), torch.zeros((0, 3), dtype=torch.int64))
    padded = np.pad(voxels.filled.numpy().astype(np.float32), 1)
    verts, faces, _, _ = marching_cubes(padded, 0.5, gradient_direction="ascent")
    size = voxels.side / len(voxels.filled)
    place = voxels.low + (torch.from_numpy(verts.copy()).double() - 0.5) * size
    return Mesh(place.float(), torch.from_numpy(np.ascontiguousarray(faces, dtype=np.int64)))


def surface_figures(
    pred: Mesh | Tensor, truth: Mesh, *, exact: bool, points: int, seed: int = 0, grid: Grid | None = None
) -> dict[str, float]:
    """Chamfer-L1, F1 at 1% of the side of the unit cube (Tatarchenko et al., CVPR 2019), and normal consistency.

    Args:
        pred: mesh, or voxels (R, R, R) bool; one without faces or voxels has the worst figures there are.
        truth: :class:`Surfaces` of the truth.
        exact: ``truth`` is not of voxels. If it is, a mesh is compared by the surface of its voxels too: voxels that a
            surface crosses are filled, so that theirs lies outside by half a voxel, 1.6% of the side.
        points: on each surface; see :func:`surface_distances` for the floor that they put to distances.
        seed: of the points.
        grid: of voxels; None: that of SoftRas and NMR.

    Returns:
        ``chamfer_l1`` as a share of the side; ``f1`` and ``normal_consistency`` in [0, 1].
    """
    grid = grid or Grid()
    if not isinstance(pred, Tensor) and not exact:
        pred = filled_by(pred, grid)
    if isinstance(pred, Tensor):
        pred = voxel_surface(grid.placed(pred))
    if pred.num_faces == 0 or not float(pred.face_areas().sum()) > 0:
        return {"chamfer_l1": _SIDE, "f1": 0.0, "normal_consistency": 0.0}
    distances = surface_distances(pred.detach(), truth, points=points, seed=seed)
    return {
        "chamfer_l1": distances.chamfer_l1 / _SIDE,
        "f1": distances.f_score(0.01 * _SIDE),
        "normal_consistency": distances.normal_consistency,
    }


def _options(data: ImageSet) -> MadeOptions | None:
    """The options of a made data set whose files are all there and whose shapes can be made."""
    try:
        made = json.loads((data.root / RECORD).read_text(encoding="utf-8"))["made"]
        options = MadeOptions(**{**made, "classes": tuple(made["classes"]), "split": tuple(made["split"])})
        plan = options.plan()
        from ..data.made import make_shape as make_shape
    except (OSError, ValueError, KeyError, TypeError, ImportError):
        return None
    counts = data.class_of.bincount(minlength=len(data.classes)).tolist()
    for synset, count in zip(data.classes, counts):
        if len(plan.get((class_name(synset), data.split or ""), ())) != count:
            return None
    return options
