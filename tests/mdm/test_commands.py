"""The command `mdm`: what it prints, what it refuses, what it writes."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mdm.__main__ import app
from mdm.names import LANGUAGES, RULES, language, rule

ROOT = Path(__file__).resolve().parents[2]
SAMPLERS = """
import torch


def one_by_one(network, size):
    x = torch.full((size, network.length), network.mask_id)
    for i in torch.randperm(network.length):
        x[:, i] = torch.distributions.Categorical(logits=network(x).logits[:, i]).sample()
    return x


def all_at_once(network, size):
    x = torch.full((size, network.length), network.mask_id)
    return torch.distributions.Categorical(logits=network(x).logits).sample()


def broken(network, size):
    return None


NOT_CALLABLE = 1
"""


@pytest.fixture
def samplers(tmp_path):
    path = tmp_path / "my samplers é.py"
    path.write_text(SAMPLERS, encoding="utf-8")
    return str(path)


def call(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


def refused(*arguments: str) -> str:
    """The one line on stderr; nothing on stdout."""
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


# ------------------------------------------------------------------------------------------------------------- audit


def test_an_exact_sampler(samplers):
    done = call("audit", f"{samplers}:one_by_one", "--language", "chain", "--size", "400", "--rule", "one-by-one")
    assert done.exit_code == 0
    assert "\nexact at this size: nothing found in 400 texts" in done.stdout
    assert "fits\n" in done.stdout
    assert "halving" in done.stdout


def test_a_sampler_that_errs_exits_1_and_prints_one_object(samplers):
    done = call("audit", f"{samplers}:all_at_once", "--language", "no-repeats", "--size", "400", "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["language"] == "no-repeats"
    assert found["calls"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert found["kl"]["low"] > 0.5
    assert found["cross_entropy"]["value"] == "inf"
    assert found["findings"][0]["kind"] == "impossible texts"


UNRULY = """
from __future__ import annotations
from dataclasses import dataclass

import torch


@dataclass
class Plan:
    calls: int = 1


def prints(network, size):
    print("working", Plan())
    x = torch.full((size, network.length), network.mask_id)
    for i in range(network.length):
        x[:, i] = torch.distributions.Categorical(logits=network(x).logits[:, i]).sample()
    return x


def leaves(network, size):
    raise SystemExit(0)


def insists(network, size):
    while True:
        try:
            network(torch.full((size, network.length), network.mask_id))
        except Exception:
            pass
"""


def test_samplers_that_print_leave_or_insist(tmp_path):
    """A dataclass under postponed annotations loads; prints go to stderr; leaving is no verdict; a budget holds."""
    file = tmp_path / "unruly.py"
    file.write_text(UNRULY)
    arguments = ("--language", "parity", "--length", "2", "--size", "50")
    done = call("audit", f"{file}:prints", *arguments, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["verdict"].startswith("exact at this size")
    assert "working" in done.stderr
    assert "the sampler raised SystemExit after 0 calls: 0" in refused("audit", f"{file}:leaves", *arguments)
    assert "the sampler does not end" in refused("audit", f"{file}:insists", *arguments)
    few = call("audit", f"{file}:prints", "--language", "parity", "--length", "2", "--size", "4")
    assert "so few texts find no change" in few.stdout


def test_the_shortest_text_in_error(samplers):
    arguments = ("audit", f"{samplers}:all_at_once", "--language", "chain", "--length", "4", "--size", "600")
    assert "L = 2. law: " in call(*arguments, "--shortest").stdout
    assert json.loads(call(*arguments, "--shortest", "--json").stdout)["shortest_text_in_error"] == 2
    assert "shortest_text_in_error" not in json.loads(call(*arguments, "--json").stdout)


class Tags(HTMLParser):
    """What is open, and every address that the page would load."""

    def __init__(self):
        super().__init__()
        self.open, self.loaded, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "rect", "line", "circle", "path"):
            self.open.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_one_file_that_loads_nothing(samplers, tmp_path):
    done = call(
        "audit", f"{samplers}:all_at_once", "--language", "chain", "--size", "300", "--out", str(tmp_path / "a b")
    )
    assert done.exit_code == 1
    assert done.stdout.endswith("audit.json, audit.html\n")
    assert sorted(p.name for p in (tmp_path / "a b").iterdir()) == ["audit.html", "audit.json"]
    found = json.loads((tmp_path / "a b" / "audit.json").read_text())
    page = (tmp_path / "a b" / "audit.html").read_text()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.loaded == []
    assert "script" not in page
    assert found["verdict"] in "".join(tags.text)
    assert "optimal front" in "".join(tags.text)


def test_bad_input_is_one_line(samplers, tmp_path):
    chain = ("--language", "chain")
    assert "no language 'klingon'; there are: chain, " in refused("audit", "x.py:f", "--language", "klingon")
    assert "no file 'x.py'" in refused("audit", "x.py:f", *chain)
    assert "its form is file.py:function" in refused("audit", "x.py", *chain)
    assert "has no function 'absent'" in refused("audit", f"{samplers}:absent", *chain)
    assert "has no function 'NOT_CALLABLE'" in refused("audit", f"{samplers}:NOT_CALLABLE", *chain)
    assert "the sampler returned None" in refused("audit", f"{samplers}:broken", *chain, "--size", "10")
    assert "size = 1, it must be an integer >= 2" in refused("audit", f"{samplers}:broken", *chain, "--size", "1")
    assert "length = 0 of 'chain', allowed: 1..4096" in refused("audit", f"{samplers}:broken", *chain, "--length", "0")
    assert "no rule 'magic'" in refused("audit", f"{samplers}:broken", *chain, "--rule", "magic")
    assert "its form is eb:GAMMA" in refused("audit", f"{samplers}:broken", *chain, "--rule", "eb")
    assert "output = 'text', allowed" in refused("audit", f"{samplers}:broken", *chain, "--output", "text")
    (tmp_path / "bad.py").write_text("import absent_package\n")
    assert "cannot be imported: ModuleNotFoundError" in refused("audit", f"{tmp_path}/bad.py:f", *chain)
    (tmp_path / "file").write_text("")
    assert "File exists" in refused("audit", f"{samplers}:broken", *chain, "--out", str(tmp_path / "file"))


def test_a_table_too_long_for_memory_is_refused(samplers):
    told = refused("audit", f"{samplers}:broken", "--language", "table", "--length", "30")
    assert "length = 30 of 'table', allowed: 1..12" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["audit"], "mdm audit: Missing argument 'sampler'; see"),
        (["audit", "x.py:f", "--size", "many"], "mdm audit: Invalid value for '--size'"),
        (["audit", "x.py:f", "--nonsense", "3"], "mdm audit: No such option: --nonsense"),
        (["audti"], "mdm: No such command 'audti'"),
    ],
)
def test_usage_errors_are_one_line(arguments, told):
    done = subprocess.run(
        [sys.executable, "-m", "mdm", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("torch", ["audit", "x.py:f", "--language", "chain"], "networks"),
        ("papermill", ["run", "01-perplexity"], "notebooks"),
    ],
)
def test_missing_packages_name_their_extra(monkeypatch, module, arguments, extra):
    monkeypatch.setitem(sys.modules, module, None)
    command = arguments[0]
    wanted = f"mdm {command}: {module} is not installed; pip install 'masked-diffusion-theory[{extra}]'\n"
    assert refused(*arguments) == wanted


# ------------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize("name", LANGUAGES)
def test_languages_are_what_they_say(name):
    target = language(name, None)
    assert target.length == LANGUAGES[name].length
    assert target.entropy() > 0


@pytest.mark.parametrize("form", RULES)
def test_rules_are_read_from_their_form(form):
    import toy_models as tm

    values = {"N": "3", "K": "2", "P": "0.9", "GAMMA": "0.1", "B": "2", "F": "0.5"}
    name, *rest = form.split(":")
    found = rule(":".join([name, *(values[v] for v in rest)]), 6)
    assert isinstance(found, tm.ContentFree | tm.Adaptive | tm.Drawn)
    with pytest.raises(ValueError, match="its form is"):
        rule(form + ":1", 6)
    for text in rest:
        with pytest.raises(ValueError, match="in a rule"):
            rule(":".join([name, *("x" if v == text else values[v] for v in rest)]), 6)


# ------------------------------------------------------------------------------------------------ claims, notebooks


def test_everything_is_listed():
    found = json.loads(call("list", "--json").stdout)
    assert set(found) == {"languages", "rules", "claims", "notebooks"}
    assert "trajectory-identity" in found["claims"]
    assert "01-perplexity" in found["notebooks"]
    assert call("list", "rules").stdout.startswith("rules\n  one-by-one ")
    assert "kind = 'papers', allowed: " in refused("list", "papers")


def test_a_claim_is_told_and_run():
    done = call("claim", "trajectory-identity", "--run", "--json")
    found = json.loads(done.stdout)
    assert found["verdict"] == "holds"
    assert found["statement"].startswith("For the oracle sampler")
    assert found["proof"] == "theory/perplexity/derivation.md#trajectory-identity"
    assert (ROOT / found["proof"].split("#")[0]).exists()
    assert {f["result"] for f in found["functions"] if f["role"] == "control"} == {"REFUTED"}
    told = call("claim", "trajectory-identity").stdout
    assert "Verdict  holds (formal)" in told
    assert "control " in told
    assert "no claim 'trajectory'; near: trajectory-identity" in refused("claim", "trajectory")


def test_verify_is_the_ledgers_own_run(monkeypatch):
    import theory.__main__ as ledger

    seen = []
    monkeypatch.setattr(ledger, "main", lambda arguments: seen.append(arguments) or print("1 claims") or 1)
    done = call("verify", "--fast", "--topic", "energy", "--claim", "x", "--json")
    assert seen == [["--fast", "--topic", "energy", "--claim", "x"]]
    assert json.loads(done.stdout) == {"exit": 1, "lines": ["1 claims"]}
    assert done.exit_code == 1
    assert call("verify", "--accept", "a", "--accept", "b").stdout == "1 claims\n"
    assert seen[-1] == ["--accept", "a", "b"]


def test_verify_refuses_what_the_ledger_refuses():
    assert "unknown topic 'astrology'" in refused("verify", "--fast", "--topic", "astrology")


def test_run_passes_parameters_on(monkeypatch):
    import notebooks.run

    seen = []
    monkeypatch.setattr(
        notebooks.run, "run", lambda name, given, progress: seen.append((name, given)) or Path("made.ipynb")
    )
    done = call("run", "01-perplexity", "-p", "profile", "smoke", "-p", "seed=-1", "--json")
    assert seen == [("01-perplexity", {"profile": "smoke", "seed": "-1"})]
    assert json.loads(done.stdout)["executed"] == "made.ipynb"
    assert "has no value" in refused("run", "01-perplexity", "-p", "profile")
    assert "belongs to no parameter" in refused("run", "01-perplexity", "smoke")
    assert "given more than once" in refused("run", "01-perplexity", "-p", "seed", "1", "-p", "seed", "2")


def test_run_refuses_what_the_runner_refuses():
    assert "no notebook '99-x'" in refused("run", "99-x")


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom mdm.__main__ import app\n"
        "CliRunner().invoke(app, ['--help']), CliRunner().invoke(app, ['audit', '--help'])\n"
        "print(sorted({'torch', 'papermill', 'matplotlib', 'sympy', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "[]\n"
