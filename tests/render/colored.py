"""Cameras and coloured meshes for the tests of pictures in colour."""

import math

import torch

import invgraph as ig
from invgraph.geometry import Mesh, icosphere

F64 = torch.float64
EYES = [[0.3, -0.5, -3.0], [2.5, 1.0, 1.5]]
BALL = icosphere(2).to(dtype=F64)


def cameras(**options) -> ig.Cameras:
    found = ig.Cameras.look_at(EYES, [0, 0, 0], [0, 1, 0], 40, (30, 40)).to(F64)
    return ig.Cameras(found.R, found.t, found.K + torch.tensor([[0.0, 0, 2.3], [0, 0, -1.1], [0, 0, 0]]), (30, 40))


CAMERAS = cameras()
LEVEL = ig.Cameras(  # orthographic, from the same sides
    CAMERAS.R, CAMERAS.t, CAMERAS.K * torch.tensor([[1 / 3], [1 / 3], [1.0]]), (30, 40), projection="orthographic"
)
KEY = [ig.AmbientLight(0.2), ig.DirectionalLight((0.4, 1.0, -0.5), (0.8, 0.7, 0.6))]


def textured(mesh: Mesh, filter="linear") -> Mesh:
    """Longitude and height as texture coordinates, each face apart so that no face runs backwards over the seam."""
    corners = mesh.triangles().detach().reshape(-1, 3)
    turn = torch.atan2(corners[:, 2], corners[:, 0]) / (2 * math.pi)
    uv = torch.stack([turn, corners[:, 1] / 2 + 0.5], -1)
    image = torch.rand(7, 9, 3, dtype=mesh.verts.dtype, generator=torch.Generator().manual_seed(1))
    return mesh.with_appearance(
        ig.Texture(image, uv, torch.arange(len(corners)).reshape(-1, 3), wrap="repeat", filter=filter)
    )


def looks(mesh: Mesh) -> list[Mesh]:
    colors = torch.rand(mesh.num_verts + mesh.num_faces, 3, generator=torch.Generator().manual_seed(2)).to(mesh.verts)
    return [
        mesh.with_appearance(ig.VertexColors(colors[: mesh.num_verts])),
        mesh.with_appearance(ig.FaceColors(colors[mesh.num_verts :])),
        textured(mesh),
        textured(mesh, "mipmap"),
        mesh,
    ]
