"""The ledger: verdicts follow from what ran, defects are named, a changed constant turns its line red."""

import importlib
import inspect
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from theory import __main__ as command
from theory.ledger import THEORY, parallel
from theory.ledger import claims as claims_module
from theory.ledger import run as ledger
from theory.ledger.claims import TOPICS, Claim, LedgerError, load_claims, notebook_of
from theory.ledger.registry import REGISTRY, Outcome, Registered
from theory.ledger.report import is_red
from theory.ledger.run import load_topic, run_claim, run_topic, verdict_lines
from theory.ledger.statements import Statement

PROVED, REFUTED, UNDECIDED = (Outcome(r, 4, 0.25, r.lower()) for r in ("PROVED", "REFUTED", "UNDECIDED"))
CLAIM = Claim("c", "energy", paper="this suite", where="where", form="reconstructed", prior="ours")


@pytest.fixture
def registry(monkeypatch):
    """An empty registry; add(role, outcome, tier) registers a function that returns, or raises, `outcome`."""
    monkeypatch.setattr(REGISTRY, "entries", [])
    monkeypatch.setattr(REGISTRY, "not_tight", {})

    def add(role, outcome, tier="rational", topic="energy", claim="c"):
        def function(results):
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        function.__name__ = f"{role}_function"
        REGISTRY.entries.append(Registered(claim, role, tier, function, topic))

    return add


def line_of(add, claim=CLAIM, **roles):
    """The line of a claim with the given roles; tightness and a rejected control unless they are given."""
    for role, outcome in ({"tightness": PROVED, "control": REFUTED} | roles).items():
        if outcome is not None:
            add(role, outcome)
    return run_claim(claim, None)


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("roles", "verdict"),
    [
        ({"check": PROVED}, "holds"),
        ({"check": PROVED, "sharper": PROVED}, "sharpened"),
        ({"check": REFUTED, "condition": PROVED}, "holds with condition"),
        ({"check": REFUTED, "correction": PROVED}, "fails as stated"),
        ({"construction": PROVED}, "construction shown"),
    ],
)
def test_verdicts_without_problems(registry, roles, verdict):
    line = line_of(registry, **roles)
    assert (line.verdict, line.problems, is_red(line)) == (verdict, (), False)
    assert (line.instances, line.margin, line.tier, line.controls) == (4, 0.25, "rational", 1)


@pytest.mark.parametrize(
    ("roles", "verdict", "problem"),
    [
        ({"check": UNDECIDED}, "undecided", None),
        ({"construction": UNDECIDED}, "undecided", None),
        ({"check": REFUTED, "condition": UNDECIDED}, "undecided", "condition condition_function came out UNDECIDED"),
        ({"check": REFUTED, "condition": REFUTED}, "undecided", "condition condition_function came out REFUTED"),
        (
            {"check": REFUTED, "correction": REFUTED},
            "fails as stated",
            "correction correction_function came out REFUTED",
        ),
        ({"check": PROVED, "sharper": UNDECIDED}, "holds", "sharper sharper_function came out UNDECIDED"),
        ({"check": PROVED, "sharper": REFUTED}, "holds", "sharper sharper_function came out REFUTED"),
        ({"check": PROVED, "definition": REFUTED}, "holds", "definition definition_function came out REFUTED"),
        ({"check": PROVED, "definition": UNDECIDED}, "holds", "definition definition_function came out UNDECIDED"),
        ({"check": PROVED, "tightness": REFUTED}, "holds", "tightness tightness_function came out REFUTED"),
        ({"check": PROVED, "tightness": None}, "holds", "no tightness witness"),
        ({"check": PROVED, "control": PROVED}, "holds", "control control_function came out PROVED, it must be REFUTED"),
        ({"check": PROVED, "control": UNDECIDED}, "holds", "control control_function came out UNDECIDED"),
        ({"check": PROVED, "control": None}, "holds", "no control is registered"),
        ({}, "error", "no check is registered"),
        ({"check": PROVED, "construction": PROVED}, "holds", "a check and a construction"),
        ({"check": REFUTED, "construction": PROVED}, "fails as stated", "a check and a construction"),
        ({"check": ZeroDivisionError("by zero")}, "error", "check check_function raised ZeroDivisionError: by zero"),
        ({"check": PROVED, "control": KeyError("k")}, "error", "control control_function raised KeyError: 'k'"),
        ({"check": "PROVED"}, "error", "returned str, not an Outcome"),
        ({"construction": REFUTED}, "fails as stated", "fails as stated, and no correction is proved"),
        ({"check": REFUTED}, "fails as stated", "fails as stated, and no correction is proved"),
        ({"check": REFUTED, "correction": UNDECIDED}, "fails as stated", "no correction is proved"),
        ({"check": replace(REFUTED, note=""), "correction": PROVED}, "fails as stated", "names the counterexample"),
    ],
)
def test_red_lines_name_their_problem(registry, roles, verdict, problem):
    line = line_of(registry, **roles)
    assert line.verdict == verdict
    if problem is None:
        assert line.problems == ()
    else:
        assert any(problem in p for p in line.problems), line.problems
    assert is_red(line)


@pytest.mark.parametrize(
    ("form", "quotation", "problem"),
    [
        ("ours", "", "a statement of our own is refuted"),
        ("ours", "we say", "a statement of our own is refuted"),
        ("as published", "", "a published statement is refuted without its quotation"),
        ("as published", "they say", None),
        ("reconstructed", "", None),
        ("reading", "", None),
    ],
)
@pytest.mark.parametrize("support", ["condition", "correction"])
def test_who_may_be_refuted(registry, form, quotation, problem, support):
    """Never ourselves; a published statement with its own words; a reading or reconstruction as what it is."""
    claim = replace(CLAIM, form=form, quotation=quotation)
    line = line_of(registry, claim, check=REFUTED, **{support: PROVED})
    assert line.verdict == {"condition": "holds with condition", "correction": "fails as stated"}[support]
    assert line.problems == (() if problem is None else (problem,))
    assert is_red(line) == (problem is not None)


def test_a_conjecture_is_consistent_at_best(registry, monkeypatch):
    block = Statement("c", "conjecture", "T", "$x=1$")
    monkeypatch.setattr(ledger, "statement_of", lambda topic, label: block)
    assert line_of(registry, check=PROVED).verdict == "conjecture, consistent"
    assert not is_red(run_claim(CLAIM, None))
    REGISTRY.entries.clear()
    assert line_of(registry, check=UNDECIDED).verdict == "undecided"
    REGISTRY.entries.clear()
    refuted = line_of(registry, replace(CLAIM, form="ours"), check=REFUTED, correction=PROVED)
    assert (refuted.verdict, is_red(refuted)) == ("fails as stated", True)


def test_a_passing_control_is_not_counted_as_rejected(registry):
    registry("control", PROVED)
    registry("control", REFUTED)
    registry("check", PROVED)
    assert run_claim(CLAIM, None).controls == 1


def test_the_weakest_deciding_tier_is_shown(registry):
    registry("check", PROVED, tier="symbolic")
    registry("check", PROVED, tier="float64")
    registry("control", REFUTED, tier="sampled")
    REGISTRY.not_tight["c"] = "an identity"
    line = run_claim(CLAIM, None)
    assert (line.tier, line.instances, line.problems) == ("float64", 8, ())


def test_a_foreign_topic_is_named(registry):
    registry("check", PROVED, topic="variance")
    assert "check_function is registered from topic variance" in run_claim(CLAIM, None).problems
    REGISTRY.entries.clear()
    registry("check", PROVED, topic="energy")
    assert not any("registered from" in p for p in run_claim(CLAIM, None).problems)


def test_every_module_of_a_topic_is_loaded():
    """A subject that is not imported would leave its claims without functions."""
    for topic in ledger.available_topics():
        load_topic(topic)
    modules = {p.with_suffix("").relative_to(THEORY.parent).as_posix() for p in THEORY.glob("*/checks/*.py")}
    subjects = {m.replace("/", ".") for m in modules if not m.endswith("__init__")}
    assert subjects
    assert subjects <= set(sys.modules)
    assert {e.topic for e in REGISTRY.entries} == set(TOPICS)


# ---------------------------------------------------------------- the files of claims

TABLE = {"paper": '"p"', "where": '"w"', "form": '"ours"', "prior": '"ours"', "uses": "[]"}


def write(path: Path, tables: dict[str, dict]) -> dict[str, Path]:
    text = "\n".join(f"[{i}]\n" + "\n".join(f"{k} = {v}" for k, v in table.items()) for i, table in tables.items())
    path.write_text(text, encoding="utf-8")
    return {path.stem: path}


def test_good_files(tmp_path):
    files = write(tmp_path / "energy.toml", {"b": TABLE | {"uses": '["a"]', "quotation": '"q"', "version": '"v2"'}})
    files |= write(tmp_path / "variance.toml", {"a": TABLE})
    claims = load_claims(files)
    assert claims == {
        "b": Claim("b", "energy", "p", "w", "ours", "ours", ("a",), "q", "v2"),
        "a": Claim("a", "variance", "p", "w", "ours", "ours"),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prior": None}, r"energy.toml:1: claim a: missing \['prior'\]"),
        ({"statement": '"x = 1"'}, r"energy.toml:1: claim a: missing \[\], unknown \['statement'\]"),
        ({"where": "3"}, r"energy.toml:1: claim a: where must be a str"),
        ({"version": "2"}, r"energy.toml:1: claim a: version must be a str"),
        ({"uses": '"b"'}, r"energy.toml:1: claim a: uses must be a list"),
        ({"uses": "[1]"}, r"energy.toml:1: claim a: uses must be a list of claim ids"),
        ({"uses": '["b"]'}, r"energy.toml:1: claim a: uses 'b', which is no claim"),
        (
            {"form": '"guessed"'},
            r"energy.toml:1: claim a: form = 'guessed', allowed: as published, reconstructed, reading, ours",
        ),
        ({"prior": '" "'}, r"energy.toml:1: claim a: empty \['prior'\]"),
        ({"uses": '["a"]'}, r"in a circle: a -> a"),
    ],
)
def test_malformed_claims_name_file_line_and_key(tmp_path, changes, message):
    table = {k: v for k, v in (TABLE | changes).items() if v is not None}
    with pytest.raises(LedgerError, match=message):
        load_claims(write(tmp_path / "energy.toml", {"a": table}))


def test_cycles_are_named(tmp_path):
    tables = {a: TABLE | {"uses": f'["{b}"]'} for a, b in ("xa", "ab", "bc", "ca")}
    with pytest.raises(LedgerError, match="in a circle: a -> b -> c -> a"):
        load_claims(write(tmp_path / "energy.toml", tables))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[claim\n", r"energy.toml: .*line 1"),
        ("x = 1\n", r"energy.toml: x is no table, each claim is one: \[x\]"),
        ("[[a]]\n", r"energy.toml: a is no table"),
        ("", r"energy.toml: no claims"),
        ("[a]\n[a]\n", r"energy.toml: .*line 2"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    path = tmp_path / "energy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError, match=message):
        load_claims({"energy": path})


def test_unreadable_files(tmp_path):
    with pytest.raises(LedgerError, match="cannot be read"):
        load_claims({"energy": tmp_path / "absent.toml"})
    (tmp_path / "energy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerError, match=r"energy.toml: .*can't decode"):
        load_claims({"energy": tmp_path / "energy.toml"})


def test_a_claim_in_two_topics(tmp_path):
    files = write(tmp_path / "energy.toml", {"a": TABLE}) | write(tmp_path / "variance.toml", {"a": TABLE})
    with pytest.raises(LedgerError, match=r"variance.toml:1: claim a appears in topic energy too"):
        load_claims(files)


def test_topics_are_those_with_claims_in_the_order_of_the_notebooks(monkeypatch, tmp_path):
    assert [notebook_of(topic) for topic in TOPICS] == sorted(notebook_of(topic) for topic in TOPICS)
    for name in ("02-a-b.ipynb", "01-c.ipynb", "extra.ipynb"):
        (tmp_path / name).touch()
    for topic in ("a_b", "c", "d"):
        (tmp_path / topic).mkdir()
        (tmp_path / topic / "claims.toml").touch()
    monkeypatch.setattr(claims_module, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(claims_module, "THEORY", tmp_path)
    assert list(claims_module.claim_files()) == ["c", "a_b", "d"]
    assert [notebook_of(topic) for topic in ("c", "a_b", "d", "extra")] == ["01-c", "02-a-b", None, None]


# ---------------------------------------------------------------- runs


def test_a_topic_that_raises_gives_error_lines(monkeypatch):
    def broken(profile, rng):
        raise RuntimeError("no memory")

    monkeypatch.setattr(load_topic("energy"), "results", broken)
    lines = run_topic("energy", "smoke")
    assert [line.claim.id for line in lines] == [c.id for c in load_claims().values() if c.topic == "energy"]
    for line in lines:
        assert (line.verdict, line.problems) == ("error", ("theory.energy raised RuntimeError: no memory",))
        assert is_red(line)


def test_only_one_claim_is_run(monkeypatch):
    monkeypatch.setattr(load_topic("energy"), "results", lambda profile, rng: None)
    (line,) = run_topic("energy", "smoke", only="energy-time-change")
    assert (line.claim.id, line.verdict) == ("energy-time-change", "holds")


def test_verdict_lines_show_problems(registry, monkeypatch):
    monkeypatch.setattr(ledger, "load_claims", lambda: {"c": CLAIM})
    registry("check", PROVED)
    registry("control", PROVED)
    text = verdict_lines("energy", object())
    assert "c  holds" in text
    assert "0 control(s) rejected" in text
    assert "! no tightness witness, and no reason why none is claimed; control control_function came out PROVED" in text


@pytest.mark.parametrize(
    ("arguments", "kind", "example"),
    [
        (["--claim", "nope"], "unknown claim 'nope'; there are: ", "ser-from-kl"),
        (
            ["--tier", "nope"],
            "unknown tier 'nope'; there are: ",
            "formal, symbolic, rational, enclosed, float64",
        ),
        (["--topic", "nope"], "unknown topic 'nope'; there are: ", "sequence_error"),
    ],
)
def test_unknown_arguments_list_what_exists(capsys, arguments, kind, example):
    assert command.main(arguments) == 2
    told = capsys.readouterr().err
    assert kind in told
    assert example in told


def test_the_run_goes_on_and_exits_nonzero(monkeypatch, capsys, tmp_path):
    """A check that raises is one error line; the other claims are still judged."""
    good, bad = replace(CLAIM, id="good"), replace(CLAIM, id="bad")
    lines = [
        ledger.Line(bad, "error", "-", None, 0, "", ("check f raised ValueError: x",), ()),
        ledger.Line(good, "holds", "rational", None, 1, "", (), ()),
    ]
    monkeypatch.setattr(command, "all_topics", lambda topics, profile, only: (lines, {}))
    monkeypatch.setattr(command, "load_topic", lambda topic: None)
    monkeypatch.setattr(command, "broken_links", lambda claims, only: [])
    monkeypatch.setattr(command, "unaccepted", lambda claims: [])
    monkeypatch.chdir(tmp_path)
    assert command.main(["--topic", "energy"]) == 1
    assert [path.name for path in tmp_path.rglob("*.json")] == ["ledger-environment.json"]
    told = capsys.readouterr().out
    assert "!! bad" in told
    assert "check f raised ValueError: x" in told
    assert "   good" in told
    assert "2 claims, 0 controls, 1 red" in told
    monkeypatch.setattr(command, "all_topics", lambda topics, profile, only: (lines[1:], {}))
    assert command.main(["--topic", "energy"]) == 0
    monkeypatch.setattr(command, "unaccepted", lambda claims: [f"{c.id}: changed" for c in claims])
    assert command.main(["--topic", "energy"]) == 1
    assert "!! good: changed" in capsys.readouterr().out


@pytest.mark.parametrize("choice", [["--claim", "energy-beta-pairs"], ["--topic", "energy"], ["--tier", "rational"]])
def test_a_partial_run_reports_the_missing_links_of_its_claims(monkeypatch, capsys, tmp_path, choice):
    claim = replace(load_claims()["energy-beta-pairs"], paper="nobody2020")
    line = ledger.Line(claim, "holds", "rational", None, 1, "", (), ())
    monkeypatch.setattr(command, "all_topics", lambda topics, profile, only: ([line], {}))
    monkeypatch.setattr(command, "RECORD", tmp_path / "record.json")
    assert command.main(choice) == 1
    told = capsys.readouterr().out
    assert "!! energy-beta-pairs: paper = 'nobody2020', neither" in told
    assert "1 claims, 0 controls, 1 red" in told


def test_topics_start_by_recorded_length(monkeypatch, tmp_path):
    """The longest first, the unknown before them; an unreadable record is none."""
    monkeypatch.setattr(parallel, "RECORD", tmp_path / "record.json")
    assert parallel.recorded_seconds() == {}
    (tmp_path / "record.json").write_text('{"seconds": {"a": 1.5, "b": 20.0}}')
    assert parallel.by_length(["a", "b", "new"], parallel.recorded_seconds()) == ["new", "b", "a"]
    (tmp_path / "record.json").write_text("[")
    assert parallel.recorded_seconds() == {}


# ---------------------------------------------------------------- one changed constant turns a line red

CHANGES = [
    ("perplexity", "dhw-prop-1", "dhw_prop_1_tight", "log(2) - ", "log(3) - "),
    ("sequence_error", "pair-independent-formula", "pair_independent", "fmpq(1, K)", "fmpq(1, K + 1)"),
    ("energy", "energy-kinetic-constant", "kinetic_ratio_by_support", "constant * at", "(constant + 1) * at"),
    ("entropy_bound", "eb-bound", "bound_holds_with_its_slack", "tc - slack)", "tc - slack.scaled(2))"),
    ("variance", "mirror-fourier", "fourier_reduction", "_fourier(-1)", "_fourier(+1)"),
    ("learned_order", "power-family-is-plackett-luce", "nested_integral_of_powers", "== 0", "== 1"),
    ("any_process", "edit-transition", "transition_is_local", "length_law(x, actions)", "length_law(x, actions) + 1"),
]


def changed(entry: Registered, old: str, new: str) -> Registered:
    """The same registered function with one piece of its source replaced."""
    source = textwrap.dedent(inspect.getsource(entry.function))
    body = source[source.index("def ") :]
    assert body.count(old) == 1, (old, body)
    scope = dict(entry.function.__globals__)
    exec(compile(body.replace(old, new), inspect.getsourcefile(entry.function), "exec"), scope)
    return replace(entry, function=scope[entry.function.__name__])


@pytest.mark.parametrize(("topic", "name", "function", "old", "new"), CHANGES, ids=[c[1] for c in CHANGES])
def test_one_changed_constant_turns_the_line_red(monkeypatch, topic, name, function, old, new):
    load_topic(topic)
    claim, results = load_claims()[name], SimpleNamespace(profile="smoke")
    before = run_claim(claim, results)
    assert not is_red(before), before.problems
    entries = [changed(e, old, new) if e.function.__name__ == function else e for e in REGISTRY.of(name)]
    monkeypatch.setattr(REGISTRY, "entries", entries)
    after = run_claim(claim, results)
    assert is_red(after) or after.verdict != before.verdict
    assert after.verdict != "error"


def test_a_changed_library_turns_lines_red(monkeypatch):
    """The same from below: a wrong divergence, a wrong denoiser and a wrong bound, each seen by a claim."""
    load_topic("perplexity")
    load_topic("sequence_error")
    claims = load_claims()
    curves = importlib.import_module("toy_models.exact.curves")
    claims_module = importlib.import_module("theory.perplexity.checks.schedules")
    right = curves.path_law
    for module, attribute, wrong, name in (
        (curves, "path_law", lambda pmf, steps: right(pmf, [0] * pmf.ndim), "trajectory-identity"),
        (claims_module, "odds_geometric_bound", lambda steps: (0.5 / steps, 0.0), "odds-geometric"),
        (curves, "sizes_row", lambda sizes: curves.entropy_row(sum(sizes)), "curve-identity-sizes"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, attribute, wrong)
            line = run_claim(claims[name], SimpleNamespace(profile="smoke"))
            assert is_red(line) or line.verdict == "fails as stated", name


# ---------------------------------------------------------------- the real file


def test_the_committed_claims_load():
    claims = load_claims()
    assert {c.topic for c in claims.values()} == set(TOPICS)


def test_every_claim_has_its_functions():
    """Check or construction, a control, and tightness or a reason; registered from the claim's own topic."""
    claims = load_claims()
    for topic in ledger.available_topics():
        load_topic(topic)
    found = []
    for claim in claims.values():
        by_role = {role: REGISTRY.of(claim.id, role) for role in ledger.ROLES}
        ran = {role: [SimpleNamespace(entry=e) for e in entries] for role, entries in by_role.items()}
        found += [f"{claim.id}: {p}" for p in ledger.structural_problems(claim, ran)]
    assert found == []
    assert {e.claim for e in REGISTRY.entries} | set(REGISTRY.not_tight) <= set(claims)
