"""Solids to build with: boxes, rods, tubes, lathed and extruded outlines, and what a shape is put together from.

The frame is that of the pictures: x right, y up, z towards the viewer of the first view. Lengths are in any unit, as a
finished shape is scaled to a longest side of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

try:
    from manifold3d import CrossSection, Manifold, OpType
except ImportError as error:
    raise ImportError("made shapes are built with manifold3d: pip install '.[shapes]'") from error

Point = tuple[float, float, float]
Outline = Sequence[tuple[float, float]]
Colour = tuple[float, float, float]

ROUND = 24  # sides of a full circle


@dataclass
class Dice:
    """The random numbers of one shape."""

    generator: np.random.Generator

    def __call__(self, low: float, high: float) -> float:
        """Uniform between two numbers."""
        return float(self.generator.uniform(low, high))

    def chance(self, probability: float) -> bool:
        """True so often."""
        return bool(self.generator.random() < probability)

    def whole(self, low: int, high: int) -> int:
        """A whole number, ``high`` included."""
        return int(self.generator.integers(low, high + 1))

    def pick(self, *choices: str) -> str:
        """One of the words."""
        return choices[int(self.generator.integers(len(choices)))]

    def colour(self, low: float = 0.15, high: float = 0.95) -> Colour:
        """Any colour, of channels between the two."""
        red, green, blue = self.generator.uniform(low, high, 3)
        return float(red), float(green), float(blue)

    def wood(self) -> Colour:
        """From pine to walnut."""
        light = self(0.3, 0.85)
        return light, light * self(0.65, 0.8), light * self(0.35, 0.55)

    def grey(self, low: float = 0.1, high: float = 0.9) -> Colour:
        """Metal, plastic, tyres."""
        light = self(low, high)
        return light, light, light * self(0.95, 1.05)


@dataclass
class Parts:
    """Solids with their colours, which become one closed surface."""

    solids: list[Manifold] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)

    def add(self, colour: Colour, *solids: Manifold) -> None:
        """More solids of one colour; they may overlap others."""
        for solid in solids:
            self.solids.append(solid)
            self.colours.append(colour)

    def cut(self, *solids: Manifold) -> None:
        """Take away what lies in these from all that is there so far."""
        hole = union(*solids)
        self.solids = [solid - hole for solid in self.solids]

    def surface(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The surface of the union.

        Returns:
            ``verts (V, 3)`` float64, ``faces (F, 3)`` int64, ``colours (F, 3)`` float32. Closed: vertices are shared
            between faces of different colours.
        """
        originals = [solid.as_original() for solid in self.solids if not solid.is_empty()]
        colours = [colour for solid, colour in zip(self.solids, self.colours) if not solid.is_empty()]
        number = {solid.original_id(): i for i, solid in enumerate(originals)}
        mesh = Manifold.batch_boolean(originals, OpType.Add).to_mesh64()
        faces = np.asarray(mesh.tri_verts, np.int64)
        run = np.repeat(np.asarray(mesh.run_original_id), np.diff(np.asarray(mesh.run_index)) // 3)
        colour_of_face = np.array(colours, np.float32)[[number[int(i)] for i in run]]
        # a boolean's output repeats vertices where its sources meet, and says which are the same
        verts = np.asarray(mesh.vert_properties)[:, :3]
        same = np.arange(len(verts))
        same[np.asarray(mesh.merge_from_vert, np.int64)] = np.asarray(mesh.merge_to_vert, np.int64)
        used, faces = np.unique(same[faces], return_inverse=True)
        return verts[used], faces.reshape(-1, 3), colour_of_face


def union(*solids: Manifold) -> Manifold:
    """All of them."""
    return Manifold.batch_boolean(list(solids), OpType.Add)


def box(width: float, height: float, depth: float, center: Point = (0.0, 0.0, 0.0)) -> Manifold:
    """Sides along x, y, z."""
    return Manifold.cube((width, height, depth), True).translate(center)


def soft_box(width: float, height: float, depth: float, radius: float, center: Point = (0.0, 0.0, 0.0)) -> Manifold:
    """A box with round edges."""
    radius = min(radius, 0.49 * min(width, height, depth))
    ball = Manifold.sphere(radius, 12)
    x, y, z = (0.5 * side - radius for side in (width, height, depth))
    corners = [ball.translate((i * x, j * y, k * z)) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]
    return Manifold.batch_hull(corners).translate(center)


def ball(radii: float | Point, center: Point = (0.0, 0.0, 0.0), sides: int = ROUND) -> Manifold:
    """A sphere or an ellipsoid."""
    axes = (radii,) * 3 if isinstance(radii, float) else radii
    return Manifold.sphere(1.0, sides).scale(axes).translate(center)


def rod(start: Point, end: Point, radius: float, tip: float | None = None, sides: int = 12) -> Manifold:
    """A cylinder, or a cone cut off, from a point to another."""
    a, b = np.asarray(start), np.asarray(end)
    length = float(np.linalg.norm(b - a))
    z = (b - a) / length
    x = np.cross(z, (0.0, 0.0, 1.0) if abs(z[2]) < 0.9 else (1.0, 0.0, 0.0))
    x /= np.linalg.norm(x)
    place = np.stack([x, np.cross(z, x), z, a], axis=1)
    return Manifold.cylinder(length, radius, radius if tip is None else tip, sides).transform(place)


def bar(start: Point, end: Point, width: float, depth: float | None = None) -> Manifold:
    """A square or flat bar from a point to another, whose ends are level."""
    a, b = box(width, 1e-3, depth or width, start), box(width, 1e-3, depth or width, end)
    return Manifold.batch_hull([a, b])


def tube(points: Sequence[Point], radius: float, sides: int = 10) -> Manifold:
    """A round tube along a line of points."""
    balls = [Manifold.sphere(radius, sides).translate(point) for point in points]
    return union(*(Manifold.batch_hull([a, b]) for a, b in pairwise(balls)))


def lathe(profile: Outline, center: Point = (0.0, 0.0, 0.0), sides: int = ROUND) -> Manifold:
    """An outline of (radius, height) turned around the vertical axis."""
    return _outline(profile).revolve(sides).rotate((-90, 0, 0)).translate(center)


def prism(outline: Outline, length: float, axis: str = "z", center: Point = (0.0, 0.0, 0.0)) -> Manifold:
    """An outline drawn out to both sides.

    The outline is in (x, y) for the axis z, in (z, y) for x, and in (x, z) for y.
    """
    solid = _outline(outline).extrude(length).translate((0, 0, -0.5 * length))
    if axis == "x":
        solid = solid.rotate((0, -90, 0))  # x -> z, z -> -x
    elif axis == "y":
        solid = solid.rotate((90, 0, 0))  # y -> z, z -> -y
    return solid.translate(center)


def ring(radius: float, thickness: float, center: Point = (0.0, 0.0, 0.0), axis: str = "y") -> Manifold:
    """A torus of the given radii of its circle and of its tube, around an axis."""
    solid = CrossSection.circle(thickness, 12).translate((radius, 0)).revolve(ROUND)
    return _turned(solid, axis).translate(center)


def wheel(
    radius: float, width: float, center: Point = (0.0, 0.0, 0.0), axis: str = "x", sides: int = ROUND
) -> Manifold:
    """A cylinder around an axis, about its middle."""
    return _turned(Manifold.cylinder(width, radius, radius, sides, True), axis).translate(center)


def pair(*solids: Manifold) -> list[Manifold]:
    """Each, and its mirror image in x."""
    return [*solids, *(solid.mirror((1, 0, 0)) for solid in solids)]


def _turned(solid: Manifold, axis: str) -> Manifold:
    """What was around z, around another axis."""
    return solid.rotate({"x": (0, 90, 0), "y": (90, 0, 0), "z": (0, 0, 0)}[axis])


def _outline(points: Outline) -> CrossSection:
    area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]]))
    return CrossSection([list(points) if area > 0 else list(reversed(points))])
