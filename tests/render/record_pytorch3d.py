"""Record what the real PyTorch3D draws, for `test_pytorch3d_parity.py`: python tests/render/record_pytorch3d.py

Writes pytorch3d.npz beside this file: the scene, PyTorch3D's cameras as their own arguments, and for each camera the
outputs of its MeshRasterizer and sigmoid_alpha_blend with the gradients of a loss with respect to the vertices.
"""

from pathlib import Path

import numpy as np
import torch

FILE = Path(__file__).parent / "pytorch3d.npz"
SIGMA_NDC = 3e-3
MIN_PROBABILITY = 1e-4

# name: (class, image size, focal length, principal point, in_ndc)
CAMERAS = {
    "perspective": ("PerspectiveCameras", (32, 32), (1.9, 1.9), (0.0, 0.0), True),
    "perspective_off_centre_wide": ("PerspectiveCameras", (28, 41), (2.3, 1.8), (0.21, -0.13), True),
    "perspective_screen_tall": ("PerspectiveCameras", (43, 27), (33.0, 37.0), (15.2, 18.9), False),
    "orthographic": ("OrthographicCameras", (32, 32), (0.7, 0.7), (0.0, 0.0), True),
    "orthographic_off_centre_wide": ("OrthographicCameras", (27, 40), (0.8, 0.65), (-0.17, 0.22), True),
    "orthographic_screen_tall": ("OrthographicCameras", (42, 29), (11.0, 12.5), (13.1, 22.7), False),
}


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Two octahedra, subdivided and dented, that cut each other: verts (V, 3) float32 and faces (F, 3)."""
    verts = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64)
    faces = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    for _ in range(2):
        middle: dict[tuple[int, int], int] = {}
        points, fine = list(verts), []

        def halve(a: int, b: int, middle: dict = middle, points: list = points) -> int:
            key = (min(a, b), max(a, b))
            if key not in middle:
                middle[key] = len(points)
                points.append(points[a] + points[b])
            return middle[key]

        for a, b, c in faces:
            ab, bc, ca = halve(a, b), halve(b, c), halve(c, a)
            fine += [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]
        verts, faces = np.array(points), np.array(fine)
        verts /= np.linalg.norm(verts, axis=1, keepdims=True)
    verts *= 1 + 0.15 * np.sin(5 * verts[:, :1] + 2) * np.cos(4 * verts[:, 1:2])
    other = verts[:, [1, 2, 0]] * [0.5, 0.9, 0.4] + [0.55, 0.35, -0.4]
    return np.concatenate([verts, other]).astype(np.float32), np.concatenate([faces, faces + len(verts)])


def pose(count: int) -> tuple[np.ndarray, np.ndarray]:
    """R, T of PyTorch3D (row vectors) that look from all around, rolled."""
    rng = np.random.default_rng(5)
    R, T = [], []
    for _ in range(count):
        q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        R.append(q * np.sign(np.linalg.det(q)))
        T.append([*rng.uniform(-0.15, 0.15, 2), rng.uniform(3.2, 4.0)])
    return np.array(R, dtype=np.float32), np.array(T, dtype=np.float32)


def weights(shape: tuple[int, ...]) -> torch.Tensor:
    """Weights of the losses: smooth, of both signs, not symmetric."""
    return torch.cos(0.37 * torch.arange(float(np.prod(shape)))).reshape(shape)


def record() -> dict[str, np.ndarray]:
    """Everything that the file holds."""
    import pytorch3d
    import pytorch3d.renderer as p3d
    from pytorch3d.structures import Meshes

    verts, faces = scene()
    R, T = pose(len(CAMERAS))
    out: dict[str, np.ndarray] = {"version": np.array(pytorch3d.__version__), "torch": np.array(torch.__version__)}
    out |= {"verts": verts, "faces": faces.astype(np.int16), "R": R, "T": T}
    blend = p3d.BlendParams(sigma=SIGMA_NDC, gamma=1e-4, background_color=(0.0, 0.0, 0.0))
    for i, (name, (kind, size, focal, principal, in_ndc)) in enumerate(CAMERAS.items()):
        cameras = getattr(p3d, kind)(
            R=torch.tensor(R[i : i + 1]), T=torch.tensor(T[i : i + 1]), focal_length=(focal,),
            principal_point=(principal,), in_ndc=in_ndc, image_size=(size,),
        )  # fmt: skip
        moved = torch.tensor(verts, requires_grad=True)
        mesh = Meshes([moved], [torch.tensor(faces)])

        hard = p3d.RasterizationSettings(size, blur_radius=0.0, faces_per_pixel=1, bin_size=0)
        seen = p3d.MeshRasterizer(cameras, hard)(mesh)
        on = seen.pix_to_face[0, ..., 0] >= 0
        loss = (seen.zbuf[0, ..., 0] * weights(size))[on].sum()
        loss = loss + (seen.bary_coords[0, ..., 0, :] * weights((*size, 3)))[on].sum()
        (hard_grad,) = torch.autograd.grad(loss, moved)

        radius = float(np.log(1 / MIN_PROBABILITY - 1) * SIGMA_NDC)
        soft = p3d.RasterizationSettings(size, blur_radius=radius, faces_per_pixel=len(faces), bin_size=0)
        fragments = p3d.MeshRasterizer(cameras, soft)(Meshes([moved], [torch.tensor(faces)]))
        if bool((fragments.pix_to_face[..., -1] >= 0).any()):
            raise RuntimeError("a pixel lost faces")
        colors = torch.zeros(*fragments.pix_to_face.shape, 3)
        alpha = p3d.blending.sigmoid_alpha_blend(colors, fragments, blend)[0, ..., 3]
        (soft_grad,) = torch.autograd.grad((alpha * weights(size)).sum(), moved)

        out |= {
            f"{name}/face": seen.pix_to_face[0, ..., 0].numpy().astype(np.int16),
            f"{name}/depth": seen.zbuf[0, ..., 0].detach().numpy(),
            f"{name}/barycentric": seen.bary_coords[0, ..., 0, :].detach().numpy(),
            f"{name}/hard_grad": hard_grad.numpy(),
            f"{name}/alpha": alpha.detach().numpy(),
            f"{name}/soft_grad": soft_grad.numpy(),
        }
    return out


if __name__ == "__main__":
    np.savez_compressed(FILE, **record())
    print(f"{FILE}: {FILE.stat().st_size} bytes")
