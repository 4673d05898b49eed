"""Each kind of difference is found, equal data pass, each kind of figure by its own rule."""

import copy
import json
import sys

import numpy as np
import pytest

from figures import ROOT, drift

OUT = ROOT / "figures" / "out"

INTERVAL = {"value": [0.5, 0.7], "low": [0.4, 0.6], "high": [0.6, 0.8], "confidence": 0.99}
RECORD = {
    "kind": "exact",
    "claims": ["c"],
    "accuracy": {},
    "needs": None,
    "parameters": {"profile": "full"},
    "seed": 0,
    "data": {"x": [1, 2.5, 0.0], "s": {"y": 1e-3, "text": "a", "none": None, "flag": True}, "nan": float("nan")},
}


def record(kind="exact", data=None):
    result = copy.deepcopy(RECORD) | {"kind": kind}
    return result if data is None else result | {"data": data}


def put(folder, content, name="f"):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))
    for suffix in ("svg", "png"):
        (folder / f"{name}.{suffix}").write_text("picture")


def found(tmp_path, fresh, committed):
    put(tmp_path / "fresh", fresh)
    put(tmp_path / "committed", committed)
    return drift.differences(tmp_path / "fresh", tmp_path / "committed")


def test_stated_accuracy_of_an_optimiser(tmp_path):
    """Within the accuracy both sides state; not beyond it, and not when one side has changed it."""
    old = record(data={"x": 2.0}) | {"accuracy": {"x": 1e-4}}
    assert found(tmp_path, old | {"data": {"x": 2.0001}}, old) == []
    assert found(tmp_path, old | {"data": {"x": 2.001}}, old) == ["f: data.x: 2.0, now 2.001"]
    assert found(tmp_path, record(data={"x": 2.0001}), old) == [
        "f: accuracy was {'x': 0.0001}, is {}",
        "f: data.x: 2.0, now 2.0001",
    ]


def test_accuracy_is_of_a_datum_and_not_of_its_figure(tmp_path):
    """A path covers what lies under it, through lists, and nothing else; of two paths the longer one counts."""
    data = {"rows": [{"fit": {"a": 1.0, "b": 2.0}, "fitted": 3.0}], "x": 4.0}
    old = record(data=data) | {"accuracy": {"rows.fit": 1e-6, "rows.fit.b": 1e-3}}

    def moved(place, key, by):
        new = copy.deepcopy(old)
        part = new["data"]["rows"][0] if place == "row" else new["data"]["rows"][0]["fit"] if place else new["data"]
        part[key] *= 1 + by
        return [line.split(":")[1] for line in found(tmp_path, new, old)]

    assert moved("fit", "a", 5e-7) == []
    assert moved("fit", "a", 5e-6) == [" data.rows[0].fit.a"]
    assert moved("fit", "b", 5e-4) == []
    assert moved("fit", "b", 5e-3) == [" data.rows[0].fit.b"]
    assert moved("row", "fitted", 5e-9) == [" data.rows[0].fitted"]
    assert moved("", "x", 5e-9) == [" data.x"]


@pytest.mark.parametrize(
    ("accuracy", "problem"),
    [
        ({"rows.slope": 1e-6}, "accuracy names 'rows.slope', no number of the data"),
        ({"name": 1e-6}, "accuracy names 'name', no number of the data"),
        ({"row": 1e-6}, "accuracy names 'row', no number of the data"),
        ({"rows": 1e-7}, "accuracy of 'rows' = 1e-07, allowed: 1e-06 to 0.01"),
        ({"rows.fit": 0.1}, "accuracy of 'rows.fit' = 0.1, allowed: 1e-06 to 0.01"),
    ],
)
def test_accuracy_that_cannot_be_meant(accuracy, problem):
    data = {"rows": [{"fit": 1.0}], "name": "a"}
    assert drift.unfit(accuracy, data) == [problem]
    assert drift.unfit({"rows": 1e-6, "rows.fit": 0.01}, data) == []


def committed_numbers(name):
    """Places of the numbers in the committed data of one figure, as (container, key)."""

    def walk(part):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            if isinstance(value, dict | list):
                yield from walk(value)
            elif drift.is_number(value) and value and np.isfinite(value):
                yield part, key

    record = json.loads((OUT / f"{name}.json").read_text())
    return record, list(walk(record["data"]))


@pytest.mark.parametrize("name", sorted(p.stem for p in OUT.glob("*.json")))
def test_a_changed_constant_in_a_committed_figure_is_noticed(tmp_path, name):
    """Every exact figure, a number at its beginning, middle and end, moved by 2 %."""
    old, _ = committed_numbers(name)
    assert found(tmp_path, old, old) == []
    new, places = committed_numbers(name)
    if new["kind"] != "exact" or not places:
        return
    for k in {0, len(places) // 2, len(places) - 1}:
        part, key = places[k]
        value, part[key] = part[key], part[key] * 1.02 + 1e-9
        assert len(found(tmp_path, new, old)) == 1
        part[key] = value


def test_equal_figures(tmp_path):
    for kind in ("exact", "sampled", "trained"):
        assert found(tmp_path, record(kind), record(kind)) == []
        assert found(tmp_path, record(kind, INTERVAL), record(kind, INTERVAL)) == []


def change(path, value):
    """RECORD with the entry at `path` of the data replaced."""
    result = record()
    place = result["data"]
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return result


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("x", 1), 2.5 * (1 + 2e-9), "data.x[1]"),
        (("x", 2), 1e-11, "data.x[2]"),
        (("x",), [1, 2.5], "data.x: 3 entries, now 2"),
        (("x", 0), "1", "data.x[0]: 1, now '1'"),
        (("x", 0), True, "data.x[0]: 1, now True"),
        (("s", "text"), "b", "data.s.text: 'a', now 'b'"),
        (("s", "none"), 0.0, "data.s.none: None, now 0.0"),
        (("s", "flag"), False, "data.s.flag: True, now False"),
        (("s",), {"y": 1e-3}, "data.s: keys ['flag', 'none', 'text'] are on one side only"),
        (("s",), 4, "data.s"),
        (("nan",), 1.0, "data.nan: nan, now 1.0"),
        (("x", 0), float("inf"), "data.x[0]: 1, now inf"),
    ],
)
def test_exact_data(tmp_path, path, value, line):
    (told,) = found(tmp_path, change(path, value), record())
    assert told.startswith(f"f: {line}")


def test_rounding_is_no_difference(tmp_path):
    assert found(tmp_path, change(("x", 1), 2.5 * (1 + 5e-10)), record()) == []
    assert found(tmp_path, change(("x", 2), 1e-13), record()) == []


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "sampled"), ("claims", ["d"]), ("parameters", {"profile": "smoke"}), ("seed", 1)]
)
def test_records(tmp_path, key, value):
    (told,) = found(tmp_path, record() | {key: value}, record())
    assert told.startswith(f"f: {key} was ")


def test_sampled_data_by_overlap(tmp_path):
    old = record("sampled", {"curve": INTERVAL})
    moved = INTERVAL | {"value": [0.55, 0.75], "low": [0.45, 0.65], "high": [0.65, 0.85]}
    assert found(tmp_path, record("sampled", {"curve": moved}), old) == []
    away = INTERVAL | {"value": [0.5, 0.9], "low": [0.4, 0.85], "high": [0.6, 0.95]}
    (told,) = found(tmp_path, record("sampled", {"curve": away}), old)
    assert told == "f: data.curve[1]: [0.6, 0.8] and now [0.85, 0.95] do not overlap"
    torn = INTERVAL | {"low": [0.4, float("nan")]}
    (told,) = found(tmp_path, record("sampled", {"curve": torn}), old)
    assert "data.curve[1]" in told
    (told,) = found(tmp_path, record("sampled", {"curve": INTERVAL | {"high": [0.6]}}), old)
    assert told == "f: data.curve: intervals of different shape"
    (told,) = found(tmp_path, record("sampled", {"curve": INTERVAL | {"confidence": 0.9}}), old)
    assert told == "f: data.curve.confidence: 0.99, now 0.9"
    (told,) = found(tmp_path, record("sampled", {"curve": INTERVAL | {"n": 5}}), old)
    assert told == "f: data.curve: keys ['n'] are on one side only"


def test_numbers_beside_the_intervals_are_compared(tmp_path):
    (told,) = found(tmp_path, record("sampled", {"x": 2.0}), record("sampled", {"x": 1.0}))
    assert told == "f: data.x: 1.0, now 2.0"


def test_trained_data_by_schema(tmp_path):
    old = record("trained", {"loss": [1.0, 2.0], "name": "a"})
    assert found(tmp_path, record("trained", {"loss": [9.0, 8.0, 7.0], "name": "b"}), old) == []
    (told,) = found(tmp_path, record("trained", {"loss": [1.0, 2.0]}), old)
    assert told == "f: data: keys ['name'] are on one side only"
    (told,) = found(tmp_path, record("trained", {"loss": [1.0, "2"], "name": "a"}), old)
    assert told == "f: data.loss[1]: 2.0, now '2'"


def test_missing_figures(tmp_path):
    put(tmp_path / "fresh", record())
    put(tmp_path / "committed", record())
    put(tmp_path / "committed", record(), "g")
    put(tmp_path / "fresh", record(), "h")
    (tmp_path / "fresh" / "f.svg").unlink()
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    assert drift.differences(fresh, committed) == [
        f"f: no svg in {fresh}",
        f"g: missing in {fresh}",
        f"h: missing in {committed}",
    ]
    assert drift.differences(tmp_path / "a", tmp_path / "b") == [
        f"no figure data in {tmp_path / 'a'} nor in {tmp_path / 'b'}"
    ]


def test_figures_that_need_another_machine(tmp_path, monkeypatch, capsys):
    """Listed, not a difference, when absent; compared when there; needed by the committed record, not by the fresh."""
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    put(fresh, record())
    put(committed, record())
    put(committed, record() | {"needs": "gpu"}, "g")
    assert drift.differences(fresh, committed) == []
    monkeypatch.setattr(sys, "argv", ["drift", str(fresh), str(committed)])
    assert drift.main() == 0
    assert "g: not regenerated, needs gpu" in capsys.readouterr().out
    put(fresh, record() | {"needs": "gpu", "seed": 2}, "g")
    assert drift.differences(fresh, committed) == ["g: seed was 0, is 2"]
    put(fresh, record() | {"needs": "real"}, "h")
    put(committed, "torn", "i")
    assert drift.differences(fresh, committed)[1:] == [f"h: missing in {committed}", f"i: missing in {fresh}"]


def test_torn_json_is_named(tmp_path):
    (told,) = found(tmp_path, '{"kind": "ex', record())
    assert told.startswith("f: no JSON, ")


def test_command(tmp_path, monkeypatch, capsys):
    put(tmp_path / "a", record())
    put(tmp_path / "b", record() | {"seed": 3})
    for other, code in (("a", 0), ("b", 1)):
        monkeypatch.setattr(sys, "argv", ["drift", str(tmp_path / "a"), str(tmp_path / other)])
        assert drift.main() == code
        assert f"{code} difference(s)" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["drift"])
    assert drift.main() == 2
