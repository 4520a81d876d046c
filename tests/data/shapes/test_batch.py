"""Many files at once: the same bytes, failures alone, going on."""

import os
import signal

import pytest

from invgraph import InputError, save_mesh
from invgraph.data import SampleOptions, sample_meshes
from invgraph.data.shapes.workers import run_jobs
from invgraph.geometry import icosphere
from invgraph.interrupt import Interrupt

OPTIONS = SampleOptions(points=100, near=100, cloud=100, voxels=8)
FILES = ("points.npz", "points_near.npz", "pointcloud.npz", "model.binvox")


@pytest.fixture
def meshes(tmp_path):
    """Three spheres, and two files that are none."""
    found = {}
    for name in ("a", "b", "c"):
        save_mesh(tmp_path / f"{name}.ply", icosphere(2))
        found[name] = tmp_path / f"{name}.ply"
    (tmp_path / "bad.obj").write_text("v 0 0 0\n")
    return found | {"bad": tmp_path / "bad.obj", "gone": tmp_path / "gone.ply"}


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_processes_neither_change_bytes_nor_fail_together(meshes, tmp_path):
    alone = sample_meshes({"c": meshes["c"]}, tmp_path / "alone", OPTIONS)
    together = sample_meshes(meshes, tmp_path / "both", OPTIONS, workers=2)
    assert sorted(together.done) == ["a", "b", "c"]
    assert set(together.failed) == {"bad", "gone"}
    assert str(meshes["bad"]) in together.failed["bad"]
    assert "no such mesh file" in together.failed["gone"]
    assert not together.interrupted
    both = contents(tmp_path / "both")
    assert set(both) == {f"{name}/{file}" for name in "abc" for file in FILES}
    assert alone.done == ["c"]
    assert {k: v for k, v in both.items() if k.startswith("c/")} == contents(tmp_path / "alone")
    assert both["a/points.npz"] != both["b/points.npz"]  # each has its own random numbers


def test_it_stops_after_a_model_and_goes_on(meshes, tmp_path):
    out = tmp_path / "out"

    def interrupt(report, total):
        if report.done:
            os.kill(os.getpid(), signal.SIGINT)

    first = sample_meshes(meshes, out, OPTIONS, progress=interrupt)
    assert first.interrupted
    assert first.done == ["a"]
    (out / "b").mkdir()
    (out / "b" / "points.npz").write_bytes(b"of a run that died")
    before = (out / "a" / "points.npz").stat().st_mtime_ns
    second = sample_meshes(meshes, out, OPTIONS)
    assert second.skipped == ["a"]
    assert second.done == ["b", "c"]
    assert (out / "a" / "points.npz").stat().st_mtime_ns == before
    assert contents(out) == (sample_meshes(meshes, tmp_path / "whole", OPTIONS), contents(tmp_path / "whole"))[1]


def test_a_process_that_dies_takes_no_other_with_it():
    jobs = ["1 + 1", "__import__('os')._exit(3)", "1 / 0", "__import__('os').kill(__import__('os').getpid(), 9)"]
    with Interrupt() as interrupt:
        found = {o.job: (o.result, o.failure) for o in run_jobs(eval, jobs, workers=2, interrupt=interrupt)}
    assert found == {
        jobs[0]: (2, None),
        jobs[1]: (None, "its process ended (exit status 3)"),
        jobs[2]: (None, "ZeroDivisionError: division by zero"),
        jobs[3]: (None, "its process ended (killed by SIGKILL, out of memory perhaps)"),
    }


@pytest.mark.parametrize("name", ["../x", "/x", ""])
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(InputError, match="expected a path inside"):
        sample_meshes({name: tmp_path / "a.ply"}, tmp_path)
