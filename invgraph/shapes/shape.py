"""What is optimized: anything that turns parameters into a mesh."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..cameras import Cameras
from ..geometry import Mesh


class Shape(nn.Module):
    """A parametrised surface in its own canonical frame, in which the object is about as large as the unit sphere.

    ``x_world = scale * x_canonical + center``. The canonical frame is what lets step sizes and weights mean the same
    for a chair in metres and a tooth in millimetres; :meth:`export` undoes it. A new representation overrides
    :meth:`forward`; :meth:`regularizers` if it has preferences among the surfaces that explain the pictures,
    :meth:`prepared` if its density can change, and :meth:`ray_logits` if it can be seen without a mesh.

    Args:
        center: (3,) world position of the canonical origin.
        scale: length in world units of one canonical unit, > 0.
    """

    center: Tensor
    scale: Tensor

    #: Name of the parameter that holds free vertex positions (V, 3) over ``forward().faces``, for optimizers that
    #: precondition with the mesh's Laplacian; None where the parameters are something else.
    vertex_parameter: str | None = None

    #: What ``FitOptions.shape`` calls it, "mesh", "sdf" or "occupancy", whose schedule suits it; None for another.
    representation: str | None = None

    def __init__(self, center: Tensor | None = None, scale: float | Tensor = 1.0) -> None:
        super().__init__()
        center = torch.zeros(3) if center is None else torch.as_tensor(center)
        scale = torch.as_tensor(scale, dtype=center.dtype)
        if center.shape != (3,):
            raise ValueError(f"center: expected shape (3,), got {tuple(center.shape)}")
        if scale.numel() != 1 or not float(scale) > 0:
            raise ValueError(f"scale: expected one positive number, got {scale.tolist()}")
        self.register_buffer("center", center.detach().clone())
        self.register_buffer("scale", scale.detach().clone().reshape(()))

    def forward(self) -> Mesh:
        """The surface as a mesh in the canonical frame, differentiable with respect to the parameters."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def regularizers(self) -> dict[str, Tensor]:
        """Scalar terms, by name, that prefer some of the surfaces that fit the views; the loop weights them."""
        return {}

    def prepared(self, *, vertices: int | None = None, resolution: int | None = None) -> Shape:
        """The surface now, in the same frame, as a stage of a fit wants it: this shape, or a new one.

        Args:
            vertices: of a mesh, about so many from now on.
            resolution: of a field's grid, so many cells along each axis from now on.
        """
        return self

    def ray_logits(
        self, cameras: Cameras, *, through: bool, softness: float, generator: torch.Generator | None = None
    ) -> Tensor:
        """(N, H, W) logits of coverage along the rays of pixels, without a mesh.

        Args:
            cameras: N cameras in the canonical frame.
            through: all that a ray goes through counts, which opens holes; else the place that decides, without bias.
            softness: width of the outline, pixels.
            generator: of the samples' places.
        """
        raise TypeError(f"{type(self).__name__} cannot be seen along rays: expected a FieldShape")

    def to_world(self, mesh: Mesh) -> Mesh:
        """A mesh of the canonical frame, moved to the world frame."""
        return mesh.with_verts(mesh.verts * self.scale.to(mesh.verts) + self.center.to(mesh.verts))

    def to_canonical(self, mesh: Mesh) -> Mesh:
        """A mesh of the world frame, moved to the canonical frame."""
        return mesh.with_verts((mesh.verts - self.center.to(mesh.verts)) / self.scale.to(mesh.verts))

    @torch.no_grad()
    def export(self) -> Mesh:
        """The surface now, in the world frame, detached from the parameters."""
        mesh = self.to_world(self.forward())
        return mesh.with_verts(mesh.verts.detach().clone())
