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
from theory import ledger
from theory.claims import TOPICS, Claim, LedgerError, load_claims
from theory.ledger import load_topic, run_claim, run_topic, verdict_lines
from theory.registry import REGISTRY, Outcome, Registered
from theory.report import is_red

HOME = Path(ledger.__file__).parent
PROVED, REFUTED, UNDECIDED = (Outcome(r, 4, 0.25, r.lower()) for r in ("PROVED", "REFUTED", "UNDECIDED"))
CLAIM = Claim("c", "energy", "paper", "where", "s", "ours", "ours", (), "c", "03-energy")


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


def line_of(add, **roles):
    """The line of a claim with the given roles; tightness and a rejected control unless they are given."""
    for role, outcome in ({"tightness": PROVED, "control": REFUTED} | roles).items():
        if outcome is not None:
            add(role, outcome)
    return run_claim(CLAIM, None)


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("roles", "verdict"),
    [
        ({"check": PROVED}, "holds"),
        ({"check": PROVED, "sharper": PROVED}, "sharpened"),
        ({"check": REFUTED, "condition": PROVED}, "holds with condition"),
        ({"check": REFUTED}, "fails as stated"),
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
        ({"construction": REFUTED}, "fails as stated", None),
    ],
)
def test_red_lines_name_their_problem(registry, roles, verdict, problem):
    line = line_of(registry, **roles)
    assert line.verdict == verdict
    if problem is None:
        assert line.problems == ()
    else:
        assert any(problem in p for p in line.problems), line.problems
    if verdict != "fails as stated" or problem:
        assert is_red(line)


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
    modules = {p.with_suffix("").relative_to(HOME.parent).as_posix() for p in (HOME / "checks").glob("*/*.py")}
    subjects = {m.replace("/", ".") for m in modules if not m.endswith("__init__")}
    assert len(subjects) >= 40
    assert subjects <= set(sys.modules)
    assert {e.topic for e in REGISTRY.entries} == set(TOPICS)


# ---------------------------------------------------------------- claims.toml

BLOCK = {
    "id": '"a"',
    "topic": '"energy"',
    "paper": '"p"',
    "where": '"w"',
    "statement": '"s"',
    "form": '"ours"',
    "prior": '"ours"',
    "uses": "[]",
    "derivation": '"a"',
    "notebook": '"03-energy"',
}


def write(path: Path, *blocks: dict) -> Path:
    text = "\n".join("[[claim]]\n" + "\n".join(f"{k} = {v}" for k, v in block.items()) for block in blocks)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file(tmp_path):
    path = write(tmp_path / "claims.toml", BLOCK, BLOCK | {"id": '"b"', "uses": '["a"]'})
    assert list(load_claims(path)) == ["a", "b"]
    assert load_claims(path)["b"].uses == ("a",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"notebook": None}, r"claims.toml:2: claim a: missing \['notebook'\]"),
        ({"colour": '"red"'}, r"claims.toml:2: claim a: missing \[\], unknown \['colour'\]"),
        ({"where": "3"}, r"claims.toml:2: claim a: where must be a str"),
        ({"uses": '"b"'}, r"claims.toml:2: claim a: uses must be a list"),
        ({"uses": "[1]"}, r"claims.toml:2: claim a: uses must be a list of claim ids"),
        ({"uses": '["b"]'}, r"claims.toml:2: claim a: uses 'b', which is no claim"),
        (
            {"form": '"guessed"'},
            r"claims.toml:2: claim a: form = 'guessed', allowed: as published, reconstructed, ours",
        ),
        ({"topic": '"poetry"'}, r"claims.toml:2: claim a: topic = 'poetry', allowed: perplexity, "),
        ({"statement": '" "'}, r"claims.toml:2: claim a: empty \['statement'\]"),
        ({"uses": '["a"]'}, r"in a circle: a -> a"),
    ],
)
def test_malformed_claims_name_file_line_and_key(tmp_path, changes, message):
    block = {k: v for k, v in (BLOCK | changes).items() if v is not None}
    with pytest.raises(LedgerError, match=message):
        load_claims(write(tmp_path / "claims.toml", block))


def test_cycles_are_named(tmp_path):
    blocks = [BLOCK | {"id": f'"{a}"', "uses": f'["{b}"]'} for a, b in ("xa", "ab", "bc", "ca")]
    with pytest.raises(LedgerError, match="in a circle: a -> b -> c -> a"):
        load_claims(write(tmp_path / "claims.toml", *blocks))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[claim]\n", r"claims.toml: .*line 1"),
        ("x = 1\n", r"claims.toml: unknown table\(s\) \['x'\]"),
        ("", r"claims.toml: no \[\[claim\]\] blocks"),
        ("claim = 3\n", r"claims.toml: no \[\[claim\]\] blocks"),
        ("claim = [1]\n", r"claims.toml: no \[\[claim\]\] blocks"),
        ('[claim]\nid = "a"\n', r"claims.toml: no \[\[claim\]\] blocks"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    path = tmp_path / "claims.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError, match=message):
        load_claims(path)


def test_unreadable_files(tmp_path):
    with pytest.raises(LedgerError, match="cannot be read"):
        load_claims(tmp_path / "absent.toml")
    (tmp_path / "claims.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerError, match=r"claims.toml: .*can't decode"):
        load_claims(tmp_path / "claims.toml")


def test_a_claim_twice(tmp_path):
    with pytest.raises(LedgerError, match="claim a appears twice"):
        load_claims(write(tmp_path / "claims.toml", BLOCK, BLOCK))


# ---------------------------------------------------------------- runs


def test_a_topic_that_raises_gives_error_lines(monkeypatch):
    def broken(profile, rng):
        raise RuntimeError("no memory")

    monkeypatch.setattr(load_topic("energy"), "results", broken)
    lines = run_topic("energy", "smoke")
    assert len(lines) == 17
    for line in lines:
        assert (line.verdict, line.problems) == ("error", ("theory.energy raised RuntimeError: no memory",))
        assert is_red(line)


def test_only_one_claim_is_run(monkeypatch):
    monkeypatch.setattr(load_topic("energy"), "results", lambda profile, rng: None)
    (line,) = run_topic("energy", "smoke", only="energy-beta-pairs")
    assert (line.claim.id, line.verdict) == ("energy-beta-pairs", "holds")


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
        (["--tier", "nope"], "unknown tier 'nope'; there are: ", "symbolic, rational, enclosed, float64, sampled"),
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
    monkeypatch.setattr(command, "ROOT", tmp_path)
    assert command.main(["--topic", "energy"]) == 1
    told = capsys.readouterr().out
    assert "!! bad" in told
    assert "check f raised ValueError: x" in told
    assert "   good" in told
    assert "2 claims, 0 controls, 1 red" in told
    monkeypatch.setattr(command, "all_topics", lambda topics, profile, only: (lines[1:], {}))
    assert command.main(["--topic", "energy"]) == 0


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
    curves = importlib.import_module("theory.exact_curves")
    claims_module = importlib.import_module("theory.checks.perplexity.schedules")
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
    assert len(claims) >= 20
    assert {c.topic for c in claims.values()} <= set(TOPICS)


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
    controls = sum(e.role == "control" for e in REGISTRY.entries)
    assert controls >= 60
    assert controls >= len(claims)
    assert {e.claim for e in REGISTRY.entries} | set(REGISTRY.not_tight) <= set(claims)
