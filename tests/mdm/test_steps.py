"""`mdm steps`: every printed number by another route on a small language; files, JSON, refusals."""

import csv
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import toy_models as tm
from mdm.__main__ import app
from mdm.steps_report import COLUMNS, told
from toy_models.rules.replay import evaluate_rule

ROOT = Path(__file__).resolve().parents[2]
L, V = 6, 3


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """2000 tokens of a chain on three symbols with impossible pairs."""
    chain = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 2000)
    path = tmp_path_factory.mktemp("text") / "three.npy"
    np.save(path, chain.sample(1, np.random.default_rng(0))[0])
    return path


@pytest.fixture(scope="module")
def report(source):
    return told(str(source), L, "2,3,6", None, 256, False, 2, None, 48, 0.05, 0.2, 0)


@pytest.fixture(scope="module")
def language(source):
    """The smoothed bigram law as a table, from counts in plain loops."""
    x = np.load(source).tolist()
    one = [x.count(v) for v in range(V)]
    base = [(one[v] + V / V) / (len(x) + V) for v in range(V)]
    rows = np.empty((V, V))
    for a in range(V):
        after = [sum(p == (a, b) for p in pairwise(x)) for b in range(V)]
        distinct = sum(n > 0 for n in after)
        rows[a] = [(after[b] + distinct * base[b]) / (sum(after) + distinct) for b in range(V)]
    law = np.linalg.matrix_power(rows, 4096)[0]
    return tm.Table(table_of(law, rows))


@pytest.fixture(scope="module")
def pairs(source):
    """The bigram law of the pairs that occur, from counts on the circle."""
    x = np.load(source).tolist()
    counts = np.zeros((V, V))
    for a, b in zip(x, [*x[1:], x[0]], strict=True):
        counts[a, b] += 1
    return tm.Table(table_of(counts.sum(axis=1) / len(x), counts / counts.sum(axis=1, keepdims=True)))


def table_of(law, rows) -> np.ndarray:
    pmf = np.empty((V,) * L)
    for x in product(range(V), repeat=L):
        pmf[x] = law[x[0]] * np.prod([rows[a, b] for a, b in pairwise(x)])
    return pmf / pmf.sum()


def rows_of(report, schedule):
    return [row for row in report["costs"] if row["schedule"] == schedule]


def test_text_and_language(report, language):
    assert report["text"] == {
        "source": "three.npy",
        "alphabet": "tokens",
        "tokens": 2000,
        "sequences": 1,
        "vocabulary": 3,
        "symbols that occur": 3,
        "kept": 1.0,
    }
    told = report["language"]
    pmf = language.pmf
    entropy = -np.sum(pmf * np.log(pmf))
    singles = [-np.sum(p * np.log(p)) for i in range(L) for p in [pmf.sum(axis=tuple(j for j in range(L) if j != i))]]
    others = [-np.sum(p * np.log(p)) for i in range(L) for p in [pmf.sum(axis=i)]]
    assert told["entropy"]["value"] == pytest.approx(entropy, rel=1e-10)
    assert told["entropy per token"]["value"] == pytest.approx(entropy / L, rel=1e-10)
    assert told["total correlation"]["value"] == pytest.approx(sum(singles) - entropy, rel=1e-9)
    assert told["dual total correlation"]["value"] == pytest.approx(sum(others) - (L - 1) * entropy, rel=1e-9)
    curve = told["information curve"]
    assert curve["exact"]
    assert curve["low"] == curve["value"] == curve["high"]
    np.testing.assert_allclose(curve["value"], tm.information_curve(language, method="enumeration"), rtol=1e-10)
    assert told["order"] == 2


@pytest.mark.parametrize("schedule", ["uniform", "cosine", "growing", "optimal"])
def test_excess_written_and_sequence_error_by_enumeration(report, language, pairs, schedule):
    found = rows_of(report, schedule)
    assert [row["asked"] for row in found] == [2, 3, 6]
    for row in found:
        sizes = row["sizes"]
        assert sum(sizes) == L
        assert min(sizes) > 0
        assert row["calls"] == len(sizes) <= row["asked"]
        cost = tm.trajectory_kl(language, tm.RandomOrder(sizes), method="enumeration") / L
        assert row["excess"]["value"] == pytest.approx(cost, rel=1e-8, abs=1e-12)
        wrote = tm.marginal_kl(language, tm.RandomOrder(sizes)) / L
        assert row["written"]["value"] == pytest.approx(wrote, rel=1e-8, abs=1e-12)
        assert row["written"]["value"] <= row["excess"]["value"] + 1e-12
        rule = tm.IndependentReveal(np.array(sizes) / L)
        assert row["sequence error"]["slots"] == len(sizes)
        assert row["sequence error"]["calls"] == pytest.approx(tm.expected_calls(pairs, rule), rel=1e-9)
        if schedule == "uniform":  # equal weights, not the rounded sizes
            rule = tm.IndependentReveal(np.full(len(sizes), 1 / len(sizes)))
        assert row["sequence error"]["value"] == pytest.approx(tm.sequence_error(pairs, rule), abs=1e-9)
        assert row["sequence error"]["how"] == "exact"


def test_the_optimum_is_one(report, language):
    """No composition of L into N sizes is cheaper."""
    for row in rows_of(report, "optimal"):
        every = [s for s in product(range(1, L + 1), repeat=row["asked"]) if sum(s) == L]
        best = min(tm.trajectory_kl(language, tm.RandomOrder(s), method="enumeration") for s in every) / L
        assert row["excess"]["value"] == pytest.approx(best, rel=1e-8, abs=1e-12)


def test_entropy_bounded_within_its_intervals(report, language, pairs):
    for row in rows_of(report, "entropy-bounded"):
        rule = tm.EntropyBounded(row["gamma"])
        exact = evaluate_rule(language, rule)
        assert row["excess"]["low"] - 1e-9 <= exact.kl / L <= row["excess"]["high"] + 1e-9
        assert row["calls"] == pytest.approx(exact.calls, abs=1.0)
        assert row["calls"] <= row["asked"]
        ser = row["sequence error"]
        assert ser["low"] <= tm.sequence_error(pairs, rule) <= ser["high"]


def test_halving_left_to_right_and_one_call(report, language, pairs):
    [halving], [one_by_one] = rows_of(report, "halving"), rows_of(report, "left to right")
    assert (halving["calls"], one_by_one["calls"]) == (len(tm.bisection(L).blocks), L)
    for row, rule in ((halving, tm.bisection(L)), (one_by_one, tm.FixedOrder([[i] for i in range(L)]))):
        assert row["excess"]["value"] == row["written"]["value"] == 0.0
        assert tm.marginal_kl(language, rule) == pytest.approx(0.0, abs=1e-12)
        assert tm.sequence_error(pairs, rule) == pytest.approx(0.0, abs=1e-12) == row["sequence error"]["value"]
    all_at_once = tm.sequence_error(pairs, tm.IndependentReveal([1.0]))
    assert report["one call"]["value"] == pytest.approx(all_at_once, abs=1e-9)


def test_smallest_numbers(report, language, pairs):
    wanted = {}
    g = tm.information_curve(language, method="enumeration")
    schedules = {"uniform": tm.LinearSchedule(), "cosine": tm.CosineSchedule()}
    for name, schedule in schedules.items():
        costs = [tm.schedules.sizes_cost(g, schedule.sizes(n, L)) / L for n in range(1, L + 1)]
        wanted[name] = next((n for n, cost in enumerate(costs, 1) if cost <= 0.05), None)
    found = report["smallest"]["calls"]
    assert {name: found[name] for name in wanted} == wanted
    best = [tm.schedules.sizes_cost(g, tm.optimal_sizes(g, n)) / L for n in range(1, L + 1)]
    assert found["optimal"] == next(n for n, cost in enumerate(best, 1) if cost <= 0.05)
    errors = [tm.sequence_error(pairs, tm.IndependentReveal(np.full(n, 1 / n))) for n in range(1, 20)]
    assert report["smallest"]["uniform slots"] == next((n for n, e in enumerate(errors, 1) if e <= 0.2), None)


def test_blocks_and_draws(report, language):
    """The block as long as the text is the random order; one draw's noise by enumeration of all masks."""
    whole = next(b for b in report["blocks"] if b["block"] == L)
    exact = tm.trajectory_kl(language, tm.RandomOrder([2, 2, 2]), method="enumeration") / L
    assert whole["calls"] == 3
    assert whole["excess"]["low"] <= exact <= whole["excess"]["high"]
    x = np.array(list(product(range(V), repeat=L)))
    q = language.pmf.ravel()
    square = 0.0
    for k in range(L):
        subsets = [s for s in product([False, True], repeat=L) if sum(s) == L - k]
        for masked in subsets:
            p = language.marginals(np.where(masked, -1, x))
            loss = -np.log(np.take_along_axis(p, x[:, :, None], axis=2)[..., 0])[:, np.array(masked)].mean(axis=1)
            square += q @ (loss + np.log(q) / L) ** 2 / len(subsets) / L
    assert report["monte carlo draw"] == pytest.approx(np.sqrt(square), rel=0.25)


def test_sentences_carry_numbers_and_scope(report):
    said = {s["question"]: s["answer"] for s in report["sentences"]}
    assert len(said) == 7
    for question in said:
        if question.startswith("How sure"):
            continue
        assert re.search(rf"order-2 language, L = {L}|bigram language, L = {L}", said[question]), question
    issues = ("LLaDA #75", "LLaDA #93", "LLaDA #39", "mdlm #36", "Dream #14")
    assert all(any(issue in question for question in said) for issue in issues)
    several = next(a for q, a in said.items() if "mdlm" in q)
    for row in rows_of(report, "uniform"):
        assert f"{row['excess']['value']:.4f} at N = {row['asked']}" in several
    assert f"{100 * report['one call']['value']:.1f} %" in next(a for q, a in said.items() if "#75" in q)
    assert "slots" not in several


class Links(HTMLParser):
    """What a page would load, and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.loaded, self.open, self.figures = [], [], 0

    def handle_starttag(self, tag, attributes):
        self.loaded += [v for k, v in attributes if k in ("src", "href", "data", "srcset")]
        self.figures += tag == "svg"
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_command_writes_three_files(source, tmp_path):
    out = tmp_path / "deep" / "out"
    arguments = ["steps", str(source), "--length", "6", "--steps", "2,3", "--order", "2", "--out", str(out)]
    found = CliRunner().invoke(app, arguments)
    assert found.exit_code == 0, found.output
    assert sorted(p.name for p in out.iterdir()) == ["steps.csv", "steps.html", "steps.json"]
    written = json.loads((out / "steps.json").read_text())
    lines = list(csv.DictReader((out / "steps.csv").read_text().splitlines()))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == len(written["costs"])
    for line, row in zip(lines, written["costs"], strict=True):
        assert float(line["excess"]) == row["excess"]["value"]
        assert line["sizes"] == " ".join(map(str, row["sizes"] or []))
        assert any(
            text.startswith(f"{row['schedule']:16s} {row['asked']:4d} {row['calls']:6.1f}")
            and f"{row['excess']['value']:.4f}" in text
            for text in found.output.splitlines()
        )
    page = (out / "steps.html").read_text()
    links = Links()
    links.feed(page)
    assert links.loaded == []
    assert links.open == []
    assert links.figures == 3
    assert "url(" not in page
    assert "<script" not in page
    for row in written["costs"]:
        assert f"{row['excess']['value']:.4f}" in page
        assert f"{row['excess']['value']:.4f}" in found.output


def test_json_is_one_object_and_nothing_else(source):
    command = [sys.executable, "-m", "mdm", "steps", str(source), "--length", "6", "--steps", "2", "--json"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0
    assert ran.stderr == ""
    assert json.loads(ran.stdout)["seed"] == 0
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert again.stdout == ran.stdout


def test_the_core_is_enough():
    """No torch, matplotlib, papermill or sympy."""
    heavy = "{'torch', 'matplotlib', 'papermill', 'sympy'}"
    code = f"import sys, mdm.steps, mdm.steps_report; print({heavy} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ran.stdout.strip() == "set()", ran.stderr


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", [], "is empty"),
        (b"ab\x00cd", [], "binary file: it holds a NUL at character 2"),
        (b"ab\xe9cd", [], "byte 2 cannot be decoded"),
        (b"a" * 500, [], "holds one symbol only, a language needs two"),
        (b"ab" * 20, [], "has 40 tokens, fewer than the length 64; lower --length"),
        (b"ab" * 40, [], "has 80 tokens, at least 200 are needed"),
        (b"abc\n" * 500, ["--lines"], "the longest sequence of a.txt has 3 tokens, fewer than the length 64"),
        (
            b"ab" * 100,
            ["--length", "8", "--order", "5", "--alphabet", "bytes"],
            "order = 5, allowed: 1..4, what the held-out blocks of a.txt",
        ),
        (b"ab" * 500, ["--steps", "4,x"], "--steps '4,x', allowed: whole numbers between commas"),
        (b"ab" * 500, ["--steps", "0,4"], "--steps 0, allowed: 1 and above"),
        (b"ab" * 500, ["--steps", "65"], "--steps 65, allowed: 1..64, the length"),
        (b"ab" * 500, ["--order", "6"], "order = 6, allowed: 1..5"),
        (b"ab" * 500, ["--order", "5"], r"V^n L <= 67108864"),
        (b"ab" * 500, ["--order", "2", "--states", "2"], "--order and --states exclude each other"),
        (b"ab" * 500, ["--alphabet", "runes"], "alphabet = 'runes', allowed: letters, bytes, words, tokens"),
        (b"ab" * 500, ["--excess", "-1"], "--excess -1.0, allowed: 0 and above, finite"),
        (b"ab" * 500, ["--ser", "2"], "--ser 2.0, allowed: 0..1"),
        (b"ab" * 500, ["--seed", "-1"], "--seed -1, allowed: 0 and above"),
        (b"ab" * 500, ["--length", "1"], "--length 1, allowed: 2 and above"),
        (b"0 1 5000" * 500, ["--alphabet", "tokens"], "allowed: 0..511"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(tmp_path, content, options, message):
    path, out = tmp_path / "a.txt", tmp_path / "out"
    path.write_bytes(content)
    found = CliRunner().invoke(app, ["steps", str(path), "--out", str(out), *options])
    assert found.exit_code == 2
    assert message in found.stderr
    assert found.stderr.startswith("mdm steps: ")
    assert found.stderr.count("\n") == 1
    assert found.stdout == ""
    assert not out.exists()


def test_no_file_and_an_out_that_is_a_file(tmp_path):
    found = CliRunner().invoke(app, ["steps", str(tmp_path / "no.txt")])
    assert found.exit_code == 2
    assert "cannot be read: No such file" in found.stderr
    (tmp_path / "a.txt").write_text("ab" * 500)
    found = CliRunner().invoke(app, ["steps", str(tmp_path / "a.txt"), "--out", str(tmp_path / "a.txt")])
    assert found.exit_code == 2
    assert "is a file, it must be a folder" in found.stderr


def test_out_of_memory_is_one_line(source, monkeypatch):
    def full(*arguments):
        raise MemoryError

    monkeypatch.setattr("mdm.steps_report.told", full)
    found = CliRunner().invoke(app, ["steps", str(source)])
    assert found.exit_code == 2
    assert found.stderr == "mdm steps: out of memory; lower --length, --order or --rows\n"


def test_a_failed_write_leaves_the_old_files(source, tmp_path, monkeypatch):
    out = tmp_path / "out"
    arguments = ["steps", str(source), "--length", "6", "--steps", "2", "--order", "1", "--out", str(out)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    real = Path.write_text

    def cut_short(self, content, **options):
        real(self, content[: len(content) // 2], **options)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", cut_short)
    found = CliRunner().invoke(app, [*arguments, "--seed", "1"])
    assert found.exit_code == 2
    assert "No space left on device" in found.stderr
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_order_three_against_enumeration(source):
    """Sampled curve, excess, halving and entropy-bounded: the exact values lie in the intervals."""
    found = told(str(source), L, "2,3", None, 256, False, 3, None, 300, 0.05, 0.2, 1)
    law = tm.text.interpolated([np.load(source)], 3, V)
    target = tm.NGram(law, L)
    x = np.array(list(product(range(V), repeat=L)))
    table = tm.Table(np.exp(target.log_prob(x)).reshape((V,) * L))
    told_curve, g = found["language"]["information curve"], tm.information_curve(table, method="enumeration")
    assert told_curve["rows"] == 300
    assert (np.array(told_curve["low"]) - 1e-12 <= g).all()
    assert (g <= np.array(told_curve["high"]) + 1e-12).all()
    entropy = -np.sum(table.pmf * np.log(table.pmf))
    assert found["language"]["entropy"]["value"] == pytest.approx(entropy, rel=1e-9)
    for name in ("uniform", "cosine", "growing", "optimal"):
        for row in rows_of(found, name):
            exact = tm.trajectory_kl(table, tm.RandomOrder(row["sizes"]), method="enumeration") / L
            assert row["excess"]["low"] <= exact <= row["excess"]["high"]
    [halving] = rows_of(found, "halving")
    exact = tm.marginal_kl(table, tm.bisection(L)) / L
    assert exact > 1e-4
    assert halving["excess"]["low"] <= exact <= halving["excess"]["high"]
    for row in rows_of(found, "entropy-bounded"):
        exact = evaluate_rule(table, tm.EntropyBounded(row["gamma"])).kl / L
        assert row["excess"]["low"] <= exact <= row["excess"]["high"]


def test_hidden_markov_language(source):
    """Its entropy and costs within the intervals of the exact ones of the model that was fitted."""
    found = told(str(source), L, "2,3", None, 256, False, None, 3, 300, 0.05, 0.2, 1)
    told_language = found["language"]
    assert told_language["name"] == "3-state hidden Markov language"
    [score] = told_language["scores"]
    assert -np.log(V) < score["held_out"] < 0
    assert abs(score["fitted"] - score["held_out"]) < 0.1
    entropy, per_token = told_language["entropy"], told_language["entropy per token"]
    assert entropy["low"] < entropy["value"] < entropy["high"]
    assert per_token["value"] == pytest.approx(entropy["value"] / L)
    assert -score["fitted"] == pytest.approx(per_token["value"], abs=0.05)


def test_written_law_by_sampled_texts(source):
    """L = 12: too long to enumerate every state; the interval of N uniform slots holds the exact KL of both ways."""
    found = told(str(source), 12, "1,12", None, 256, False, 2, None, 48, 0.05, 0.2, 0)
    one, many = rows_of(found, "uniform")
    chain = tm.MarkovChain(tm.text.interpolated([np.load(source)], 2, V), 12)
    exact = tm.total_correlation(chain) / 12  # one slot writes independent tokens
    assert one["written"]["low"] <= exact <= one["written"]["high"]
    assert many["written"]["value"] <= many["excess"]["value"] + 0.02 or many["excess"]["value"] == 0.0
    assert one["excess"]["value"] == pytest.approx(exact, rel=1e-9)


def test_texts_that_hardly_differ_cost_no_more_than_there_is(tmp_path):
    """A periodic text: all sampled texts have one surprise, which must not be a lever. 0 <= excess <= TC / L."""
    file = tmp_path / "periodic.txt"
    file.write_text("ab" * 500)
    found = told(str(file), 16, "2,4", "letters", 256, False, None, None, 48, 0.05, 0.2, 0)
    costs = [row for row in found["costs"] if row["excess"] is not None]
    assert {row["schedule"] for row in costs} >= {"entropy-bounded", "halving"}
    for row in costs:
        assert 0 <= row["excess"]["value"] <= np.log(2)
