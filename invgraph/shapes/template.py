"""A mesh whose vertices move while its faces stay."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..geometry import Mesh, remesh
from ..losses import laplacian_uniform
from .shape import Shape


class TemplateShape(Shape):
    """Free vertex positions over the fixed connectivity of a template mesh.

    Args:
        mesh: closed or open triangle mesh in the world frame, verts (V, 3).
        center: (3,) world position of the canonical origin; that of the mesh's bounding sphere by default.
        scale: world length of one canonical unit; the radius of the mesh's bounding sphere by default.
    """

    vertex_parameter = "verts"
    representation = "mesh"

    verts: Tensor
    faces: Tensor

    def __init__(self, mesh: Mesh, center: Tensor | None = None, scale: float | Tensor | None = None) -> None:
        if mesh.verts.ndim != 2:
            raise ValueError(f"mesh: expected one mesh, verts (V, 3), got verts of shape {tuple(mesh.verts.shape)}")
        middle, radius = mesh.detach().bounding_sphere()
        super().__init__(middle if center is None else center, radius if scale is None else scale)
        self._template = self.to_canonical(mesh.detach())
        self.verts = nn.Parameter(self._template.verts.clone())
        self.register_buffer("faces", mesh.faces)

    def forward(self) -> Mesh:
        if self._template.faces.device != self.faces.device:  # the module was moved; a Mesh is not a module
            self._template = self._template.to(self.faces.device)
        return self._template.with_verts(self.verts)

    def regularizers(self) -> dict[str, Tensor]:
        """``bending``: the uniform Laplacian's energy over the mean squared edge length.

        A discrete thin-plate energy, without unit, and nearly independent of how finely an evenly meshed surface is
        meshed. It decides the surface where no silhouette does, and spaces the vertices.
        """
        mesh = self.forward()
        mean_square = mesh.detach().edge_lengths().square().mean()
        return {"bending": laplacian_uniform(mesh) / mean_square}

    def prepared(self, *, vertices: int | None = None, resolution: int | None = None) -> TemplateShape:
        """Remeshed, if ``vertices`` are asked for."""
        return self if vertices is None else self.remeshed(self.edge_length_for(vertices))

    def remeshed(self, edge_length: float) -> TemplateShape:
        """The same surface now, in the same frame, with new near-uniform triangles.

        Args:
            edge_length: target edge length in canonical units, > 0.
        """
        if not 0 < edge_length < math.inf:
            raise ValueError(f"edge_length: expected a positive finite number, got {edge_length}")
        mesh = remesh(self.forward().detach(), edge_length)
        shape = TemplateShape(mesh, self.center.new_zeros(3), 1.0)
        shape.center.copy_(self.center)
        shape.scale.copy_(self.scale)
        return shape

    @staticmethod
    def is_state(state: dict[str, Tensor]) -> bool:
        """Whether a ``state_dict()`` is that of a template, for :meth:`from_state`."""
        return "faces" in state

    @classmethod
    def from_state(cls, state: dict[str, Tensor]) -> TemplateShape:
        """A shape with the faces and frame of a ``state_dict()``, parametrized or not; load the values next."""
        verts = state["verts"] if "verts" in state else state["parametrizations.verts.original"]
        return cls(Mesh(torch.zeros_like(verts), state["faces"]), state["center"], state["scale"])

    def edge_length_for(self, vertices: int) -> float:
        """Edge length, in canonical units, at which equilateral triangles on that many vertices cover the surface.

        A closed surface of area A has about twice as many faces as vertices: A = 2 V sqrt(3)/4 l^2.
        """
        with torch.no_grad():
            area = float(self.forward().face_areas().sum())
        return math.sqrt(2 * area / (math.sqrt(3) * vertices))
