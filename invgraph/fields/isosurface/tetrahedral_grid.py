"""A box filled with the tetrahedra of the body-centred cubic lattice."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from ...geometry import Mesh
from .box import lattice
from .box_grid import BoxGrid
from .crossing import Inside, check_grid, negative_inside
from .lattice_cells import boundary_polygons, face_polygons
from .lattice_edges import LatticeEdges
from .marching_tetrahedra import surface_on_edges


class TetrahedralGrid(BoxGrid):
    """Cubic cells, each with a node in its middle beside those at its corners: the body-centred cubic lattice.

    Around each face between two cells lie four tetrahedra, each of the two middles and an edge of the face. All are
    alike, with dihedral angles of 60 and 90 degrees, and look the same along x, y and z: well-shaped tetrahedra, and no
    direction is preferred as it is where cubes are cut along a diagonal. The pyramids between the outermost middles and
    the box are cut in two.

    64^3 nodes are those of 50 cells along an axis. Nothing is stored for a tetrahedron: :meth:`surface` looks at signs,
    and only faces between cells whose nodes disagree cost memory and time.

    Args:
        resolution: cells along each axis, or one number for all three; a power of two suits :func:`sparse_values`.
        bounds: lowest and highest corner of the box, (2, 3).
        dtype: of the nodes; None: torch's default.
        device: of the nodes; None: that of ``bounds``, or the CPU.

    Raises:
        ValueError: not a resolution or box.
        InputError: a grid that cannot fit in memory.
    """

    has_middles = True

    @cached_property
    def nodes(self) -> Tensor:
        """(N, 3) positions: corners of the cells (z fastest), then middles."""
        low, high = self.bounds
        half = (high - low) / torch.tensor(self.cells, dtype=low.dtype, device=low.device) / 2
        corners = lattice([n + 1 for n in self.cells], low, high)
        return torch.cat([corners, lattice(self.cells, low + half, high - half)])

    @cached_property
    def tetrahedra(self) -> Tensor:
        """(T, 4) int64, positively oriented, for other uses than :meth:`surface`, which needs no list of them."""
        from .lattice_tetrahedra import all_tetrahedra

        return all_tetrahedra(self.cells).to(self.bounds.device)

    def split(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """Values (N, ...) as those of the corners (X+1, Y+1, Z+1, ...) and of the middles (X, Y, Z, ...)."""
        corners, middles = values.tensor_split([self.num_corners])
        return corners.unflatten(0, [n + 1 for n in self.cells]), middles.unflatten(0, self.cells)

    def crossing_edges(self, is_inside: Tensor) -> Tensor:
        """(X, 2) nodes of the edges whose ends disagree in ``is_inside (N,)`` bool, without nodes on the box."""
        return LatticeEdges(*self.split(is_inside)).ends

    def surface(self, values: Tensor, *, nodes: Tensor | None = None, inside: Inside = "below") -> Mesh:
        """The zero set of ``values (N,)``: see :func:`marching_tetrahedra`, whose surface this is.

        Args:
            values: (N,) at the nodes.
            nodes: (N, 3) positions that take the place of the grid's own, differentiable; None: those.
            inside: where values are "below" (signed distance) or "above" (occupancy logits) zero.
        """
        nodes = self.nodes if nodes is None else nodes
        check_grid(nodes, values)
        if len(nodes) != self.num_nodes:
            raise ValueError(f"values: expected one for each of the grid's {self.num_nodes} nodes, got {len(values)}")
        values = negative_inside(values, inside, self.boundary)
        corners, middles = self.split(values.detach() < 0)
        edges = LatticeEdges(corners, middles)
        triangles, quads = face_polygons(corners, middles, edges)
        triangles = torch.cat([triangles, boundary_polygons(middles, edges)])
        return surface_on_edges(nodes, values, edges.ends, triangles, quads)

    def refined(self, *values: Tensor) -> tuple[TetrahedralGrid, tuple[Tensor, ...]]:
        """The grid of twice the cells, and values or positions (N, ...) carried over to its nodes.

        The finer nodes are the coarser ones and the midpoints of their edges, whose values are means: a function that
        is linear in a tetrahedron stays what it is. Differentiable.
        """
        x, y, z = self.cells
        fine = TetrahedralGrid((2 * x, 2 * y, 2 * z), self.bounds, dtype=self.bounds.dtype, device=self.bounds.device)
        return fine, tuple(_refine(*self.split(value)) for value in values)


def _refine(corners: Tensor, middles: Tensor) -> Tensor:
    """Values at the nodes of the finer grid, flat."""
    shape = [2 * n - 1 for n in corners.shape[:3]]
    fine = corners.new_empty([*shape, *corners.shape[3:]])
    fine[::2, ::2, ::2] = corners
    fine[1::2, 1::2, 1::2] = middles
    fine_middles = corners.new_empty([*(2 * n for n in middles.shape[:3]), *corners.shape[3:]])
    for d in range(3):
        edge, face = [slice(None, None, 2)] * 3, [slice(1, None, 2)] * 3
        edge[d], face[d] = slice(1, None, 2), slice(None, None, 2)
        fine[tuple(edge)] = (corners.narrow(d, 0, middles.shape[d]) + corners.narrow(d, 1, middles.shape[d])) / 2
        fine[tuple(face)] = _face_means(corners, middles, d)
    for octant in range(8):
        offset = [octant >> 2 & 1, octant >> 1 & 1, octant & 1]
        near = corners
        for d in range(3):
            near = near.narrow(d, offset[d], middles.shape[d])
        fine_middles[offset[0] :: 2, offset[1] :: 2, offset[2] :: 2] = (near + middles) / 2
    return torch.cat([fine.flatten(0, 2), fine_middles.flatten(0, 2)])


def _face_means(corners: Tensor, middles: Tensor, d: int) -> Tensor:
    """Means at the faces across axis d, of the two cells' middles; of the four corners on the box."""
    count = middles.shape[d]
    between = (middles.narrow(d, 0, count - 1) + middles.narrow(d, 1, count - 1)) / 2
    ends = torch.cat([corners.narrow(d, 0, 1), corners.narrow(d, count, 1)], d)
    for other in {0, 1, 2} - {d}:
        ends = (ends.narrow(other, 0, middles.shape[other]) + ends.narrow(other, 1, middles.shape[other])) / 2
    return torch.cat([ends.narrow(d, 0, 1), between, ends.narrow(d, 1, 1)], d)
