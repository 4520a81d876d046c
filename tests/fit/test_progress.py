from invgraph import Cameras, Views
from invgraph.fit import FitOptions, ProgressBar, Stage, TensorBoard, fit
from invgraph.geometry import icosphere
from invgraph.render import render
from invgraph.shapes import TemplateShape


def test_bar_and_curves(tmp_path, capsys):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    cameras = Cameras.look_at([[0.0, 0.0, 5.0], [5.0, 0.0, 0.0]], [0.0] * 3, [0.0, 1.0, 0.0], 40.0, (24, 32))
    views = Views(cameras, render(icosphere(3), cameras).alpha, names=("front", "side"))
    stages = (Stage("only", 1.0, "antialias", steps=3, learning_rate=0.1, views=2),)
    watchers = [ProgressBar(), TensorBoard(str(tmp_path), image_every=2)]
    result = fit(TemplateShape(icosphere(2, radius=0.8)), views, FitOptions(), stages=stages, callbacks=watchers)
    log = EventAccumulator(str(tmp_path)).Reload()
    assert [e.step for e in log.Scalars("loss/silhouette")] == [1, 2, 3]
    assert abs(log.Scalars("silhouette IoU")[0].value - result.history[0]["iou"]) < 1e-6
    assert [e.step for e in log.Images("front")] == [1, 3]
    printed = capsys.readouterr().out
    assert "only" in printed
    assert "3/3" in printed
