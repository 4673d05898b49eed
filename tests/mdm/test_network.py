"""`mdm network`: printed numbers by other routes on a tabulated network; files, JSON, refusals of one line."""

import csv
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import toy_models as tm
from mdm.__main__ import app
from mdm.network_report import COLUMNS, told
from toy_models import networks

ROOT = Path(__file__).resolve().parents[2]
L, V = 6, 3
TARGET = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], L)
MODULE = """
import torch
import toy_models as tm
from toy_models.networks import NetworkDenoiser

CHAIN = tm.MarkovChain([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]], 6)
IDS = [5, 2, 7]


def logits(ids):
    letters = torch.full((9,), -1)
    letters[IDS] = torch.arange(3)
    y = letters[ids[:, 1:]]
    p = torch.from_numpy(tm.Smoothed(CHAIN, 0.2).marginals(y.numpy(), on_impossible="uniform"))
    found = torch.full((*ids.shape, 9), -1e9, dtype=torch.float64)
    found[:, 1:, IDS] = torch.log(p.clamp(min=1e-12))
    return found


def make():
    return NetworkDenoiser(logits, 8, IDS, 6, prefix=[0])


def plain():
    return tm.Smoothed(CHAIN, 0.2)


def wrong_shape():
    return NetworkDenoiser(lambda ids: torch.zeros(*ids.shape, 3), 8, IDS, 6)


def returns_nan():
    return NetworkDenoiser(lambda ids: torch.full((*ids.shape, 9), float("nan")), 8, IDS, 6)


def peeks():
    def model(ids):
        found = torch.nn.functional.one_hot(ids, 9).double()
        return found + found.sum(dim=0, keepdim=True)

    return NetworkDenoiser(model, 8, IDS, 6)


def too_large():
    def model(ids):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    return NetworkDenoiser(model, 8, IDS, 6)


def no_denoiser():
    return 3


def fails():
    raise KeyError("weights")


def missing():
    import a_package_that_is_not_here
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("my network é")
    (path / "mine.py").write_text(MODULE, encoding="utf-8")
    x = TARGET.sample(64, np.random.default_rng(0))
    np.save(path / "letters.npy", x)
    np.save(path / "ids.npy", np.array([5, 2, 7])[x].astype(np.int32))
    np.save(path / "long.npy", x.ravel().astype(np.uint8))
    np.save(path / "floats.npy", x.astype(float))
    np.save(path / "short.npy", x[:, :4])
    np.save(path / "few.npy", x[:3])
    np.save(path / "brief.npy", x.ravel()[:20])
    (path / "text.npy").write_text("no array")
    (path / "empty.npy").write_bytes(b"")
    return path


def report_of(folder, make="make", data="letters.npy", rules="eb:0.4,confidence:2", ids=False):
    return told(f"{folder}/mine.py:{make}", folder / data, "2,3", rules, ids, 64, 16, 4, 0.99, 0)


@pytest.fixture(scope="module")
def report(folder):
    return report_of(folder)


def test_letters_ids_and_one_long_row_say_the_same(folder, report):
    for data, ids in (("ids.npy", True), ("long.npy", False)):
        other = report_of(folder, data=data, ids=ids)
        assert other["schedules"] == report["schedules"]
        assert other["rules"] == report["rules"]


def test_every_number_by_another_route(folder, report):
    """Along the same texts and orders: sums of log p, one at a time, with a denoiser in numpy."""
    denoiser = tm.Smoothed(TARGET, 0.2)
    x, rng = np.load(folder / "letters.npy"), np.random.default_rng(0)
    rng.permutation(L)  # of the question whether the network peeks
    order = rng.permuted(np.broadcast_to(np.arange(L), x.shape), axis=1)
    c = np.empty(x.shape)
    for r, k in np.ndindex(*x.shape):
        hidden = order[r] >= k
        p = denoiser.marginals(np.where(hidden, -1, x[r])[None])[0]
        c[r, k] = np.mean([-np.log(p[i, x[r, i]]) for i in range(L) if hidden[i]])
    np.testing.assert_allclose(report["curve"]["value"], c.mean(axis=0), rtol=1e-6)
    assert report["one token per call"]["value"] == pytest.approx(c.mean(), rel=1e-6)
    for row in report["schedules"]:
        sizes = row["sizes"]
        assert sum(sizes) == L
        assert min(sizes) > 0
        assert row["calls"] == len(sizes) <= row["asked"]
        if row["schedule"] != "best":
            paid = sum(s * c[:, n] for s, n in zip(sizes, np.cumsum(sizes) - sizes, strict=True)) / L
            assert row["nelbo"]["value"] == pytest.approx(paid.mean(), rel=1e-6)
            assert row["excess"]["value"] == pytest.approx((paid - c.mean(axis=1)).mean(), rel=1e-5, abs=1e-8)
            assert row["nelbo"]["low"] < row["nelbo"]["value"] < row["nelbo"]["high"]
    for row, rule in zip(report["rules"], (tm.EntropyBounded(0.4), tm.TopK(2)), strict=True):
        log_p = tm.log_likelihood(denoiser, rule, x[:16])
        assert row["nll"]["value"] == pytest.approx(-log_p.mean() / L, rel=1e-6)
    left = tm.log_likelihood(denoiser, tm.FixedOrder([[i] for i in range(L)]), x[:16])
    assert report["orders"]["left to right"]["value"] == pytest.approx(-left.mean() / L, rel=1e-6)
    true = tm.learning_error(TARGET, denoiser, "max")
    assert 0 <= report["learning error at least"]["largest"] <= true


def test_any_denoiser_serves(folder, report):
    other = report_of(folder, make="plain")
    for a, b in zip(report["schedules"], other["schedules"], strict=True):
        assert a["nelbo"]["value"] == pytest.approx(b["nelbo"]["value"], rel=1e-6)


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.loaded, self.open, self.figures = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.loaded += [v for k, v in attrs if k in ("src", "href")]
        self.figures += tag == "svg"
        if tag not in ("meta", "line", "circle", "polyline", "polygon"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag


def test_files_and_print(folder, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        [
            "network",
            f"{folder}/mine.py:make",
            "--data",
            str(folder / "letters.npy"),
            "--steps=2,3",
            "--windows=2",
            f"--out={out}",
        ],
    )
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in out.iterdir()) == ["network.csv", "network.html", "network.json"]
    written = json.loads((out / "network.json").read_text())
    lines = list(csv.DictReader((out / "network.csv").read_text().splitlines()))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == len(written["schedules"]) + len(written["rules"])
    page = (out / "network.html").read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert (links.loaded, links.open, links.figures) == ([], [], 2)
    for row in written["schedules"]:
        assert f"{row['nelbo']['value']:.4f}" in page
        assert f"{row['nelbo']['value']:.4f}" in done.stdout
    for said in written["sentences"]:
        assert said["answer"] in done.stdout
        assert "L = 6, 64 texts of letters.npy" in said["answer"]


def test_json_is_one_object_and_nothing_else(folder):
    command = [sys.executable, "-m", "mdm", "network", f"{folder}/mine.py:make", "--data", str(folder / "letters.npy")]
    ran = subprocess.run(
        [*command, "--steps", "2", "--windows", "2", "--json"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert ran.returncode == 0
    assert ran.stderr == ""
    assert json.loads(ran.stdout)["seed"] == 0


@pytest.mark.parametrize(
    ("make", "data", "options", "line"),
    [
        ("wrong_shape", "letters.npy", [], "the model returned logits of shape (1, 6, 3), allowed: (1, 6, at least 8)"),
        ("returns_nan", "letters.npy", [], "the model returned nan among the logits of row 0, position"),
        ("peeks", "letters.npy", [], "the network peeks or is random: its law of a masked token changes with"),
        ("too_large", "letters.npy", [], "out of memory at a batch of 1 rows of 6 ids (batch_tokens = 16384)"),
        ("no_denoiser", "letters.npy", [], "returned int, it must return a denoiser"),
        ("fails", "letters.npy", [], "raised KeyError: 'weights'"),
        ("missing", "letters.npy", [], "No module named 'a_package_that_is_not_here'"),
        ("nothing", "letters.npy", [], "has no function 'nothing'"),
        ("make", "ids.npy", [], "letters are 0..V-1, --ids reads ids of the network"),
        ("make", "letters.npy", ["--ids"], "id 1 is none of the 3 letters"),
        ("plain", "letters.npy", ["--ids"], "--ids needs a NetworkDenoiser"),
        ("make", "floats.npy", [], "holds float64 (64, 6), allowed: integers"),
        ("make", "short.npy", [], "has rows of 4 tokens, the network has length 6"),
        ("make", "few.npy", [], "has 3 rows, at least 4 are needed"),
        ("make", "brief.npy", [], "has 20 tokens, at least four texts of 6 are needed"),
        ("make", "text.npy", [], "is no .npy array of numbers"),
        ("make", "empty.npy", [], "is no .npy array of numbers"),
        ("make", "none.npy", [], "No such file"),
        ("make", "letters.npy", ["--steps", "7"], "--steps 7, allowed: 1..6, the length"),
        ("make", "letters.npy", ["--rules", "greedy"], "no rule 'greedy'; there are:"),
        ("make", "letters.npy", ["--rules", "one-by-one"], "is content-free, it must be adaptive"),
        ("make", "letters.npy", ["--rows", "3"], "--rows 3, allowed: 4 and above"),
        ("make", "letters.npy", ["--confidence", "1"], "confidence = 1.0, it must lie strictly between 0 and 1"),
    ],
)
def test_refusals(folder, tmp_path, make, data, options, line):
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        [
            "network",
            f"{folder}/mine.py:{make}",
            "--data",
            str(folder / data),
            "--steps",
            "2",
            "--out",
            str(out),
            *options,
        ],
    )
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert line in done.stderr
    assert not out.exists()


def test_without_torch_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr("mdm.door.find_spec", lambda name: None if name == "torch" else object())
    done = CliRunner().invoke(app, ["network", f"{folder}/mine.py:make", "--data", str(folder / "letters.npy")])
    assert done.exit_code == 2
    assert done.stderr == "mdm network: torch is not installed; pip install 'masked-diffusion-theory[networks]'\n"


def test_help_does_not_load_torch():
    ran = subprocess.run(
        [sys.executable, "-c", "import sys, mdm.__main__; print('torch' in sys.modules, 'matplotlib' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.stdout.split() == ["False", "False"]


def test_an_exact_network_has_no_order_and_no_bias(folder):
    """network_costs on the exact denoiser: no spread between orders, curve = information curve within its band."""
    rng = np.random.default_rng(1)
    found = networks.network_costs(TARGET, TARGET.sample(200, rng), [3], rng, rules={}, windows=4)
    assert found.order_spread == pytest.approx(0.0, abs=1e-12)
    assert found.learning is not None
    assert found.learning.largest == pytest.approx(0.0, abs=1e-12)
    band, g = found.curves.cross_entropy.band, tm.information_curve(TARGET)
    assert (band.low <= g).all()
    assert (g <= band.high).all()
