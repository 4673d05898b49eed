"""The GPU table: every line runs on the CPU with tiny sizes, flops are counted, nothing is written unmeasured."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import networks as bench
from benchmarks import networks_posterior, networks_sampling, networks_training
from benchmarks.networks_table import HEADING, Row, as_markdown, dump, filled, load, put
from toy_models import networks

CPU = torch.device("cpu")


def test_every_line_runs_tiny(tmp_path):
    """The command itself, in a process of its own: torch.compile does not trace through the tests' type checks."""
    sizes = ["--batch", "8", "--length", "12", "--states", "3", "--rounds", "1"]
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "benchmarks.networks",
        "--tiny",
        *sizes,
        "--out",
        tmp_path / "rows.json",
    ]
    shown = subprocess.run(command, cwd=bench.ROOT, capture_output=True, text=True, check=True).stdout
    rows, place = load(tmp_path / "rows.json")
    assert [(r.part, r.what, r.unit) for r in rows] == [(r.part, r.what, r.unit) for p in bench.PARTS for r in p.ROWS]
    missing = {row.what for row in rows if row.value is None}
    assert {name for name in missing if "dynamax" not in name} == {
        *(f"{name}, {what}" for name in ("float32", "float64") for what in ("graph", "plain / graph")),
        *(f"{name}, peak memory" for name in networks_training.CONFIGS),
    }
    assert [row.what for row in rows if row.value is not None and not row.value > 0] == []
    assert place["device"] == "no GPU"
    assert as_markdown(rows, place) in shown


def test_without_a_card_nothing_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "COMMITTED", tmp_path / "gpu.json")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    rows, place = bench.gpu_rows(tiny=False)
    assert [row.value for row in rows] == [None] * len(rows)
    assert as_markdown(rows, place).count("not measured") == len(rows)


def test_a_committed_table_is_shown(monkeypatch, tmp_path):
    rows, place = [Row("posterior", "float32, plain", "ms", 12.5, "a note")], {"device": "some card"}
    dump(tmp_path / "gpu.json", rows, place)
    monkeypatch.setattr(bench, "COMMITTED", tmp_path / "gpu.json")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert bench.gpu_rows(tiny=False) == (rows, place)
    assert load(tmp_path / "gpu.json") == (rows, place)
    assert "| posterior | float32, plain | 12.5 ms | a note |" in as_markdown(rows, place)
    assert set(json.loads((tmp_path / "gpu.json").read_text())["rows"][0]) == {"part", "what", "value", "unit", "note"}


def test_rows_and_values_must_name_the_same_numbers():
    table = (Row("p", "one", "s"), Row("p", "two", "s"))
    with pytest.raises(KeyError, match="one"):
        filled(table, {"one": (1.0, "")})
    assert filled(table, {"two": (2.0, "n"), "one": (None, "")}) == [
        Row("p", "one", "s"),
        Row("p", "two", "s", 2.0, "n"),
    ]


def test_tables_go_between_their_markers():
    text = put("# Measured\n\n## Other\n\nkept\n", "cpu", "first")
    text = put(put(text, "gpu", "second"), "cpu", "third")
    assert text.count(HEADING) == 1
    assert "first" not in text
    assert text.index("kept") < text.index(HEADING) < text.index("third") < text.index("second")
    with pytest.raises(ValueError, match="both or none"):
        put("<!-- networks-cpu -->", "cpu", "x")


def test_tiny_is_never_written(capsys):
    with pytest.raises(SystemExit) as stopped:
        bench.main(["--tiny", "--write"])
    assert stopped.value.code == 2
    assert "--tiny with --write" in capsys.readouterr().err


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("hidden", [2, 4])
def test_flops_of_a_step_are_those_counted(causal, hidden):
    """The counter of torch on forward and backward, attention as plain products; another depth differs."""
    config = networks.Config(5, 12, width=16, layers=3, heads=2, hidden=hidden, causal=causal)
    model = networks.Transformer(config, torch.Generator().manual_seed(0))
    x = torch.randint(5, (7, 12), generator=torch.Generator().manual_seed(1))
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(x).square().sum().backward()
    assert counter.get_total_flops() == networks_training.step_flops(config, 7)
    assert counter.get_total_flops() != networks_training.step_flops(replace(config, layers=2), 7)


def test_sizes_of_the_models():
    counts = {
        name: networks.Transformer(config, torch.Generator().manual_seed(0)).parameter_count()
        for name, config in networks_training.CONFIGS.items()
    }
    for name, count in counts.items():
        assert name == f"{round(count / 1e6)} M"
    assert max(counts.values()) >= 100e6
    for config in networks_training.CONFIGS.values():
        assert config.length == 512
        assert config.width % 64 == 0
        assert config.width // config.heads == 64


def test_full_sizes_are_those_of_the_table():
    full = networks_posterior.Sizes()
    assert (full.batch, full.length, full.states) == (4096, 512, 64)
    assert networks_sampling.Sizes().config.length == 512
    rules = networks_sampling.rules(512, networks_sampling.Sizes().steps)
    assert (*rules, networks_sampling.FAMILIES[-1]) == networks_sampling.FAMILIES
    assert sum(rules["random order"].sizes) == 512
    assert rules["top-k"].k == 8


def test_batch_by_memory(monkeypatch):
    config = networks_training.CONFIGS["113 M"]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (80 * 2**30, 80 * 2**30))
    assert networks_training.first_batch(config, torch.device("cuda"), 1024) == 128
    assert networks_training.first_batch(config, torch.device("cuda"), 64) == 64


def test_memory_errors_halve_the_batch(monkeypatch):
    tried = []

    def measured(config, batch, device, sizes):
        tried.append(batch)
        if batch > 2:
            raise torch.OutOfMemoryError("no room")
        return {"batch": batch}

    monkeypatch.setattr(networks_training, "_measure", measured)
    sizes = networks_training.Sizes(largest=16)
    assert networks_training.measure(networks.Config(4, 8, width=8, layers=1), CPU, sizes) == {"batch": 2}
    assert tried == [16, 8, 4, 2]


def test_wrong_outputs_are_not_timed(monkeypatch):
    sizes = bench.TINY[networks_posterior]
    right = networks.marginals

    def wrong(*arguments, **options):
        return right(*arguments, **options) * 1.01

    monkeypatch.setattr(networks, "marginals", wrong)
    found = {row.what: row for row in networks_posterior.rows(CPU, sizes)}
    assert found["float64, plain"].value is None
    assert "outputs disagree" in found["float64, plain"].note
    agree, text = bench.on_cpu(4, 8, 3, 1)
    assert not agree
    assert "nothing is timed" in text


def test_floor_takes_the_slower_resource(monkeypatch):
    sizes = replace(networks_posterior.Sizes(), batch=2, length=3, states=4)
    monkeypatch.setattr(networks_posterior, "matrix_rate", lambda *a: 1.0)
    monkeypatch.setattr(networks_posterior, "memory_rate", lambda *a: 1e9)
    assert networks_posterior.floor_seconds(torch.float64, CPU, sizes, 5) == (6 * (4 * 16 + 2 * 4 * 5), "flops")
    monkeypatch.setattr(networks_posterior, "matrix_rate", lambda *a: 1e9)
    monkeypatch.setattr(networks_posterior, "memory_rate", lambda *a: 1.0)
    assert networks_posterior.floor_seconds(torch.float64, CPU, sizes, 5) == (6 * (8 + 5) * 8, "memory")


def test_problem_is_half_masked():
    target, y = networks_posterior.problem(50, 40, 3, np.random.default_rng(0))
    assert y.shape == (50, 40)
    assert target.states == target.vocab_size == 3
    assert 0.4 < (y < 0).mean() < 0.6
