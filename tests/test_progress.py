"""The bar that long work shows, and the lines that it writes into logs."""

import pytest

from invgraph import progress
from invgraph.progress import Bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that is moved by hand."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
    return Clock


def test_a_bar_says_what_where_and_how_good(capsys, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich: draw as on a terminal
    monkeypatch.setenv("COLUMNS", "120")
    with Bar("fit") as bar:
        for step in range(1, 4):
            bar(step, 3, {"loss": 0.5 / step, "iou": 0.25})
    printed = capsys.readouterr().out
    assert "fit" in printed
    assert "3/3" in printed
    assert "loss 0.16667  iou 0.25000" in printed


def test_logs_get_a_line_now_and_then(capsys, clock):
    with Bar("train") as bar:
        for step in range(1, 101):
            bar(step, 400, {"loss": 0.5})
            clock.now += 1
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 3
        assert lines[0] == "train 31/400  loss 0.50000  6 min left"
        bar.update(description="eval", completed=1, total=3)
        assert capsys.readouterr().out == ""
    assert capsys.readouterr().out.splitlines() == ["eval 1/3  loss 0.50000"]


def test_a_resumed_run_tells_its_own_pace(capsys, clock):
    bar = Bar("train")
    bar.update(completed=9_000, total=10_000)
    clock.now += 60
    bar.update(completed=9_100)
    assert capsys.readouterr().out == "train 9,100/10,000  9 min left\n"


def test_short_work_tells_its_end_and_none_nothing(capsys):
    with Bar():
        pass
    assert capsys.readouterr().out == ""
    with Bar("fit") as bar:
        bar(3, 3, {})
    assert capsys.readouterr().out == "fit 3/3\n"
