"""``render``: a mesh and cameras in, pictures out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from ..camera_batch import as_image_size
from ..cameras import Cameras
from ..geometry.mesh import Mesh
from ..ops import Fragments
from ..ops._batch import check_softness
from ..ops._precision import full_precision
from . import backends
from .backends import Backend
from .lights import Light, as_lights
from .projection import Projection, project
from .rendered import OUTPUTS, Rendered
from .scene import Scene, scene_of
from .shading import Lambert, Material
from .soft import soft_picture
from .surface import Surface

Mode = Literal["soft", "outline", "hard", "antialias"]


@full_precision
def render(
    mesh: Mesh | Sequence[Mesh],
    cameras: Cameras,
    *,
    mode: Mode = "antialias",
    sigma: float = 1.0,
    gamma: float = 1e-2,
    outputs: Sequence[str] = ("alpha",),
    near: float | None = None,
    far: float | None = None,
    lights: Light | Sequence[Light] | None = None,
    material: Material | None = None,
    flat: bool = False,
    background: float | Sequence[float] | Tensor = 0.0,
    backend: str | None = None,
) -> Rendered:
    """Draw a mesh from N cameras, or N meshes from one camera each.

    Args:
        mesh: ``verts (V, 3)`` seen by all cameras, or ``(N, V, 3)``: one pose for each camera. Or a list of N meshes of
            any size, one for each camera, drawn as one batch. Dtype and device are the cameras'; an appearance may have
            another floating dtype and is taken in that of the vertices. A face with a vertex that is not finite, or
            beyond 3e14 in depth, is not drawn.
        cameras: N cameras.
        mode: how coverage is made. ``"antialias"``: exact at the visible outline (:func:`invgraph.ops.antialias`);
            ``"soft"``: probabilistic, its gradient reaches ``sqrt(9.2 sigma)`` pixels
            (:func:`invgraph.ops.soft_silhouette`, with colours :func:`invgraph.ops.soft_color`); ``"outline"``: as far,
            and without bias (:func:`invgraph.ops.soft_outline`); ``"hard"``: 0 or 1 at pixel centres, no gradient.
            Depth, normal, position, uv and face_id are those at pixel centres in every mode.
        sigma: softness in squared pixels, for ``"soft"`` and ``"outline"``.
        gamma: softness in depth for the colours of ``"soft"``, as a share of the depths from near to far (where these
            are not given: from the nearest point to the farthest, taken as constants where gradients are concerned).
        outputs: any of ``"alpha"``, ``"depth"``, ``"normal"``, ``"position"``, ``"uv"``, ``"rgb"``, ``"face_id"``.
        near: depth of the near plane in world units, at which faces are clipped. None: for perspective cameras 1/1000
            of the greatest depth, for orthographic ones 0. Orthographic cameras take any depth, -inf for no near plane.
        far: depth of the far plane, at which faces are clipped; None: no far plane.
        lights: of ``invgraph.render.lights``, for rgb. Light of all is added, pixel by pixel, in the world frame; None:
            the colours of ``mesh.appearance`` as they are. A mesh without appearance is white.
        material: :class:`Lambert` (None) or :class:`Phong`.
        flat: normals, also for the lights, are those of the faces; otherwise interpolated from the vertices.
        background: what rgb has where there is no surface: a number, or values that broadcast to ``(N, H, W, C)``.
        backend: who draws; None: what the environment variable INVGRAPH_BACKEND names, else ``"native"``.

    Returns:
        :class:`Rendered`. rgb is the finished picture: in ``"antialias"`` and ``"outline"`` the colours at pixel
        centres, over the background, are blended where the visible outline runs between them, background and farther
        surfaces alike; in ``"hard"`` they are left as they are; in ``"soft"`` the faces' corners are coloured and lit
        (of a texture, what it has there) and mixed. Differentiable with respect to vertices, colours, textures and
        their coordinates, lights, materials, background, and the cameras' R, t and K; the visible face of a pixel is
        no function of these, so that gradients of occlusion come from ``"antialias"``, ``"outline"`` and ``"soft"``.

    Raises:
        ValueError: an unknown mode or output; meshes, appearances or lights that do not fit the cameras or each other;
            uv without a texture; colours to be lit that have neither 1 nor 3 channels.
        TypeError: what is no mesh, cameras, light or material; vertices of another dtype than the cameras.
    """
    if mode not in get_args(Mode):
        raise ValueError(f"mode: expected one of {get_args(Mode)}, got {mode!r}")
    wanted = _wanted(outputs)
    scene = scene_of(mesh, cameras, edges=mode in ("antialias", "outline"))
    engine = backends.load(backend, mode, rgb="rgb" in wanted)
    shining = as_lights(lights, len(cameras))
    surface_of = Lambert() if material is None else material
    if not isinstance(surface_of, Material):
        raise TypeError(f"material: expected Lambert or Phong, got {material!r}")
    reach = 0.0
    if mode in ("soft", "outline"):
        reach = 4 * math.sqrt(check_softness("sigma", sigma, scene.mesh.verts))  # sigmoid(-16) is nothing
    projection = project(
        scene.mesh.verts, scene.mesh.topology, cameras, near=near, far=far, reach=reach, ranges=scene.ranges
    )
    pictures: dict[str, Tensor] = {}
    if mode == "soft" and "rgb" in wanted:
        over = _background(background, _channels(scene, shining), scene, cameras)
        pictures["rgb"], pictures["alpha"] = soft_picture(
            projection,
            scene,
            cameras,
            sigma=sigma,
            gamma=gamma,
            depths=(near, far),
            background=over,
            lights=shining,
            material=surface_of,
            flat=flat,
        )
    missing = wanted - set(pictures)
    seen = None  # of the drawing, as the backend saw it; projection.fragments says it of the mesh
    if mode != "soft" or missing - {"alpha"}:
        attributes = bool(missing & {"normal", "position", "uv", "rgb"})
        seen = engine.rasterize(projection.points, projection.drawing, cameras.image_size, attributes)
        surface = Surface(scene, cameras, seen if not missing - {"alpha"} else projection.fragments(seen), flat)
        for name in missing & {"normal", "position", "uv"}:
            pictures[name] = getattr(surface, name)
        if "depth" in missing:
            pictures["depth"] = torch.where(surface.fragments.face_id >= 0, surface.fragments.depth, 0.0)
        if "face_id" in missing:
            pictures["face_id"] = surface.fragments.face_id.long()
        if "rgb" in missing:
            over = _background(background, _channels(scene, shining), scene, cameras)
            picture = _over(over, surface, surface.colors(shining, surface_of))
            pictures |= _blended(picture, mode, "alpha" in missing, engine, projection, seen)
    if "alpha" in wanted - set(pictures):
        pictures["alpha"] = engine.alpha(mode, sigma, projection.points, projection.drawing, cameras.image_size, seen)
    return Rendered({name: pictures[name] for name in OUTPUTS if name in wanted})


def sigma_from_ndc(sigma_ndc: float, image_size: tuple[int, int]) -> float:
    """The softness of the literature, in normalised device coordinates (the image's shorter side spans [-1, 1]), in
    squared pixels: ``sigma_ndc * (min(H, W) / 2) ** 2``."""
    return sigma_ndc * (min(as_image_size(image_size)) / 2) ** 2


def _wanted(outputs: Sequence[str]) -> set[str]:
    unknown = outputs if isinstance(outputs, str) else [name for name in outputs if name not in OUTPUTS]
    if unknown:
        raise ValueError(f"outputs: expected any of {OUTPUTS} in a tuple, got {unknown!r}")
    return set(outputs)


def _channels(scene: Scene, lights: Sequence[Light] | None) -> int:
    """Channels of the picture."""
    look = scene.mesh.appearance
    channels = 3 if look is None else look.channels
    if lights is None:
        return channels
    if channels not in (1, 3):
        raise ValueError(f"appearance: expected colours of 1 or 3 channels to be lit, got {channels}")
    return 3


def _background(value: float | Sequence[float] | Tensor, channels: int, scene: Scene, cameras: Cameras) -> Tensor:
    """``(N, H, W, C)``, expanded."""
    shape = (len(cameras), *cameras.image_size, channels)
    like = scene.mesh.verts
    try:
        given = torch.as_tensor(value, dtype=like.dtype, device=like.device)
        return given.expand(shape)
    except (RuntimeError, TypeError, ValueError) as error:
        got = tuple(value.shape) if isinstance(value, Tensor) else repr(value)
        raise ValueError(f"background: expected a number or a shape that broadcasts to {shape}, got {got}") from error


def _over(background: Tensor, surface: Surface, colors: Tensor) -> Tensor:
    """The seen pixels' colours ``(M, C)`` over the background: ``(N, H, W, C)``."""
    flat = background.reshape(-1, background.shape[-1])
    return flat.index_copy(0, surface.seen, colors.expand(-1, flat.shape[-1])).reshape(background.shape)


def _blended(
    picture: Tensor, mode: str, alpha: bool, engine: Backend, projection: Projection, seen: Fragments
) -> dict[str, Tensor]:
    """rgb, and alpha where it comes of the same blend."""
    if mode == "hard":
        return {"rgb": picture}
    if mode == "outline" or not alpha:
        return {"rgb": engine.antialias(picture, projection.points, projection.drawing, seen)}
    covered = (seen.face_id >= 0).to(picture.dtype)[..., None]
    both = engine.antialias(torch.cat([picture, covered], -1), projection.points, projection.drawing, seen)
    return {"rgb": both[..., :-1], "alpha": both[..., -1]}
