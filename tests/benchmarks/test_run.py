"""Which environment a benchmark runs in, and that the ones named exist."""

import sys
from pathlib import Path

import pytest

from benchmarks import run


@pytest.mark.parametrize(
    ("name", "peers", "card", "there"),
    [
        ("networks", "peers/python", True, True),
        ("networks", "peers/python", False, False),
        ("networks", None, True, False),
        ("curves", "peers/python", True, False),
    ],
)
def test_interpreter(monkeypatch, name, peers, card, there):
    monkeypatch.setattr(run, "has_card", lambda: card)
    found = run.interpreter(name, None if peers is None else Path(peers))
    assert found == (str(Path("peers/python")) if there else sys.executable)


def test_every_benchmark_named_is_a_file():
    names = (*run.OWN, *run.WITH_PEERS)
    assert [name for name in names if not (run.ROOT / "benchmarks" / f"{name}.py").exists()] == []
    assert set(run.ON_A_CARD) <= set(run.OWN)
