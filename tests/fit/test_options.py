import pytest

from invgraph.fit import FitOptions, schedule


def test_json_round_trip():
    options = FitOptions(init="sphere", vertices=3000, holdout=4)
    assert FitOptions.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vertices", 3),
        ("effort", 0.0),
        ("optimizer", "sgd"),
        ("smoothing", float("nan")),
        ("holdout", -1),
        ("hull_resolution", 5000),
    ],
)
def test_refuses_nonsense_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: expected .* got {value!r}"):
        FitOptions(**{field: value})


def test_schedules_end_precise_at_full_size():
    for start in ("hull", "sphere", "file", "shape"):
        stages = schedule(start, FitOptions(vertices=5000, effort=0.5))
        assert stages[-1].mode == "antialias"
        assert stages[-1].image_scale == 1
        assert max(stage.vertices or 0 for stage in stages) == 5000
    assert schedule("sphere", FitOptions())[0].mode == "outline"
