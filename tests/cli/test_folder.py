"""The output folder: refused in time, filled whole or left as it was found."""

from pathlib import Path

import pytest

from invgraph.cli.folder import check_folder, filled_folder
from invgraph.errors import InputError

NAMES = ("mesh.ply", "options.json", "checkpoints")


def snapshot(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def test_a_new_folder_is_not_made_by_the_check(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b", NAMES, overwrite=False)
    assert snapshot(tmp_path) == set()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    for out in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(InputError, match="taken is not a folder"):
            check_folder(out, NAMES, overwrite=True)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="dangling is not a folder"):
        check_folder(tmp_path / "dangling", NAMES, overwrite=True)


def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(InputError, match="cannot"):
        check_folder(Path("/proc/invgraph"), NAMES, overwrite=False)


def test_a_run_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    check_folder(tmp_path, NAMES, overwrite=False)
    with pytest.raises(InputError, match="no run to resume"):
        check_folder(tmp_path, NAMES, overwrite=False, resume=True)
    (tmp_path / "mesh.ply").write_text("old")
    with pytest.raises(InputError, match=r"already holds results \(mesh.ply\).*--overwrite$"):
        check_folder(tmp_path, NAMES, overwrite=False)
    with pytest.raises(InputError, match=r"already holds results \(mesh.ply\).*--overwrite or --resume"):
        check_folder(tmp_path, NAMES, overwrite=False, resume=False)
    with pytest.raises(InputError, match="choose one"):
        check_folder(tmp_path, NAMES, overwrite=True, resume=True)
    check_folder(tmp_path, NAMES, overwrite=True)
    with filled_folder(tmp_path, NAMES):
        assert not (tmp_path / "mesh.ply").exists()
    assert snapshot(tmp_path) == {"notes.txt"}


def half_fill(out: Path, *, keep: tuple[str, ...] = (), fresh: bool = True) -> None:
    with filled_folder(out, NAMES, keep=keep, fresh=fresh):
        (out / "options.json").write_text("{}")
        (out / "checkpoints").mkdir(exist_ok=True)
        raise ValueError("failed")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="failed"):
        half_fill(tmp_path / "a" / "b")
    assert snapshot(tmp_path) == set()


def test_a_failure_puts_back_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "mesh.ply").write_text("old")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "1").write_text("old")
    with pytest.raises(ValueError, match="failed"):
        half_fill(tmp_path)
    assert snapshot(tmp_path) == {"mesh.ply", "checkpoints", "checkpoints/1"}


def test_a_failure_with_a_checkpoint_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="failed"):
        half_fill(tmp_path / "run", keep=("checkpoints",))
    assert snapshot(tmp_path / "run") == {"options.json", "checkpoints"}


@pytest.mark.parametrize("fresh", [True, False])
def test_what_a_killed_run_had_put_away_is_found_again(tmp_path: Path, fresh: bool) -> None:
    (tmp_path / "mesh.ply").write_text("old")
    running = filled_folder(tmp_path, NAMES, keep=("checkpoints",))
    running.__enter__()
    (tmp_path / "options.json").write_text("{}")  # and is killed
    with pytest.raises(InputError, match="already holds results"):
        check_folder(tmp_path, NAMES, overwrite=False)
    with pytest.raises(ValueError, match="failed"):
        half_fill(tmp_path, keep=("checkpoint.pt",), fresh=fresh)
    assert snapshot(tmp_path) == {"mesh.ply"}
    running.gen.close()  # type: ignore[attr-defined]


def test_a_failure_of_a_run_that_goes_on_removes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mesh.ply").write_text("old")
    with pytest.raises(ValueError, match="failed"):
        half_fill(tmp_path, keep=("checkpoint.pt",), fresh=False)
    assert "mesh.ply" in snapshot(tmp_path)
