"""A deformed sphere: the decoder of Soft Rasterizer."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from .. import losses
from ..geometry import Mesh, icosphere
from .decoders import SIDE, Decoder, DecoderKind

_WIDTHS = (2, 4)  # of the hidden layers, times the length of the code: 1024 and 2048 for 512, as in Soft Rasterizer
_CENTER_GAIN = 0.1
_START = 0.1  # of the usual size of the last layers' weights: shapes begin as the template
_GOLDEN = (1 + 5**0.5) / 2


class MeshDecoder(Decoder):
    """Moves the vertices of a sphere: each by a displacement that keeps it in its octant, and all with the centre.

    Of a code's features ``h``, ``c = tanh(0.1 W_c h)`` is the centre; a coordinate ``t`` of the template, in [-1, 1],
    becomes ``SIDE * (c + s |sign(t) - c|)`` with ``s = sign(t) sigmoid(logit |t| + W_d h)``. Whatever the code, the
    surface stays in the cube, and each of the eight octants around the centre keeps its vertices, so that the sphere
    cannot turn inside out. Vertices on a plane between octants stay there. The template is its own mirror image in
    each of these planes, as most objects are in one: what it can be on the left, it can be on the right.

    Source: Kato et al. 2018, *Neural 3D Mesh Renderer*; Liu et al. 2019, *Soft Rasterizer*.

    Args:
        code_size: length of a code.
        level: subdivisions of the icosahedron: 3 has 642 vertices and 1,280 faces.
    """

    kind: DecoderKind = "mesh"
    logits: Tensor
    signs: Tensor
    opposite: Tensor

    def __init__(self, code_size: int = 512, level: int = 3) -> None:
        super().__init__(code_size)
        verts, self._template = _symmetric_sphere(level)
        opposite = torch.cdist(verts * verts.new_tensor([-1.0, 1.0, 1.0]), verts).argmin(1)
        self.register_buffer("opposite", opposite, persistent=False)
        self.register_buffer("logits", torch.logit(verts.abs()), persistent=False)
        self.register_buffer("signs", verts.sign(), persistent=False)
        layers: list[nn.Module] = []
        before = code_size
        for width in (times * code_size for times in _WIDTHS):
            layers += [nn.Linear(before, width), nn.ReLU(inplace=True)]
            before = width
        self.hidden = nn.Sequential(*layers)
        self.displacement = nn.Linear(before, verts.numel())
        self.center = nn.Linear(before, 3)
        for layer in (self.displacement, self.center):
            with torch.no_grad():
                layer.weight.mul_(_START)
            nn.init.zeros_(layer.bias)

    @property
    def faces(self) -> Tensor:
        """(F, 3) int64, of every surface."""
        return self._template.faces

    def mirrored(self, mesh: Mesh) -> Mesh:
        """The decoder's meshes with left and right, x and -x, exchanged; vertices keep their numbers by place."""
        return mesh.with_verts(mesh.verts[:, self.opposite] * mesh.verts.new_tensor([-1.0, 1.0, 1.0]))

    def decode(self, code: Tensor, terms: Collection[str] | None = None) -> tuple[Mesh, dict[str, Tensor]]:
        """A batch of meshes, and four terms, sums over a mesh.

        ``laplacian``: :func:`~invgraph.losses.laplacian_uniform`; ``flattening``: :func:`~invgraph.losses.smoothness`;
        ``uniformity``: :func:`~invgraph.losses.vertex_uniformity`; ``area``: of the surface. What no silhouette shows
        is for the terms to decide, and the least surface that has the silhouettes is the likeliest: a table is not
        solid down to the cone that its top hides.
        """
        mesh = self.forward(code)
        all_terms = {
            "laplacian": losses.laplacian_uniform,
            "flattening": losses.smoothness,
            "uniformity": losses.vertex_uniformity,
            "area": lambda mesh: mesh.area().mean(),
        }
        return mesh, {name: term(mesh) for name, term in all_terms.items() if terms is None or name in terms}

    def forward(self, code: Tensor) -> Mesh:
        """Codes (B, code_size) -> one mesh of verts (B, V, 3)."""
        return self.from_features(self.features(code))

    def features(self, code: Tensor) -> Tensor:
        """(B, 4 code_size) features h, of which centre and displacements are linear functions, of codes."""
        self.check(code)
        return self.hidden(code)

    def from_features(self, h: Tensor) -> Mesh:
        """One mesh of verts (B, V, 3), of :meth:`features`."""
        center = (_CENTER_GAIN * self.center(h)).tanh()[:, None]
        moved = self.signs * (self.logits + self.displacement(h).unflatten(1, (-1, 3))).sigmoid()
        verts = center + relu(moved) * (1 - center) - relu(-moved) * (1 + center)
        return self.over(SIDE * verts)

    def over(self, verts: Tensor) -> Mesh:
        """One mesh of vertices (B, V, 3) in the canonical frame."""
        if self._template.faces.device != verts.device:  # the module was moved; a Mesh is not a module
            self._template = self._template.to(verts.device)
        return self._template.with_verts(verts)


def _symmetric_sphere(level: int) -> tuple[Tensor, Mesh]:
    """An icosphere in the cube [-1, 1]^3, half as large as it, with three edges' middles on the axes; its vertices."""
    sphere = icosphere(level, radius=SIDE, dtype=torch.float64)
    # its pole goes from the z axis to the end of a golden rectangle in the plane of x and z
    x, z = (length / math.hypot(1, _GOLDEN) for length in (1, _GOLDEN))
    verts = sphere.verts @ sphere.verts.new_tensor([[z, 0.0, x], [0.0, 1.0, 0.0], [-x, 0.0, z]])
    verts = torch.where(verts.abs() < 1e-6, 0.0, verts).float()  # rounding is on no side
    return verts, sphere.with_verts(verts)
