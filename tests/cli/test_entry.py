"""From arguments to an exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import invgraph
from invgraph.cli import main
from invgraph.cli.compare import Compare
from invgraph.cli.output import lasting_output


def test_overview_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("fit", "compare", "render", "doctor"))
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"invgraph {invgraph.__version__}\n"
    assert main([]) == 2


@pytest.mark.parametrize("command", ["fit", "compare", "render", "doctor"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"usage: invgraph {command}" in capsys.readouterr().out


def test_a_group_of_commands_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--help"]) == 0
    listed = capsys.readouterr().out
    assert listed.startswith("commands of 'data'")
    assert "data pack" in listed
    assert "doctor" not in listed
    assert main(["data"]) == 2
    assert capsys.readouterr().err == listed


def test_unknown_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fti"]) == 2
    assert capsys.readouterr().err == "invgraph: error: unknown command 'fti'; did you mean 'fit'?\n"
    assert main(["compare", "a.ply", "b.ply", "--sed", "1"]) == 2
    assert "--sed" in capsys.readouterr().err
    assert main(["compare", "a.ply"]) == 2
    assert "TRUTH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ValueError("a:\n  expected b"), 2, "invgraph compare: error: a: expected b\n"),
        (OSError(28, "No space left on device", "mesh.ply"), 2, "error: mesh.ply: No space left on device\n"),
        (KeyboardInterrupt(), 130, "invgraph compare: interrupted\n"),
    ],
)
def test_errors_are_one_sentence(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(self: Compare) -> int:
        raise error

    monkeypatch.setattr(Compare, "run", run)
    monkeypatch.delenv("INVGRAPH_DEBUG", raising=False)
    assert main(["compare", "a.ply", "b.ply"]) == status
    assert capsys.readouterr().err.endswith(said)
    if status == 2:
        monkeypatch.setenv("INVGRAPH_DEBUG", "1")
        assert main(["compare", "a.ply", "b.ply"]) == status
        assert "Traceback" in capsys.readouterr().err


def test_an_error_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Compare) -> int:
        raise AssertionError("a fault of the program")

    monkeypatch.setattr(Compare, "run", run)
    with pytest.raises(AssertionError):
        main(["compare", "a.ply", "b.ply"])


def test_as_a_module_without_torch() -> None:
    """The overview answers at once: nothing heavy is imported for it."""
    code = "import sys, invgraph.cli as c; s = c.main(['--help']); sys.exit(s or 'torch' in sys.modules)"
    root = Path(invgraph.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, stdout=subprocess.DEVNULL)
    done = subprocess.run([sys.executable, "-m", "invgraph", "--version"], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[0]) == (0, "invgraph")


def test_the_work_goes_on_when_nobody_reads_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with lasting_output():
            print("first", flush=True)
            print("second: \u2013 \udcff", flush=True)
