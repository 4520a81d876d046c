import pytest
import torch

from invgraph import InputError
from invgraph.checkpoint import load_checkpoint, save_checkpoint


def test_round_trip_replaces_and_leaves_nothing_beside(tmp_path):
    path = tmp_path / "run" / "checkpoint.pt"
    for value in (1, 2):
        save_checkpoint(path, {"x": torch.tensor(value), "names": ["a"]})
    assert load_checkpoint(path)["x"] == 2
    assert [p.name for p in path.parent.iterdir()] == ["checkpoint.pt"]


def test_a_failed_write_keeps_the_old_one(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"x": 1})
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, {"x": lambda: None})
    assert load_checkpoint(path)["x"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_broken_files_are_input_errors(tmp_path):
    path = tmp_path / "checkpoint.pt"
    with pytest.raises(InputError, match="no checkpoint"):
        load_checkpoint(path)
    save_checkpoint(path, {"x": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="not a readable checkpoint"):
        load_checkpoint(path)
    torch.save({"version": 99}, path)
    with pytest.raises(InputError, match="version 99"):
        load_checkpoint(path)
