"""Make the demo object and its views: a wind-up toy elephant of constructive solids, ray-cast from 24 cameras.

Run from the repository root::

    python assets/make_demo.py            # writes assets/demo: truth.ply, transforms_train.json, train/r_000.png ...

Needs the development extras manifold3d (booleans), trimesh and embreex (ray casting). No random numbers are drawn, so
the same versions of these give the same files. The views come from a ray caster, not from invgraph's own renderer: the
demo must not be made by the program that it demonstrates.

The elephant says something about each thing a silhouette fit can get wrong. It has genus 3 (the loop of the tail and
the two rings of the wind-up key), thin parts (ears, key, hat), a curled trunk, and no mirror symmetry (the key is on
its left, the trunk bends to its left and one ear is raised), so a flipped axis shows at once. It has few true
concavities: the silhouettes can see nearly all of it.

World frame: x forward (the way it looks), y left, z up; the object fits in a sphere of radius 1.06 round the origin.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import manifold3d
import numpy as np
import trimesh
from manifold3d import Manifold
from PIL import Image
from trimesh.ray.ray_pyembree import RayMeshIntersector

Array = np.ndarray[Any, np.dtype[Any]]

VIEWS = 24
SIZE = 256  # pixels, square
RAYS = 4  # a pixel is RAYS x RAYS rays
FOV_X = 0.7  # radians, horizontal
DISTANCE = 3.25  # of the cameras from the origin
CENTER = (0.12, 0.03, 0.10)  # of the smallest sphere round the parts as they are placed below; becomes the origin
SEGMENTS = 48  # of a full circle
CREASE = 35.0  # degrees: sharper edges keep their edge in the shading

# part -> sRGB colour
COLOURS: dict[str, tuple[float, float, float]] = {
    "grey": (0.56, 0.66, 0.76),
    "ear": (0.93, 0.66, 0.66),
    "foot": (0.42, 0.50, 0.60),
    "eye": (0.10, 0.10, 0.14),
    "brass": (0.95, 0.74, 0.28),
    "hat": (0.86, 0.27, 0.30),
    "white": (0.96, 0.94, 0.88),
}


def ball(center: tuple[float, float, float], radius: float | tuple[float, float, float]) -> Manifold:
    """An ellipsoid with semi-axes ``radius`` round ``center``."""
    axes = (radius,) * 3 if isinstance(radius, float) else radius
    return Manifold.sphere(1.0, SEGMENTS).scale(axes).translate(center)


def tube(points: list[tuple[float, float, float]], radii: list[float], steps: int = 20) -> Manifold:
    """A round tube through ``points``: the union of the convex hulls of neighbouring balls on a smooth curve."""
    knots = np.linspace(0.0, 1.0, len(points))
    at = np.linspace(0.0, 1.0, steps + 1)
    # one Lagrange polynomial through all control points: smooth, and exact for the handful we use
    basis = np.stack(
        [
            np.prod([(at - knots[j]) / (knots[i] - knots[j]) for j in range(len(knots)) if j != i], axis=0)
            for i in range(len(knots))
        ],
        axis=1,
    )
    centers, widths = basis @ np.asarray(points), np.interp(at, knots, radii)
    balls = [ball(tuple(c), float(r)) for c, r in zip(centers, widths)]
    return sum((Manifold.batch_hull([a, b]) for a, b in pairwise(balls)), Manifold())


def disc(radius: float, thickness: float) -> Manifold:
    """A disc in the xy plane with a rounded rim, ``thickness`` high."""
    half = thickness / 2
    angles = np.linspace(-np.pi / 2, np.pi / 2, 9)
    rim = np.stack([radius - half + half * np.cos(angles), half * np.sin(angles)], axis=1)
    outline = np.concatenate([[[0.0, -half]], rim, [[0.0, half]]])
    return Manifold.revolve(manifold3d.CrossSection([outline]), SEGMENTS)


def ring(radius: float, hole: float, thickness: float) -> Manifold:
    """A flat ring in the xy plane."""
    return disc(radius, thickness) - Manifold.cylinder(4 * thickness, hole, hole, SEGMENTS, center=True)


def torus(radius: float, tube_radius: float) -> Manifold:
    """A torus round the z axis."""
    circle = manifold3d.CrossSection.circle(tube_radius, SEGMENTS // 2).translate((radius, 0.0))
    return Manifold.revolve(circle, SEGMENTS)


def elephant() -> list[tuple[str, Manifold]]:
    """The parts in the order in which they are united, each with its colour."""
    body = ball((-0.12, 0.0, 0.02), (0.56, 0.42, 0.43))
    head = ball((0.46, 0.0, 0.30), (0.31, 0.29, 0.31))
    trunk = tube(
        [(0.66, 0.0, 0.24), (0.86, 0.01, 0.02), (1.04, 0.05, 0.02), (1.08, 0.12, 0.30)], [0.15, 0.115, 0.09, 0.075]
    )
    nostril = Manifold.cylinder(0.3, 0.04, 0.04, SEGMENTS).translate((0.0, 0.0, 0.02)).rotate((-12, -6, 0))
    trunk -= nostril.translate((1.07, 0.11, 0.28))
    ear = disc(0.27, 0.06).scale((1.0, 1.15, 1.0)).rotate((90, 0, 0))  # upright, facing sideways
    ears = [
        ear.rotate((-12, 0, 62)).translate((0.40, 0.46, 0.42)),
        ear.rotate((14, 0, -62)).translate((0.40, -0.42, 0.56)),  # raised
    ]
    foot = Manifold.cylinder(0.44, 0.14, 0.115, SEGMENTS)
    feet = [foot.translate((x, y, -0.62)) for x, y in [(0.2, 0.22), (0.2, -0.22), (-0.46, 0.22), (-0.46, -0.22)]]
    step = foot.rotate((0, -16, 0)).translate((0.36, -0.22, -0.60))  # the right forefoot takes a step
    feet[1] = step
    tail = torus(0.17, 0.045).rotate((90, 0, 0)).translate((-0.72, 0.0, 0.16))
    shaft = Manifold.cylinder(0.46, 0.045, 0.045, SEGMENTS).rotate((-90, 0, 0)).translate((-0.16, 0.28, 0.10))
    wings = [ring(0.15, 0.075, 0.07).rotate((0, 90, 0)).translate((0, 0.0, z)) for z in (-0.13, 0.13)]
    key = shaft + (wings[0] + wings[1]).rotate((0, 28, 0)).translate((-0.16, 0.76, 0.10))
    hat = Manifold.cylinder(0.40, 0.15, 0.012, SEGMENTS)
    brim = disc(0.20, 0.05)
    bobble = ball((0.0, 0.0, 0.40), 0.055)
    hat, brim, bobble = (p.rotate((-14, 10, 0)).translate((0.44, 0.04, 0.59)) for p in (hat, brim, bobble))
    eyes = [ball((0.69, y, 0.40), 0.05) for y in (0.135, -0.135)]
    tusks = [
        tube([(0.66, y, 0.14), (0.80, 1.25 * y, 0.07), (0.90, 1.3 * y, 0.12)], [0.055, 0.045, 0.02], 10)
        for y in (0.15, -0.15)
    ]
    parts = [("grey", body + head + trunk), ("brass", tail), ("brass", key), ("hat", hat), ("white", brim)]
    parts += [("ear", p) for p in ears] + [("foot", p) for p in feet] + [("eye", p) for p in eyes]
    return parts + [("white", p) for p in tusks] + [("white", bobble)]


def build() -> tuple[Manifold, dict[int, str]]:
    """The united solid, and the colour name of each original part id in it."""
    names: dict[int, str] = {}
    solid = Manifold()
    for colour, part in elephant():
        original = part.as_original()
        names[original.original_id()] = colour
        solid += original
    return solid.translate(tuple(-c for c in CENTER)).simplify(2e-4), names


def closed_mesh(solid: Manifold) -> trimesh.Trimesh:
    """The solid as a mesh whose vertices are shared: watertight, counter-clockwise from outside."""
    mesh = solid.to_mesh()
    shared = np.arange(len(mesh.vert_properties))
    shared[mesh.merge_from_vert] = mesh.merge_to_vert
    out = trimesh.Trimesh(mesh.vert_properties[:, :3], shared[mesh.tri_verts], process=False)
    out.remove_unreferenced_vertices()
    return out


def fibonacci_directions(n: int) -> Array:
    """``n`` unit vectors spread evenly over the sphere, (n, 3); none is exactly vertical."""
    i = np.arange(n) + 0.5
    z = 1.0 - 2.0 * i / n
    phi = i * np.pi * (3.0 - np.sqrt(5.0))
    r = np.sqrt(1.0 - z * z)
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)


def camera_to_world(eye: Array) -> Array:
    """The 4x4 camera-to-world matrix of NeRF-synthetic files (x right, y up, looks along -z), aimed at the origin."""
    back = eye / np.linalg.norm(eye)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    c2w = np.eye(4)
    c2w[:3] = np.stack([right, np.cross(back, right), back, eye], axis=1)
    return c2w


def pixel_rays(c2w: Array) -> tuple[Array, Array]:
    """Origins and directions (SIZE * RAYS squared, 3), row by row, of a regular grid of RAYS x RAYS rays a pixel."""
    focal = 0.5 * SIZE / np.tan(0.5 * FOV_X)
    at = (np.arange(SIZE * RAYS) + 0.5) / RAYS - SIZE / 2
    u, v = np.meshgrid(at / focal, at / focal, indexing="xy")
    directions = np.stack([u, -v, -np.ones_like(u)], axis=-1).reshape(-1, 3) @ c2w[:3, :3].T
    return np.broadcast_to(c2w[:3, 3], directions.shape), directions / np.linalg.norm(directions, axis=1, keepdims=True)


def lambert(normals: Array, albedo: Array) -> Array:
    """Linear radiance under a warm key light, a cool fill light and light from sky and floor."""
    light = np.zeros_like(albedo)
    for direction, colour in [((0.5, 0.55, 0.75), (1.0, 0.95, 0.86)), ((0.2, -0.9, 0.2), (0.16, 0.19, 0.26))]:
        unit = np.asarray(direction) / np.linalg.norm(direction)
        light += np.clip(normals @ unit, 0.0, None)[:, None] * np.asarray(colour)
    up = 0.5 + 0.5 * normals[:, 2:3]
    light += up * np.array([0.30, 0.33, 0.38]) + (1.0 - up) * np.array([0.36, 0.32, 0.29])
    return albedo * light


def draw(caster: RayMeshIntersector, corner_normals: Array, albedo: Array, c2w: Array) -> Image.Image:
    """One RGBA picture: colour is the mean over the rays that hit, alpha the fraction of rays that hit."""
    origins, directions = pixel_rays(c2w)
    face = caster.intersects_first(origins, directions)
    hit = np.flatnonzero(face >= 0)
    corners = caster.mesh.triangles[face[hit]]
    flat = caster.mesh.face_normals[face[hit]]
    # where the ray meets the plane of its face, then the barycentric weights there
    depth = np.einsum("ij,ij->i", corners[:, 0] - origins[hit], flat) / np.einsum("ij,ij->i", directions[hit], flat)
    weights = trimesh.triangles.points_to_barycentric(corners, origins[hit] + depth[:, None] * directions[hit])
    normals = np.einsum("ik,ikj->ij", np.clip(weights, 0.0, 1.0), corner_normals[face[hit]])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)

    colour = np.zeros((len(face), 4))
    colour[hit, :3] = lambert(normals, albedo[face[hit]])
    colour[hit, 3] = 1.0
    pixels = colour.reshape(SIZE, RAYS, SIZE, RAYS, 4).mean(axis=(1, 3))
    alpha = pixels[..., 3:]
    rgb = np.clip(pixels[..., :3] / np.maximum(alpha, 1e-9), 0.0, 1.0) ** (1.0 / 2.2)
    return Image.fromarray(np.round(255.0 * np.concatenate([rgb, alpha], axis=-1)).astype(np.uint8), "RGBA")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "demo")
    out: Path = parser.parse_args().out
    (out / "train").mkdir(parents=True, exist_ok=True)

    solid, names = build()
    truth = closed_mesh(solid)
    assert truth.is_watertight
    assert truth.is_winding_consistent
    assert truth.body_count == 1
    assert solid.genus() == 3
    print(f"{len(truth.vertices)} vertices, {len(truth.faces)} faces, genus {solid.genus()}, volume {truth.volume:.4f}")
    truth.export(out / "truth.ply")

    shaded = solid.calculate_normals(0, CREASE).to_mesh()
    starts = np.asarray(shaded.run_index) // 3
    parts = np.repeat([names[i] for i in shaded.run_original_id], np.diff(starts))
    albedo = np.array([COLOURS[p] for p in parts]) ** 2.2
    surface = trimesh.Trimesh(shaded.vert_properties[:, :3], shaded.tri_verts, process=False)
    caster = RayMeshIntersector(surface)
    corner_normals = np.asarray(shaded.vert_properties)[:, 3:6][shaded.tri_verts]

    frames = []
    for i, direction in enumerate(fibonacci_directions(VIEWS)):
        c2w = camera_to_world(DISTANCE * direction)
        draw(caster, corner_normals, albedo, c2w).save(out / "train" / f"r_{i:03d}.png", optimize=True)
        frames.append({"file_path": f"./train/r_{i:03d}", "transform_matrix": c2w.tolist()})
    text = json.dumps({"camera_angle_x": FOV_X, "frames": frames}, indent=1)
    (out / "transforms_train.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
