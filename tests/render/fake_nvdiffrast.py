"""A stand-in for nvdiffrast.torch with its conventions, drawn by our primitives on the CPU.

It checks what the real one demands (dtypes, contiguity, shapes, ranges on the CPU, depths within the clip volume) and
follows its documentation: clip space with y up, row 0 at the bottom, ``rast`` = (weight of corner 0, of corner 1, z/w,
triangle + 1), triangles counted through ``tri`` in range mode.
"""

import torch

from invgraph import ops
from invgraph.geometry.topology import Topology

_bounds = None  # of the last drawing: the real antialias needs no ranges, ours does


class RasterizeCudaContext:
    def __init__(self, device=None):
        self.device = torch.device(device)


def _checked(pos, tri, ranges):
    assert pos.dtype == torch.float32
    assert tri.dtype == torch.int32
    assert pos.is_contiguous()
    assert tri.is_contiguous()
    assert pos.shape[-1] == 4
    assert tri.shape[1] == 3
    assert tri.shape[0] > 0
    assert pos.dim() == (3 if ranges is None else 2)
    if ranges is not None:
        assert ranges.dtype == torch.int32
        assert ranges.device.type == "cpu"
        assert ranges.is_contiguous()
        assert ranges.shape[1] == 2


def _points(pos, height, width):
    """Pixels with row 0 at y = -1, and the depth w."""
    x, y, _, w = pos.unbind(-1)
    return torch.stack([(x / w + 1) * width / 2, (y / w + 1) * height / 2, w], -1)


def rasterize(glctx, pos, tri, resolution, ranges=None, grad_db=True):
    assert isinstance(glctx, RasterizeCudaContext)
    assert grad_db is True or grad_db is False
    _checked(pos, tri, ranges)
    used = pos[:, tri.long()] if ranges is None else pos[tri.long()]
    assert bool((used[..., 2].abs() <= used[..., 3]).all())  # nothing is clipped away
    global _bounds
    bounds = _bounds = None if ranges is None else torch.stack([ranges[:, 0], ranges.sum(1)], 1).long()
    seen = ops.rasterize(_points(pos, *resolution), tri.long(), tuple(resolution), ranges=bounds)
    face = seen.face_id.long()
    if bounds is not None:
        face = torch.where(face >= 0, face + bounds[:, 0, None, None], -1)
    rast = torch.cat([seen.barycentric[..., :2], torch.zeros_like(face)[..., None], face[..., None] + 1.0], -1)
    # z/w is linear in the image: weigh by the barycentrics of 1/w, as 1/w is too
    z, w = (interpolate(x.contiguous(), rast, tri)[0] for x in (pos[..., 2:3], pos[..., 3:]))
    rast = torch.cat([rast[..., :2], torch.where(face[..., None] >= 0, z / w, 0.0).detach(), rast[..., 3:]], -1)
    return rast, torch.zeros_like(rast)


def interpolate(attr, rast, tri, rast_db=None, diff_attrs=None):
    assert attr.dtype == torch.float32
    assert attr.is_contiguous()
    face = rast[..., 3].long() - 1
    corners = tri.long()[face.clamp_min(0)]
    values = attr[corners] if attr.dim() == 2 else torch.stack([a[c] for a, c in zip(attr, corners)])
    first, second = rast[..., 0:1], rast[..., 1:2]
    mixed = first * values[..., 0, :] + second * values[..., 1, :] + (1 - first - second) * values[..., 2, :]
    return torch.where(face[..., None] >= 0, mixed, 0.0), None


def antialias(color, rast, pos, tri, topology_hash=None, pos_gradient_boost=1.0):
    assert color.dtype == rast.dtype == torch.float32
    assert color.is_contiguous()
    assert rast.is_contiguous()
    assert rast.shape == (*color.shape[:3], 4)
    height, width = color.shape[1:3]
    points = _points(pos, height, width)
    face = rast[..., 3].long() - 1
    bounds = _bounds if pos.dim() == 2 else None
    seen = ops.rasterize(points, tri.long(), (height, width), ranges=bounds)
    expected = seen.face_id if bounds is None else seen.face_id + bounds[:, 0, None, None]
    assert torch.equal(face >= 0, seen.face_id >= 0)
    assert torch.equal(face[face >= 0], expected[face >= 0].long())
    for own, depth, on in zip(rast[..., 2], seen.depth, face >= 0):  # only compared: they must be in the depths' order
        assert bool((own[on][depth[on].argsort()].diff() >= 0).all())
    topology = Topology(tri.long(), pos.shape[-2])
    return ops.antialias(color, seen.depth, points, tri.long(), topology.edges, topology.edge_faces, ranges=bounds)
