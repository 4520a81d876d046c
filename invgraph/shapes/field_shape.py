"""The surface of a function of space as a shape: any number of parts and holes, and both may change."""

from __future__ import annotations

import torch
from torch import Tensor

from ..cameras import Cameras
from ..errors import InputError
from ..fields.field import Field, FieldKind
from ..fields.isosurface import TetrahedralGrid, sparse_values
from ..fields.ray_alpha import RayMethod, ray_logits
from ..geometry import Mesh
from ..geometry.hull_grid import keep_large
from .lattice_energy import lattice_energies
from .lattice_field import LOGITS_A_CELL, LatticeField
from .shape import Shape
from .signed_distance import lattice_points, signed_distances
from .template import TemplateShape

_LEAST_PART = 0.01  # of the largest part's volume
_IMPORTANCE = 8  # more samples about the deepest one, where that alone decides
_CHUNK, _CHEAP_CHUNK = 2**18, 2**22  # points at a time: of a lattice, many are kept rather than computed twice
_LATTICE_STATE = "field.parametrizations.node_values.0.start"


class FieldShape(Shape):
    """The zero set of a field, through marching tetrahedra; differentiable in the field's parameters.

    Args:
        field: of either kind, without a code, in the canonical frame; its ``bounds`` are where the surface is.
        resolution: cells along each axis of the grid that the surface is extracted on.
        center: (3,) world position of the canonical origin.
        scale: length in world units of one canonical unit, > 0.

    Raises:
        ValueError: a field with a code.
        InputError: a grid that cannot fit in memory.
    """

    cells: Tensor

    def __init__(
        self, field: Field, resolution: int, center: Tensor | None = None, scale: float | Tensor = 1.0
    ) -> None:
        super().__init__(center, scale)
        if field.code_size:
            raise ValueError(f"field: expected a field of one shape, got one with a code of {field.code_size}")
        self.field = field
        self._grid = TetrahedralGrid(resolution, field.bounds)
        self.register_buffer("cells", torch.tensor(resolution))

    @property
    def representation(self) -> str:  # type: ignore[override]
        """The kind of the field."""
        return self.field.kind

    @property
    def resolution(self) -> int:
        """Cells of the grid along each axis."""
        return int(self.cells)

    @property
    def cell(self) -> float:
        """Edge length of a cell of the grid, canonical units (the longest, if they differ)."""
        low, high = self.field.bounds
        return float((high - low).max()) / self.resolution

    @classmethod
    def from_mesh(
        cls, mesh: Mesh, kind: FieldKind, resolution: int, bounds: tuple[Tensor, Tensor], margin: float = 0.08
    ) -> FieldShape:
        """A shape of free values on a lattice, which begins as a closed mesh.

        Args:
            mesh: in the world frame.
            kind: of the field: signed distances, or occupancies (logits that grow with the depth).
            resolution: cells along each axis of a cube.
            bounds: lowest and highest corner (3,), (3,), world units, of what the surface may ever reach.
            margin: by which the cube is larger than the longest side of that.

        Raises:
            InputError: a grid that cannot fit in memory; said before it is made.
        """
        low, high = (bound.to(mesh.verts) for bound in bounds)
        center, scale = 0.5 * (low + high), 0.5 * float(torch.linalg.vector_norm(high - low))
        half = (1 + margin) * 0.5 * float((high - low).max()) / scale
        box = mesh.verts.new_tensor([[-half] * 3, [half] * 3])
        canonical = mesh.with_verts((mesh.verts - center) / scale)
        distance = signed_distances(canonical, lattice_points(resolution, box))
        return cls(LatticeField.from_distances(kind, distance, box), resolution, center, scale)

    @staticmethod
    def is_state(state: dict[str, Tensor]) -> bool:
        """Whether a ``state_dict()`` is that of a shape on a lattice, for :meth:`from_state`."""
        return _LATTICE_STATE in state

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> FieldShape:
        """A shape on a lattice, with the frame of a ``state_dict()``; load the values next."""
        start = state[_LATTICE_STATE]
        field = LatticeField("sdf" if state["field.unit"] > 0 else "occupancy", start, state["field.bounds"])
        return cls(field, len(start) - 1, state["center"], state["scale"])

    def forward(self) -> Mesh:
        """The surface now, closed.

        Raises:
            InputError: everything is inside, or nothing; says the range of the field's values.
        """
        if self._grid.cells[0] != self.resolution or self._grid.bounds.device != self.field.bounds.device:
            self._grid = TetrahedralGrid(self.resolution, self.field.bounds)  # loaded or moved: a grid is not a module
        values = self._node_values()
        mesh = self._grid.surface(values, inside="below")
        all_inside = bool((values.detach() < 0).all())
        if mesh.num_faces == 0 or all_inside:
            ends = (float(x) for x in torch.aminmax(values.detach()))
            low, high = sorted(x if self.field.kind == "sdf" else -x for x in ends)
            what = "signed distances" if self.field.kind == "sdf" else "logits"
            raise InputError(
                f"the field has no surface: its {what} run from {low:.4g} to {high:.4g}, so that "
                f"{'all' if all_inside else 'nothing'} of its box is inside; a smaller learning rate or "
                "another start may help"
            )
        return mesh

    def prepared(self, *, vertices: int | None = None, resolution: int | None = None) -> Shape:
        """On a grid of other fineness, or, if ``vertices`` are asked for, as a mesh from now on."""
        if vertices is not None:
            return self.as_template().prepared(vertices=vertices)
        return self if resolution is None else self.resampled(resolution)

    def ray_logits(
        self, cameras: Cameras, *, through: bool, softness: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """See :meth:`Shape.ray_logits` and :func:`invgraph.fields.ray_logits`."""
        method: RayMethod = "closest"
        if through:
            method = "volsdf" if self.field.kind == "sdf" else "occupancy"
        return ray_logits(
            self.field,
            cameras,
            method=method,
            softness=softness,
            importance=_IMPORTANCE if method == "closest" else 0,
            generator=generator,
            chunk=_CHEAP_CHUNK if isinstance(self.field, LatticeField) else _CHUNK,
        )

    def regularizers(self) -> dict[str, Tensor]:
        """``bending`` and, of distances, ``eikonal``: see :func:`lattice_energies`.

        An occupancy's logits stand for cells.
        """
        return lattice_energies(self._distances(), self.cell, eikonal=self.field.kind == "sdf")

    @torch.no_grad()
    def resampled(self, resolution: int) -> FieldShape:
        """The same surface now, in the same frame, on a grid of other fineness.

        Free values become distances again, which a fit may have worn: exact near the surface. Parts of less than a
        hundredth of the largest's volume, and cavities, which no silhouette can want, are left out. Any other field
        stays what it is.
        """
        if not isinstance(self.field, LatticeField):
            return FieldShape(self.field, resolution, self.center, self.scale)
        box = self.field.bounds
        points = lattice_points(resolution, box)
        mesh = keep_large(self.forward(), _LEAST_PART)
        field = LatticeField.from_distances(self.field.kind, signed_distances(mesh, points), box)
        return FieldShape(field, resolution, self.center, self.scale)

    def as_template(self) -> TemplateShape:
        """The surface now as free vertices, in the same frame, for a fit to go on with."""
        mesh = keep_large(self.forward().detach(), _LEAST_PART)
        shape = TemplateShape(mesh, self.center.new_zeros(3), 1.0)
        shape.center.copy_(self.center)
        shape.scale.copy_(self.scale)
        return shape

    @torch.no_grad()
    def export(self) -> Mesh:
        """The surface now, in the world frame, without parts of less than a hundredth of the largest's volume."""
        mesh = keep_large(self.forward(), _LEAST_PART)
        return self.to_world(mesh.with_verts(mesh.verts.detach().clone()))

    def _node_values(self) -> Tensor:
        """(N,) at the nodes of the grid, negative inside; of a field that is no lattice exact at the surface only."""
        lattice = self._lattice()
        if lattice is None:
            return sparse_values(self.field, self._grid).values
        values = torch.cat([lattice.node_values.reshape(-1), lattice.middles().reshape(-1)])
        return values if self.field.kind == "sdf" else -values

    def _lattice(self) -> LatticeField | None:
        """The field, if its nodes are those of the grid."""
        field = self.field
        return field if isinstance(field, LatticeField) and len(field.node_values) == self.resolution + 1 else None

    def _distances(self) -> Tensor:
        """(R + 1, R + 1, R + 1) signed distances at the corners of the cells; of an occupancy, logits in cells."""
        lattice = self._lattice()
        if lattice is not None:
            return lattice.node_values / lattice.unit
        values = self.field(lattice_points(self.resolution, self.field.bounds))
        return values if self.field.kind == "sdf" else values * (-self.cell / LOGITS_A_CELL)
