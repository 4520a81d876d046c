"""The connectivity of a triangle mesh: edges, the faces beside them, degrees, components and Laplacians.

Everything is computed once, at first use, without loops: half-edges are packed into one int64 key
``a * num_verts + b`` with ``a < b`` and sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


class Topology:
    """Connectivity of ``faces (F, 3)`` over ``num_verts`` vertices; positions do not matter here.

    Half-edge ``k`` of face ``f`` runs from ``faces[f, k]`` to ``faces[f, (k + 1) % 3]``.

    Args:
        faces: (F, 3) int64, counter-clockwise seen from outside, indices in ``[0, num_verts)``.
        num_verts: number of vertices V, including any that no face uses.

    Raises:
        TypeError: ``faces`` is not a tensor of integers.
        ValueError: ``faces`` is not (F, 3) or indexes past the vertices.
    """

    def __init__(self, faces: Tensor, num_verts: int) -> None:
        if (
            not isinstance(faces, Tensor)
            or faces.is_floating_point()
            or faces.is_complex()
            or faces.dtype == torch.bool
        ):
            kind = faces.dtype if isinstance(faces, Tensor) else type(faces).__name__
            raise TypeError(f"faces: expected an int64 tensor of shape (F, 3), got {kind}")
        if faces.ndim != 2 or faces.shape[1] != 3:
            raise ValueError(f"faces: expected shape (F, 3), got {tuple(faces.shape)}")
        if len(faces) and not faces.is_meta:
            low, high = (int(x) for x in torch.aminmax(faces))
            if low < 0 or high >= num_verts:
                raise ValueError(f"faces: expected indices in [0, {num_verts}), got a range of [{low}, {high}]")
        self.faces = faces.long()
        self.num_verts = int(num_verts)
        self._uniform: dict[torch.dtype, Tensor] = {}

    @staticmethod
    def cat(parts: Sequence[Topology], *, edges: bool = False) -> Topology:
        """Several side by side, each over its own vertices; ``edges``: those put together from the parts' own."""
        device = parts[0].faces.device
        verts, faces = ([getattr(p, name) for p in parts] for name in ("num_verts", "num_faces"))
        first_vert, first_face = (torch.tensor([0, *sizes[:-1]]).cumsum(0) for sizes in (verts, faces))
        shift = first_vert.repeat_interleave(torch.tensor(faces)).to(device)
        whole = Topology(torch.cat([p.faces for p in parts]) + shift[:, None], sum(verts))
        if edges:  # ascending, as vertices and faces of a part come after all those of the parts before it
            count = torch.tensor([p.num_edges for p in parts])
            shift, face_shift = (x.repeat_interleave(count).to(device)[:, None] for x in (first_vert, first_face))
            beside = torch.cat([p.edge_faces for p in parts])
            whole.edges = torch.cat([p.edges for p in parts]) + shift
            whole.edge_faces = torch.where(beside >= 0, beside + face_shift, -1)
        return whole

    def __repr__(self) -> str:
        return f"Topology(num_verts={self.num_verts}, num_faces={self.num_faces})"

    @property
    def num_faces(self) -> int:
        """Number of faces F."""
        return len(self.faces)

    @property
    def num_edges(self) -> int:
        """Number of edges E."""
        return len(self.edges)

    @cached_property
    def _halfedges(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Unique edge keys (E,), edge of each half-edge (3F,), half-edges grouped by edge (3F,), group starts (E,)."""
        start = self.faces.reshape(-1)
        end = self.faces.roll(-1, dims=1).reshape(-1)
        keys = torch.minimum(start, end) * self.num_verts + torch.maximum(start, end)
        keys, order = torch.sort(keys, stable=True)  # stable: the faces of an edge come in ascending order
        first = torch.ones_like(keys, dtype=torch.bool)
        first[1:] = keys[1:] != keys[:-1]
        edge_of = torch.empty_like(order)
        edge_of[order] = torch.cumsum(first, 0) - 1
        return keys[first], edge_of, order, first.nonzero().squeeze(1)

    @cached_property
    def edges(self) -> Tensor:
        """(E, 2) int64 unique edges ``(a, b)`` with ``a < b``, in ascending order."""
        keys = self._halfedges[0]
        a = torch.div(keys, max(self.num_verts, 1), rounding_mode="floor")
        return torch.stack([a, keys - a * self.num_verts], dim=1)

    @property
    def edge_keys(self) -> Tensor:
        """(E,) int64 ascending ``a * num_verts + b``: look an edge up with ``torch.searchsorted``."""
        return self._halfedges[0]

    @cached_property
    def face_edges(self) -> Tensor:
        """(F, 3) int64: column k is the edge between vertices k and (k + 1) % 3 of the face."""
        return self._halfedges[1].reshape(-1, 3)

    @cached_property
    def edge_count(self) -> Tensor:
        """(E,) int64 number of faces at each edge: 1 on a boundary, 2 inside, 3 or more where not manifold."""
        return torch.bincount(self._halfedges[1], minlength=len(self._halfedges[0]))

    @cached_property
    def _edge_halfedges(self) -> Tensor:
        """(E, 2) int64 the two half-edges of each edge, -1 where missing; (first, -1) at a non-manifold edge."""
        _, _, order, starts = self._halfedges
        if not len(order):
            return order.new_empty((0, 2))
        second = order[(starts + 1).clamp(max=len(order) - 1)]
        return torch.stack([order[starts], torch.where(self.edge_count == 2, second, -1)], dim=1)

    @cached_property
    def edge_faces(self) -> Tensor:
        """(E, 2) int64 the two faces at each edge; -1 where there is none. A non-manifold edge gives (first, -1)."""
        half = self._edge_halfedges
        return torch.where(half >= 0, torch.div(half, 3, rounding_mode="floor"), -1)

    @cached_property
    def edge_opposite(self) -> Tensor:
        """(E, 2) int64 the vertex opposite the edge in each face of :attr:`edge_faces`; -1 where there is none."""
        half = self._edge_halfedges
        if not len(half):
            return half
        opposite = self.faces.roll(-2, dims=1).reshape(-1)  # half-edge k -> vertex k + 2
        return torch.where(half >= 0, opposite[half.clamp(min=0)], -1)

    @cached_property
    def face_pairs(self) -> Tensor:
        """(P, 2) int64 pairs of faces that share an edge of exactly two faces, in edge order."""
        return self.edge_faces[self.edge_count == 2]

    @cached_property
    def degrees(self) -> Tensor:
        """(V,) int64 number of edges at each vertex."""
        return torch.bincount(self.edges.reshape(-1), minlength=self.num_verts)

    @cached_property
    def boundary_verts(self) -> Tensor:
        """(V,) bool: the vertex lies on an edge that has a single face."""
        mask = torch.zeros(self.num_verts, dtype=torch.bool, device=self.faces.device)
        mask[self.edges[self.edge_count == 1].reshape(-1)] = True
        return mask

    @cached_property
    def is_edge_manifold(self) -> bool:
        """No edge has more than two faces, and where two meet they run along it in opposite directions."""
        if bool((self.edge_count > 2).any()):
            return False
        return not bool((self._edge_direction_sum[self.edge_count == 2] != 0).any())

    @cached_property
    def _edge_direction_sum(self) -> Tensor:
        """(E,) int64 half-edges that run from the lower to the higher vertex, minus those that run back."""
        start = self.faces.reshape(-1)
        sign = torch.where(start < self.faces.roll(-1, dims=1).reshape(-1), 1, -1)
        total = torch.zeros(len(self._halfedges[0]), dtype=torch.int64, device=start.device)
        return total.index_add_(0, self._halfedges[1], sign)

    @cached_property
    def is_closed(self) -> bool:
        """There are faces, and every edge has exactly two, running along it in opposite directions."""
        if self.num_faces == 0:
            return False
        return bool((self.edge_count == 2).all()) and bool((self._edge_direction_sum == 0).all())

    @cached_property
    def euler_characteristic(self) -> int:
        """V - E + F over the vertices that faces use: ``2 - 2 * genus`` for each closed component, summed."""
        used = int((self.degrees > 0).sum())
        return used - self.num_edges + self.num_faces

    @cached_property
    def _components(self) -> Tensor:
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        a, b = self.edges.cpu().numpy().T
        n = self.num_verts
        graph = coo_matrix((torch.ones(len(a), dtype=torch.bool).numpy(), (a, b)), shape=(n, n))
        _, labels = connected_components(graph, directed=False)
        return torch.from_numpy(labels).to(self.faces.device, torch.int64)

    def components(self) -> Tensor:
        """(V,) int64 label of each vertex's connected component, ``0 .. C-1``; an unused vertex is one of its own."""
        return self._components

    def laplacian_uniform(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Combinatorial Laplacian ``D - A``: sparse (V, V), coalesced, positive semi-definite; cached per dtype."""
        if dtype not in self._uniform:
            weights = torch.ones(self.num_edges, dtype=dtype, device=self.faces.device)
            self._uniform[dtype] = self._laplacian(weights)
        return self._uniform[dtype]

    def _laplacian(self, weights: Tensor) -> Tensor:
        """``D - W`` for edge weights (E,), differentiable with respect to them."""
        n, device = self.num_verts, self.faces.device
        a, b = self.edges.unbind(1)
        diagonal = torch.zeros(n, dtype=weights.dtype, device=device).index_add(0, torch.cat([a, b]), weights.repeat(2))
        i = torch.arange(n, device=device)
        rows, cols = torch.cat([i, a, b]), torch.cat([i, b, a])
        values = torch.cat([diagonal, -weights, -weights])
        return torch.sparse_coo_tensor(torch.stack([rows, cols]), values, (n, n), check_invariants=False).coalesce()


def cotangent_weights(verts: Tensor, topology: Topology) -> Tensor:
    """Edge weights ``(cot alpha + cot beta) / 2`` over the angles opposite each edge (Pinkall and Polthier 1993).

    Args:
        verts: (V, 3) positions.
        topology: connectivity of the mesh.

    Returns:
        (E,) weights, differentiable with respect to ``verts``. A boundary edge has one angle; negative where
        the angles sum to more than pi. A degenerate face adds finite (clamped) weights.
    """
    p = verts[topology.faces]  # (F, 3, 3)
    u, v = p.roll(-1, 1) - p.roll(-2, 1), p - p.roll(-2, 1)  # at corner k + 2, opposite half-edge k
    sine = torch.linalg.vector_norm(torch.linalg.cross(u, v), dim=-1)
    scale = (u.square().sum(-1) + v.square().sum(-1)).detach()
    sine = torch.maximum(sine, scale * torch.finfo(verts.dtype).eps)
    cot = (u * v).sum(-1) / torch.where(sine > 0, sine, 1)
    weights = torch.zeros(topology.num_edges, dtype=verts.dtype, device=verts.device)
    return weights.index_add(0, topology.face_edges.reshape(-1), 0.5 * cot.reshape(-1))


def laplacian_cotangent(verts: Tensor, topology: Topology) -> Tensor:
    """Cotangent Laplacian ``D - W``: sparse (V, V) with :func:`cotangent_weights`, positive semi-definite."""
    return topology._laplacian(cotangent_weights(verts, topology))
