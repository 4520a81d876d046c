"""What the Python side of the CUDA primitives promises beside results: errors, and what it knows of index tensors."""

import subprocess
import sys

import pytest
import torch

from invgraph.ops.cuda import _batch, _memo, soft_silhouette


def draw(points, faces, size=(8, 8), ranges=None):
    return soft_silhouette.forward(points, faces, ranges, *size, 1.0, 9.2)


def test_bad_indices_and_ranges_are_named(emulated):
    points, faces = torch.zeros(1, 3, 2), torch.tensor([[0, 1, 2]])
    for bad, corner in ((3, [[0, 1, 3]]), (-1, [[0, -1, 2]])):
        with pytest.raises(ValueError, match=rf"faces: expected indices within 0..2, got {bad}"):
            draw(points, torch.tensor(corner))
    for bad in ([[0, 2]], [[-1, 1]], [[1, 0]], [[0, 1], [0, 1]]):
        with pytest.raises(ValueError, match=r"ranges: expected ascending, not overlapping ranges within 0..1"):
            draw(points[0], faces, ranges=torch.tensor(bad))


def test_an_index_tensor_that_changes_is_checked_again(emulated):
    points, faces = torch.zeros(1, 3, 2), torch.tensor([[0, 1, 2]])
    draw(points, faces)
    faces[0, 0] = 5
    with pytest.raises(ValueError, match="got 5"):
        draw(points, faces)


def test_a_kernel_never_follows_a_bad_index(emulated, monkeypatch):
    """Backward passes do not check again, and raw writes escape the memory of checks: such a face is not drawn."""
    monkeypatch.setattr(soft_silhouette, "check_batch", lambda *_: None)
    points = torch.tensor([[[1.0, 1.0], [6.0, 1.0], [1.0, 6.0]]])
    faces, wild = torch.tensor([[0, 1, 2], [0, 1, 2]]), torch.tensor([[0, 1, 2], [0, 1, 2**40]])
    alpha, transmittance = draw(points, wild)
    assert torch.equal(alpha, draw(points, faces[:1])[0])
    grad = soft_silhouette.backward(points, wild, None, 1.0, 9.2, transmittance, torch.ones_like(alpha))
    assert grad.isfinite().all()


def test_too_many_pairs_are_an_error_and_not_a_wrong_picture(emulated, monkeypatch):
    points, faces = torch.tensor([[[0.0, 0.0], [90.0, 0.0], [0.0, 90.0]]]), torch.tensor([[0, 1, 2]])
    monkeypatch.setattr(_batch, "LIMIT", 30)
    with pytest.raises(ValueError, match=r"fewer than 2\^31 pairs of face and 16\^2 tile, got 36"):
        draw(points, faces.repeat(4, 1), (40, 40))
    with pytest.raises(ValueError, match=r"fewer than 2\^31 tiles of 16\^2 pixels, got 36"):
        draw(points, faces, (90, 90))


def test_memory_that_runs_out_is_named(emulated, monkeypatch):
    def no_memory(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    points, faces = torch.rand(1, 3, 2), torch.tensor([[0, 1, 2]])
    monkeypatch.setattr(torch, "sort", no_memory)
    with pytest.raises(MemoryError, match=r"soft_silhouette: \d+ pairs of face and 16\^2 tile do not fit"):
        draw(points, faces)


def test_the_order_of_corners_is_remembered_while_the_faces_live(emulated):
    faces = torch.tensor([[0, 1, 2], [2, 1, 3]])
    order, begin = _memo.corner_order(faces, 5)
    assert order.tolist() == [0, 1, 4, 2, 3, 5]
    assert begin.tolist() == [0, 1, 3, 5, 6, 6]
    assert _memo.corner_order(faces, 5)[0] is order
    before = len(_memo._known)
    del faces
    assert len(_memo._known) == before - 1


def test_without_the_module_the_error_says_what_to_do():
    code = (
        "import sys; sys.modules['invgraph.ops._native_cuda'] = None\n"
        "import importlib.util, torch\n"
        "from invgraph.ops.cuda import _launch\n"
        "_launch.import_module = lambda name: (_ for _ in ()).throw(ModuleNotFoundError(name=name))\n"
        "try: _launch.kernels()\n"
        "except RuntimeError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "built without CUDA" in said
    assert "INVGRAPH_CUDA=on" in said
