"""Reading Wavefront obj files: positions, texture coordinates, vertex colours, and the mtl file's pictures and colours.

Positions and texture coordinates keep the indices that the file gives them, so that seams of the texture cut no holes
into the surface; general mesh readers split the vertices there.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..ops.texture import Wrap
from .raw import RawMesh, read_picture

_OPTIONS = {"-s": 3, "-o": 3, "-t": 3, "-mm": 2}  # arguments that an mtl map's options take; the others take one


def read_obj(path: Path, appearance: bool) -> RawMesh:
    """The file's faces as one mesh; polygons become fans of triangles. Normals, lines and points are passed over.

    Raises:
        InputError: a line that cannot be read, an index out of range, or a picture that is missing.
    """
    text = path.read_text(encoding="utf-8", errors="replace").replace("\\\r\n", " ").replace("\\\n", " ")
    places: list[str] = []
    coordinates: list[str] = []
    faces: list[str] = []
    defined: dict[int, tuple[int, int]] = {}  # faces with negative indices: vertices and coordinates before them
    materials: list[tuple[int, str]] = []  # from which face on
    libraries: list[str] = []
    for line in text.splitlines():
        if line[:2] not in ("v ", "f ", "vt"):
            line = " ".join(line.split())  # indented or with tabs, or another keyword
        keyword = line[:2]
        if keyword == "v ":
            places.append(line[2:])
        elif keyword == "f ":
            if "-" in line:
                defined[len(faces)] = len(places), len(coordinates)
            faces.append(line[2:])
        elif keyword == "vt":
            coordinates.append(line[3:])
        elif line.startswith("usemtl"):
            materials.append((len(faces), line[7:]))
        elif line.startswith("mtllib"):
            libraries.append(line[7:])

    numbers = _numbers(path, "v", places, 3)
    corners, corner_count = _corners(path, faces, defined)
    if len(corners) and corners[:, 0].max() >= len(numbers):
        last = corners[:, 0].max() + 1
        raise InputError(f"{path}: faces index vertex {last}, past the vertices that the file has ({len(numbers)})")
    triangles, of_face = _fans(corner_count)
    raw = RawMesh(numbers[:, :3], corners[triangles, 0] if len(triangles) else np.zeros((0, 3), np.int64))
    if not appearance:
        return raw
    if numbers.shape[1] in (6, 7):  # x y z r g b, and some write w before the colour
        raw.vertex_colors = numbers[:, -3:].astype(np.float32)
    uv = _numbers(path, "vt", coordinates, 1)
    textured = len(uv) > 0 and len(corners) > 0 and bool((corners[:, 1] >= 0).all())
    if textured:
        if corners[:, 1].max() >= len(uv):
            raise InputError(
                f"{path}: faces index texture coordinate {corners[:, 1].max() + 1}, but there are {len(uv)} (vt)"
            )
        raw.uv = np.pad(uv[:, :2], ((0, 0), (0, max(0, 2 - uv.shape[1])))).astype(np.float32)
        raw.uv_faces = corners[triangles, 1]
    starts = [0, *(start for start, _ in materials), len(faces)]
    names = [n for n, a, b in zip(["", *(n for _, n in materials)], starts, starts[1:]) for _ in range(b - a)]
    _add_materials(path, raw, libraries, names, of_face)
    return raw


def _table(lines: list[str], slashes: bool = False) -> np.ndarray | None:
    """All numbers of lines that are built alike, ``(lines, numbers)``; None if they are not, or hold anything else."""
    block = "\n".join(lines) + "\n"
    try:
        text = np.frombuffer(block.encode("ascii"), np.uint8)
    except UnicodeEncodeError:
        return None
    gaps = text[(text == 32) | (text == 10) | (text == 47)]  # space, end of line, slash
    first = lines[0] + "\n"
    form = np.frombuffer("".join(c for c in first if c in " /\n").encode(), np.uint8)
    if len(gaps) != len(lines) * len(form) or (gaps.reshape(-1, len(form)) != form).any():
        return None
    if 47 in form and not slashes:
        return None
    try:
        with warnings.catch_warnings():  # text that is no number ends it, with a warning or an error
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(block.replace("/", " "), np.int64 if slashes else np.float64, sep=" ")
    except (DeprecationWarning, ValueError):
        return None
    return values.reshape(len(lines), -1) if len(values) == len(gaps) else None


def _numbers(path: Path, name: str, lines: list[str], least: int) -> np.ndarray:
    """Rows of numbers, at least ``least`` each; rows that differ in length are cut to the shortest."""
    table = _table(lines) if lines else None
    if table is not None and table.shape[1] >= least:
        return table
    rows = [line.split("#", 1)[0].split() for line in lines]
    width = min(map(len, rows), default=least)
    if width < least:
        raise InputError(f"{path}: expected at least {least} numbers after {name}, got {min(rows, key=len)}")
    if any(len(row) != width for row in rows):
        width = min(width, 3)  # some with a colour, some without
    try:
        return np.array([float(x) for row in rows for x in row[:width]]).reshape(-1, width)
    except ValueError as error:
        raise InputError(f"{path}: not a readable .obj mesh (after {name}: {error})") from error


def _corners(path: Path, faces: list[str], defined: dict[int, tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """All faces' corners in a row, ``(n, 2)``: vertex and texture coordinate from 0, -1 for none; and their numbers."""
    corners, count = _alike(faces) or _one_by_one(path, faces)
    if (corners[:, 0] == 0).any():
        raise InputError(f"{path}: faces index vertex 0, but obj files count from 1")
    absolute = corners - 1  # no texture coordinate is 0 until here
    first = np.cumsum(count) - count
    for face, before in defined.items():  # negative indices count back from the last one before the face
        here = slice(first[face], first[face] + count[face])
        absolute[here] = np.where(corners[here] < 0, corners[here] + before, absolute[here])
    if ((corners < 0) & (absolute < 0)).any():
        raise InputError(f"{path}: faces index past the vertices that the file has")
    return absolute, count


def _alike(faces: list[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """Corners of faces that are all written in the same way, such as ``1/1 2/2 3/3``."""
    if not faces or "//" in faces[0]:
        return None
    width = len(faces[0].split())
    table = _table(faces, slashes=True)
    kinds = {token.count("/") for token in faces[0].split()}
    if table is None or width < 3 or len(kinds) > 1:
        return None
    corners = table.reshape(len(faces) * width, -1)
    if corners.shape[1] == 1:
        corners = np.concatenate([corners, np.zeros_like(corners)], 1)
    return corners[:, :2], np.full(len(faces), width)


def _one_by_one(path: Path, faces: list[str]) -> tuple[np.ndarray, np.ndarray]:
    rows = [face.split("#", 1)[0].split() for face in faces]
    count = np.array([len(row) for row in rows], np.int64)
    if len(rows) and count.min() < 3:
        raise InputError(f"{path}: expected at least 3 corners after f, got {min(rows, key=len)}")
    corners = np.zeros((int(count.sum()), 2), np.int64)
    try:
        for n, token in enumerate(token for row in rows for token in row):
            parts = token.split("/")
            corners[n] = int(parts[0]), int(parts[1]) if len(parts) > 1 and parts[1] else 0
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path}: not a readable .obj mesh (after f: {error})") from error
    return corners, count


def _fans(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles ``(T, 3)`` of polygons with ``count`` corners each, into all corners; and each one's polygon."""
    if len(count) == 0:
        return np.zeros((0, 3), np.int64), np.zeros(0, np.int64)
    first = np.cumsum(count) - count
    polygon = np.repeat(np.arange(len(count)), count - 2)
    step = np.arange(len(polygon)) - np.repeat(np.cumsum(count - 2) - (count - 2), count - 2)
    return np.stack([first[polygon], first[polygon] + step + 1, first[polygon] + step + 2], 1), polygon


def _add_materials(path: Path, raw: RawMesh, libraries: list[str], used: list[str], of_face: np.ndarray) -> None:
    """The picture that all faces share, or plain colours of the faces."""
    names = sorted(set(used) - {""})
    known: dict[str, dict[str, str]] = {}
    for library in libraries:
        file = path.parent / library
        if file.is_file():
            known |= _read_mtl(file)
        else:
            warnings.warn(f"{path}: the material file {library} is missing, read without materials", stacklevel=4)
    maps = {name: known.get(name, {}).get("map_Kd") for name in set(used)}
    pictures = set(maps.values())
    if raw.uv is not None and len(pictures) == 1 and None not in pictures:
        file, raw.wrap = _map_file(path.parent, pictures.pop() or "")
        if not file.is_file():
            raise InputError(f"{path}: the texture {file} is missing (appearance=False reads the shape without it)")
        raw.image = read_picture(file)
    elif pictures - {None}:
        raw.uv = raw.uv_faces = None
        warnings.warn(
            f"{path}: read without its materials {', '.join(names)}: one picture for all faces can be kept",
            stacklevel=4,
        )
    elif raw.uv is None and raw.vertex_colors is None and any("Kd" in known.get(name, {}) for name in names):
        colors = np.array([_color(path, known.get(name, {}).get("Kd", "1 1 1")) for name in used], np.float32)
        raw.face_colors = colors[of_face]


def _read_mtl(file: Path) -> dict[str, dict[str, str]]:
    """Materials by name, each with the text after its keywords."""
    materials: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "newmtl":
            current = materials.setdefault(rest.strip(), {})
        elif keyword:
            current[keyword] = rest.strip()
    return materials


def _map_file(folder: Path, text: str) -> tuple[Path, Wrap]:
    """The picture that a map names after its options, whose names may hold spaces; and how it wraps."""
    words = text.split()
    wrap: Wrap = "repeat"
    while words and words[0].startswith("-"):
        option = words.pop(0)
        taken = [words.pop(0) for _ in range(_OPTIONS.get(option, 1)) if words]
        if option == "-clamp" and taken == ["on"]:
            wrap = "clamp"
    return folder / " ".join(words).replace("\\", "/"), wrap


def _color(path: Path, text: str) -> list[float]:
    try:
        color = [float(x) for x in text.split()]
    except ValueError:
        color = []
    if len(color) != 3:
        raise InputError(f"{path}: expected three numbers after Kd in its material file, got {text!r}")
    return color
