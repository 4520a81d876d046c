"""points.npz and pointcloud.npz: as the original files have them, there and back, and broken."""

import numpy as np
import pytest
import torch

from invgraph import InputError
from invgraph.data import ShapeCloud, ShapePoints, load_pointcloud, load_points, save_pointcloud, save_points

N = 1003  # not whole bytes


def arrays():
    """What the files of Occupancy Networks hold."""
    rng = np.random.default_rng(0)
    return {
        "points": (1.1 * (rng.random((N, 3)) - 0.5)).astype(np.float16),
        "occupancies": np.packbits(rng.random(N) < 0.3),
        "loc": np.array([1.0, -2.0, 1e-9]),
        "scale": np.array(2.5),
    }


def cloud_arrays():
    rng = np.random.default_rng(0)
    return {**arrays(), "normals": rng.standard_normal((N, 3)).astype(np.float16)}


def test_an_original_file_is_read(tmp_path):
    np.savez(tmp_path / "points.npz", **arrays())
    read = load_points(tmp_path / "points.npz")
    truth = np.unpackbits(arrays()["occupancies"])[:N].astype(bool)
    assert read.points.dtype == torch.float32
    assert np.array_equal(read.points.numpy(), arrays()["points"].astype(np.float32))
    assert np.array_equal(read.occupancies.numpy(), truth)
    assert read.loc.tolist() == [1.0, -2.0, 1e-9]
    assert read.scale == 2.5
    assert read.sigmas is None


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
def test_occupancies_that_are_not_packed_are_read_too(tmp_path, kind):
    truth = np.unpackbits(arrays()["occupancies"])[:N]
    np.savez(tmp_path / "p.npz", **{**arrays(), "occupancies": truth.astype(kind)})
    assert np.array_equal(load_points(tmp_path / "p.npz").occupancies.numpy(), truth.astype(bool))


def test_noise_moves_points_of_float16_alone(tmp_path):
    np.savez(tmp_path / "half.npz", **arrays())
    np.savez(tmp_path / "full.npz", **{**arrays(), "points": arrays()["points"].astype(np.float32)})
    exact = load_points(tmp_path / "half.npz").points
    moved = load_points(tmp_path / "half.npz", noise=1e-4, generator=3).points
    assert 0.9e-4 < float((moved - exact).std()) < 1.1e-4
    assert torch.equal(moved, load_points(tmp_path / "half.npz", noise=1e-4, generator=3).points)
    assert torch.equal(load_points(tmp_path / "full.npz", noise=1e-4).points, exact)


@pytest.mark.parametrize("sigmas", [None, torch.tensor([0.1, 0.01, 0.1])])
def test_points_there_and_back(tmp_path, sigmas):
    points = torch.tensor([[0.0, 0.5, -0.25], [0.1, 0.2, 0.3], [-0.55, 0.55, 0.0]]).half().float()
    inside = torch.tensor([True, False, True])
    save_points(tmp_path / "p.npz", ShapePoints(points, inside, torch.ones(3).double(), 0.5, sigmas))
    read = load_points(tmp_path / "p.npz")
    assert torch.equal(read.points, points)
    assert torch.equal(read.occupancies, inside)
    assert read.sigmas is None if sigmas is None else torch.equal(read.sigmas, sigmas)
    with np.load(tmp_path / "p.npz") as file:  # as others expect it
        assert file["points"].dtype == np.float16
        assert file["occupancies"].tolist() == [0b10100000]
        assert file["loc"].shape == (3,)
        assert file["scale"].shape == ()


def test_a_cloud_there_and_back_has_unit_normals(tmp_path):
    normals = torch.nn.functional.normalize(torch.randn(50, 3), dim=1)
    save_pointcloud(tmp_path / "c.npz", ShapeCloud(torch.rand(50, 3), normals, torch.zeros(3).double(), 1.0))
    read = load_pointcloud(tmp_path / "c.npz")
    torch.testing.assert_close(torch.linalg.vector_norm(read.normals, dim=1), torch.ones(50))
    torch.testing.assert_close(read.normals, normals, atol=1e-3, rtol=0)


def test_values_beyond_float16_are_not_written(tmp_path):
    points = ShapePoints(torch.full((1, 3), 1e6), torch.ones(1, dtype=torch.bool), torch.zeros(3), 1.0)
    with pytest.raises(ValueError, match="points: expected values within float16, got up to 1000000"):
        save_points(tmp_path / "p.npz", points)
    assert not list(tmp_path.iterdir())


def changed(key, value):
    def change(content):
        content[key] = value(content[key]) if callable(value) else value

    return change


def overflow(points):
    with np.errstate(over="ignore"):
        return (points.astype(np.float32) * 1e6).astype(np.float16)


BROKEN = {
    "no points": (lambda a: a.pop("points"), "'points', got loc, occupancies, scale"),
    "no occupancies": (lambda a: a.pop("occupancies"), "'occupancies'"),
    "no scale": (lambda a: a.pop("scale"), "'scale'"),
    "a byte too few": (changed("occupancies", lambda o: o[:-1]), "'occupancies' has 125 bytes, 1003 points need 126"),
    "bits of more points": (
        changed("occupancies", lambda o: o | 1),
        "'occupancies' has bits set beyond its 1003 points",
    ),
    "as many values": (changed("occupancies", np.zeros(7, bool)), "'occupancies' has 7 values for 1003"),
    "not 0 and 1": (changed("occupancies", np.full(N, 0.5)), "'occupancies' has values other"),
    "two axes": (changed("occupancies", np.zeros((N, 1))), "'occupancies' has shape (1003, 1)"),
    "text": (changed("occupancies", np.full(N, "x")), "'occupancies' is <U1"),
    "overflow": (changed("points", overflow), "'points' has 1003 of 1003 rows that are not finite, as after an overf"),
    "NaN": (changed("points", lambda p: np.where(np.arange(N)[:, None] == 5, np.nan, p)), "'points' has 1 of 1003"),
    "flat points": (changed("points", lambda p: p.reshape(-1)), "'points' has shape (3009,)"),
    "no rows": (changed("points", lambda p: p[:0]), "'points' has shape (0, 3)"),
    "whole numbers": (changed("points", lambda p: p.astype(np.int32)), "'points' is int32"),
    "loc of two": (changed("loc", np.zeros(2)), "'loc' is float64 of shape (2,)"),
    "scale zero": (changed("scale", np.array(0.0)), "'scale' is 0.0"),
    "scale NaN": (changed("scale", np.array(np.nan)), "'scale' is not finite"),
    "sigmas alone": (changed("sigmas", np.ones(1)), "'sigmas' and 'sigma_index'"),
    "an object": (changed("loc", np.array([{}, 1, 2], object)), "not a readable npz"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_points_are_named(tmp_path, fault):
    damage, words = BROKEN[fault]
    content = arrays() | ({"sigmas": None} if "sigma" in fault else {})
    damage(content)
    np.savez(tmp_path / "points.npz", **content)
    with pytest.raises(InputError) as error:
        load_points(tmp_path / "points.npz")
    assert str(tmp_path / "points.npz") in str(error.value)
    assert words in str(error.value)


def test_broken_sigmas_and_normals_are_named(tmp_path):
    np.savez(tmp_path / "p.npz", **arrays(), sigmas=np.ones(2), sigma_index=np.full(N, 2))
    with pytest.raises(InputError, match="'sigma_index' goes from 2 to 2, with 2 sigmas"):
        load_points(tmp_path / "p.npz")
    np.savez(tmp_path / "c.npz", **{**cloud_arrays(), "normals": np.ones((N - 1, 3))})
    with pytest.raises(InputError, match="'normals' has 1002 rows for 1003 points"):
        load_pointcloud(tmp_path / "c.npz")
    np.savez(tmp_path / "c.npz", **{**cloud_arrays(), "normals": np.zeros((N, 3))})
    with pytest.raises(InputError, match="'normals' has 1003 rows without a direction"):
        load_pointcloud(tmp_path / "c.npz")


def test_every_truncation_and_foreign_file_is_named(tmp_path):
    path = tmp_path / "points.npz"
    np.savez_compressed(path, **arrays())
    whole = path.read_bytes()
    foreign = [b"", b"no zip at all", whole[:100] + b"\0" * 400 + whole[500:]]
    for content in [whole[:cut] for cut in range(1, len(whole), len(whole) // 23)] + foreign:
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"points\.npz"):
            load_points(path)
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"single\.npy: expected an npz archive"):
        load_points(tmp_path / "single.npy")
    with pytest.raises(InputError, match="no such file"):
        load_points(tmp_path / "missing.npz")
