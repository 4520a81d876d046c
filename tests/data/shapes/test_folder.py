"""Folders of shapes, their lists, and the file they are packed into."""

import pickle

import numpy as np
import pytest
import torch

from invgraph import InputError
from invgraph.data import (
    PackedShapes,
    SampleOptions,
    ShapeFolder,
    find_meshes,
    pack_shapes,
    sample_shape,
    save_samples,
    write_splits,
)
from invgraph.geometry import icosphere

OPTIONS = SampleOptions(points=1003, near=501, cloud=300, voxels=8)
NAMES = ("balls/a", "balls/b", "balls/c", "balls/d", "eggs/a", "eggs/b")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six models in two categories."""
    root = tmp_path_factory.mktemp("shapes")
    for seed, name in enumerate(NAMES):
        save_samples(root / name, sample_shape(icosphere(2), OPTIONS, seed=seed))
    write_splits(root, {"train": 2, "val": 1, "test": 1})
    pack_shapes(ShapeFolder(root), root / "all.h5")
    return root


def test_categories_and_splits(made):
    assert ShapeFolder(made).models == NAMES
    assert ShapeFolder(made, categories=["eggs"]).models == ("eggs/a", "eggs/b")
    assert ShapeFolder(made / "eggs").models == ("a", "b")
    parts = [set(ShapeFolder(made, split=split).models) for split in ("train", "val", "test") if split != "val"]
    assert sorted(len((made / "balls" / f"{split}.lst").read_text().split()) for split in ("train", "val", "test")) == [
        1,
        1,
        2,
    ]
    assert not parts[0] & parts[1]


def test_missing_things_are_named(made, tmp_path):
    for call, words in (
        (lambda: ShapeFolder(tmp_path / "none"), "no such folder"),
        (lambda: ShapeFolder(tmp_path), "expected folders of models"),
        (lambda: ShapeFolder(made, categories=["cups"]), "no category 'cups'"),
        (lambda: ShapeFolder(made, split="dev"), r"dev\.lst: no such list"),
        (lambda: PackedShapes(tmp_path / "none.h5"), "no such file"),
    ):
        with pytest.raises(InputError, match=words):
            call()


@pytest.mark.parametrize(("line", "words"), [("gone", "'gone', which is not there"), ("../x", "names of folders")])
def test_a_list_of_what_is_not_there_is_refused(made, tmp_path, line, words):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "points.npz").touch()
    (tmp_path / "train.lst").write_text(f"a\n{line}\n")
    with pytest.raises(InputError, match=words):
        ShapeFolder(tmp_path, split="train")


def rows(*columns):
    """Rows as a sorted list, to compare sets of points."""
    return sorted(map(tuple, torch.cat([c.reshape(len(c), -1).double() for c in columns], 1).tolist()))


def test_packed_models_are_those_of_the_folder(made):
    folder, packed = ShapeFolder(made), PackedShapes(made / "all.h5")
    assert packed.models == folder.models
    assert packed.parts == ("points", "near", "cloud", "voxels")
    for i in (0, 5):
        a, b = folder.points(i), packed.points(i)
        assert rows(a.points, a.occupancies) == rows(b.points, b.occupancies)
        a, b = folder.near(i), packed.near(i)
        assert rows(a.points, a.occupancies, a.sigmas) == rows(b.points, b.occupancies, b.sigmas)
        a, b = folder.cloud(i), packed.cloud(i)
        assert rows(a.points) == rows(b.points)
        assert torch.equal(folder.voxels(i).filled, packed.voxels(i).filled)
        assert torch.equal(a.loc, b.loc)
        assert a.scale == b.scale


def test_packed_samples_are_random_and_reach_every_point(made):
    packed, folder = PackedShapes(made / "all.h5"), ShapeFolder(made)
    truth = set(rows(folder.points(2).points, folder.points(2).occupancies))
    generator, reached = torch.Generator().manual_seed(0), set()
    for _ in range(60):
        sample = packed.points(2, 200, generator=generator)
        found = rows(sample.points, sample.occupancies)
        assert len(set(found)) == 200
        assert set(found) <= truth
        reached |= set(found)
    assert reached == truth
    again = [packed.near(1, 20, generator=7).points for _ in range(2)]
    assert torch.equal(*again)
    with pytest.raises(ValueError, match="count: expected 1 to 300"):
        packed.cloud(0, 301)
    with pytest.raises(IndexError):
        packed.points(6)


def test_packed_shapes_go_to_other_processes(made):
    packed = PackedShapes(made / "all.h5")
    packed.points(0)
    other = pickle.loads(pickle.dumps(packed))
    assert torch.equal(other.points(3, 8, generator=1).points, packed.points(3, 8, generator=1).points)


def test_broken_packs_are_named(made, tmp_path):
    import h5py

    path, whole = tmp_path / "b.h5", (made / "all.h5").read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"b\.h5"):
            PackedShapes(path)
    with h5py.File(path, "w") as file:
        file["models"] = np.zeros(3)
    with pytest.raises(InputError, match="'format' is None"):
        PackedShapes(path)
    path.write_bytes(whole)
    with h5py.File(path, "a") as file:
        file["near/points"].resize(100, axis=0)
    with pytest.raises(InputError, match="'near/points' has 100 rows"):
        PackedShapes(path)


def test_what_some_models_lack_is_not_packed(tmp_path):
    for name, options in (("a", OPTIONS), ("b", SampleOptions(points=10, near=0, cloud=0, voxels=0))):
        save_samples(tmp_path / name, sample_shape(icosphere(1), options))
    pack_shapes(ShapeFolder(tmp_path), tmp_path / "p.h5")
    packed = PackedShapes(tmp_path / "p.h5")
    assert packed.parts == ("points",)
    assert [len(packed.points(i)) for i in (0, 1)] == [1003, 10]
    with pytest.raises(ValueError, match="near: expected one of points"):
        packed.near(0)
    (tmp_path / "b" / "points.npz").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"b/points\.npz"):
        pack_shapes(ShapeFolder(tmp_path), tmp_path / "p.h5")
    assert len(PackedShapes(tmp_path / "p.h5")) == 2  # the file that was there
    assert not list(tmp_path.glob(".p*"))


def test_models_are_named_for_their_files(tmp_path):
    for path in ("chairs/1a/models/m.obj", "chairs/1b/models/m.obj", "lamps/1a/models/m.obj"):
        (tmp_path / "net" / path).parent.mkdir(parents=True)
        (tmp_path / "net" / path).touch()
    assert list(find_meshes([tmp_path / "net"])) == ["chairs/1a", "chairs/1b", "lamps/1a"]
    assert list(find_meshes([tmp_path / "net" / "chairs"])) == ["1a", "1b"]
    file = tmp_path / "net" / "chairs" / "1a" / "models" / "m.obj"
    assert find_meshes([file]) == {"m": file}
    with pytest.raises(InputError, match=r"would be the model 'm', as"):
        find_meshes([file, tmp_path / "m.ply"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no mesh files"):
        find_meshes([tmp_path / "empty"])
