"""Custom ops behave under torch's own checks, torch.compile and many Python threads."""

from concurrent.futures import ThreadPoolExecutor

import torch
from scenes import project

from invgraph import ops
from invgraph.geometry import icosphere

MESH = icosphere(1)


def outputs(points):
    topology = MESH.topology
    alpha = ops.soft_silhouette(points[..., :2], MESH.faces, (20, 24), 1.5)
    face_id, barycentric, depth = ops.rasterize(points, MESH.faces, (20, 24))
    image = torch.cat([(face_id >= 0).to(points.dtype)[..., None], barycentric], -1)
    return alpha, ops.antialias(image, depth, points, MESH.faces, topology.edges, topology.edge_faces)


def test_opcheck():
    points = project(MESH, 20).requires_grad_()
    topology = MESH.topology
    depth = ops.rasterize(points, MESH.faces, (20, 20)).depth.detach()
    image = torch.rand(1, 20, 20, 2, dtype=torch.float64, requires_grad=True)
    for op, arguments in [
        (
            torch.ops.invgraph.soft_silhouette,
            (points[..., :2].detach().requires_grad_(), MESH.faces, None, 20, 20, 1.5, 9.0),
        ),
        (torch.ops.invgraph.rasterize, (points, MESH.faces, None, 20, 20, True)),
        (torch.ops.invgraph.antialias, (image, depth, points, MESH.faces, None, topology.edges, topology.edge_faces)),
    ]:
        torch.library.opcheck(op, arguments)


def test_compiles_into_one_graph():
    topology = MESH.topology  # computed before, so that the graph holds the primitives alone
    assert topology.edges.shape[1] == topology.edge_faces.shape[1]
    points = project(MESH, 20).requires_grad_()
    compiled = torch.compile(lambda p: sum(x.square().sum() for x in outputs(p)), fullgraph=True, backend="aot_eager")
    (ours,) = torch.autograd.grad(compiled(points), points)
    (eager,) = torch.autograd.grad(sum(x.square().sum() for x in outputs(points)), points)
    torch.testing.assert_close(ours, eager)


def test_python_threads():
    """Kernels hold no state and no lock: calls from several threads give what one thread gives."""
    points = [project(MESH, 20, shift=(0.05 * k, 0, 0)) for k in range(8)]
    alone = [outputs(p) for p in points]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(outputs, points))
    for a, b in zip(alone, together):
        assert all(torch.equal(x, y) for x, y in zip(a, b))
