import pytest
import torch

from invgraph.viz import Card, Group, Panel, Table, class_colors, scatter, write_gallery

EVIL = "<script>alert('x')</script>"


def test_a_gallery_is_complete_and_escaped(tmp_path):
    picture = torch.rand(8, 8, 4)
    path = write_gallery(
        tmp_path / "page.html",
        kind="evaluation",
        title=EVIL,
        leads=[("share", 0.123456)],
        tables=[Table(EVIL, ["class", "a"], [[EVIL, 1.0], ["mean", None]])],
        groups=[Group("best", [Card("one", "IoU 1", [("input", picture), ("mask", picture[..., 3])], [EVIL])])],
        panels=[Panel("codes", torch.rand(9, 9, 3), [(EVIL, (1, 0, 0))])],
    )
    page = path.read_text()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5
    assert page.count("<img") == 3
    assert "0.1235" in page
    assert "#ff0000" in page
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(ValueError, match="rows of 2"):
        write_gallery(path, kind="x", title="x", tables=[Table("t", ["a", "b"], [["c"]])])
    with pytest.raises(ValueError, match="picture"):
        write_gallery(path, kind="x", title="x", panels=[Panel("p", torch.rand(3, 3, 2))])


def test_points_are_where_they_should_be_in_their_colours():
    colors = class_colors(13)
    assert len(set(colors)) == 13
    points = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    picture = scatter(points, torch.tensor([0, 5]), colors, size=100)
    assert picture.shape == (100, 100, 3)
    torch.testing.assert_close(picture[97, 3], torch.tensor(colors[0]), atol=0.01, rtol=0)
    torch.testing.assert_close(picture[3, 97], torch.tensor(colors[5]), atol=0.01, rtol=0)
    assert scatter(points, torch.tensor([0, 1]), colors, names=["class"] * 13, size=300).shape[0] > 300
    with pytest.raises(ValueError, match="groups"):
        scatter(points, torch.zeros(3), colors)
