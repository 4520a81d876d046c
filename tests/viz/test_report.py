"""The report page: complete in itself, escaped, numbers right, size bounded."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from invgraph.viz import ViewPictures, write_report
from invgraph.viz.chart import bar_chart, line_chart

EVIL = "<script>alert('x')</script> & \"co\""


class _Checker(HTMLParser):
    """Counts tags, collects what the page would load, and checks that tags nest."""

    VOID = frozenset(("meta", "img", "br", "line", "rect", "polyline", "polygon", "circle"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.images: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.loads += [value for key, value in attrs if key in ("src", "href", "poster", "srcset")]
        self.images += [value for key, value in attrs if tag == "img" and key == "src"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_data(self, data):
        self.text += data


def _pictures(count: int, size: tuple[int, int] = (24, 32), **more) -> ViewPictures:
    masks = torch.zeros(count, *size)
    masks[:, 4:12, 8:24] = 1
    alphas = torch.zeros(count, *size)
    alphas[:, 4:12, 8:20] = 1  # 12 of 16 columns: IoU 0.75
    return ViewPictures([f"view {i} {EVIL}" for i in range(count)], masks, alphas, **more)


def _read(path) -> tuple[str, _Checker]:
    page = path.read_text(encoding="utf-8")
    checker = _Checker()
    checker.feed(page)
    assert checker.open == []
    return page, checker


def test_page_is_complete_escaped_and_right(tmp_path):
    video = tmp_path / "turn.mp4"
    video.write_bytes(b"not really a video")
    train = _pictures(3, images=np.random.default_rng(0).random((3, 24, 32, 3)), renders=torch.rand(3, 24, 32, 4))
    known = torch.ones(2, 24, 32, dtype=torch.bool)
    known[:, :, 16:] = False  # of what is known, 8 of 8 columns agree
    path = write_report(
        tmp_path / "report.html",
        title=EVIL,
        subtitle=EVIL,
        train=train,
        held=_pictures(2, known=known),
        headline={"seconds": 21.437, "vertices": 10012, "closed": True, EVIL: EVIL},
        curves={EVIL: {EVIL: (range(1000), np.geomspace(1, 1e-3, 1000)), "empty": ([], [])}},
        stages=[(0, EVIL), (500, "precise")],
        metrics={"seconds": {"hull": 1.5, "deep": {"er": np.float32(2.5)}}, "missing": None, "list": [1, 2.5]},
        options={EVIL: EVIL},
        turntable=video,
    )
    page, checker = _read(path)
    assert page.count("<script") == 1  # our own, none of the names
    assert "alert('x')</script>" not in page
    assert all(url.startswith(("data:image/", "data:video/mp4;", "#")) for url in checker.loads)
    assert not re.search(r"https?://", page)
    assert base64.b64encode(video.read_bytes()).decode() in page
    for text in ("0.7500", "1.0000", "21.44", "10,012", "yes", "deep · er", "1, 2.5", "precise", "–", EVIL):
        assert text in checker.text
    assert len(checker.images) == 3 * 4 + 2 * 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "turn.mp4"]


def test_pictures_are_reduced_to_keep_the_page_small(tmp_path):
    noise = torch.rand(12, 200, 300, 3)
    views = ViewPictures(
        [str(i) for i in range(12)], torch.rand(12, 200, 300).round(), torch.rand(12, 200, 300), images=noise
    )
    sizes = []
    for limit in (10.0, 0.6):
        path = write_report(tmp_path / "report.html", title="noise", train=views, max_megabytes=limit)
        assert path.stat().st_size < limit * 1e6
        uri = _read(path)[1].images[0]
        sizes.append(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).size)
    assert sizes[0] == (300, 200)  # never enlarged
    assert sizes[1][0] < 300
    assert sizes[1][0] / sizes[1][1] == pytest.approx(1.5, rel=0.02)


def test_a_page_of_masks_alone(tmp_path):
    page, checker = _read(write_report(tmp_path / "r.html", title="plain", train=_pictures(1)))
    assert "<video" not in page
    assert "<script" not in page
    assert "1 view" in checker.text
    assert len(checker.images) == 3


def test_what_is_long_is_folded(tmp_path):
    scores = {"mean": 0.5, "views": {f"view {i}": 0.5 for i in range(65)}}
    page, checker = _read(
        write_report(tmp_path / "r.html", title="many", train=_pictures(65, (16, 32)), metrics={"iou": scores})
    )
    assert page.count("<details") == 2
    assert "5 more views" in page
    assert "46 more" in page
    assert "views · view 64" in checker.text


def test_scores_measured_elsewhere_are_shown(tmp_path):
    _, checker = _read(write_report(tmp_path / "r.html", title="x", train=_pictures(2, scores=[0.9, 0.8])))
    assert "0.8500" in checker.text
    with pytest.raises(ValueError, match="scores: expected 2 values"):
        _pictures(2, scores=[0.9])


def test_views_are_checked():
    with pytest.raises(ValueError, match="masks: expected shape"):
        ViewPictures(["a"], torch.zeros(2, 4, 4), torch.zeros(2, 4, 4))
    with pytest.raises(ValueError, match="alphas: expected shape"):
        ViewPictures(["a"], torch.zeros(1, 4, 4), torch.zeros(1, 4, 5))
    with pytest.raises(ValueError, match="images: expected shape"):
        ViewPictures(["a"], torch.zeros(1, 4, 4), torch.zeros(1, 4, 4), images=torch.zeros(1, 4, 4, 4))


def test_charts_take_hard_data():
    for y in ([0.0], [1.0, 1.0], [1.0, np.nan], [1e-9, 1e9], [-5.0, 3.0], [0.0, 1e-12], np.geomspace(1e-6, 1, 5000)):
        for log in (None, False):
            svg = line_chart({"loss": (range(len(y)), y)}, label="loss", stages=[(0, "s")], log=log)
            assert "<svg" in svg
            assert "nan" not in svg
            assert "inf" not in svg
    assert "No data" in line_chart({"loss": ([1.0], [np.inf])}, label="loss")
    assert "No data" in bar_chart([], label="x")
    assert "nan" not in bar_chart([("a", 0.0, 0, "#a")], label="x")
    with pytest.raises(ValueError, match="curve 'loss': expected x and y of one length"):
        line_chart({"loss": ([1.0], [])}, label="loss")
