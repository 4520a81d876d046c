"""The bar that long work shows."""

from invgraph.progress import Bar


def test_a_bar_says_what_where_and_how_good(capsys):
    with Bar("fit") as bar:
        for step in range(1, 4):
            bar(step, 3, {"loss": 0.5 / step, "iou": 0.25})
    printed = capsys.readouterr().out
    assert "fit" in printed
    assert "3/3" in printed
    assert "loss 0.16667  iou 0.25000" in printed


def test_a_bar_that_was_never_told_anything_says_nothing(capsys):
    with Bar():
        pass
    assert capsys.readouterr().out.strip() == ""
