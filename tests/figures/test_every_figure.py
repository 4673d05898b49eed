"""Every figure of every topic: its files, its record, its caption, and the same bytes whatever the user's settings."""

import json
from functools import cache

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from smoke import results

from figures import ROOT, registry
from figures.registry import Entry, figure, no_figure
from figures.save import draw
from theory.ledger import figures as drawn_by
from theory.ledger.claims import TOPICS, load_claims
from theory.ledger.figures import save_all

ALL = ("start_here", "your_network", *TOPICS)
PARAMETERS = {"profile": "smoke"}
# a user's matplotlibrc that differs where figures would show it
USER = {
    "lines.linewidth": 7.0,
    "font.size": 19.0,
    "axes.facecolor": "black",
    "axes.labelcolor": "red",
    "xtick.direction": "in",
    "svg.fonttype": "none",
    "savefig.bbox": "tight",
    "savefig.transparent": True,
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """topic -> {name: path of the JSON}."""

    @cache
    def write(topic):
        out = tmp_path_factory.mktemp(topic)
        return {path.stem: path for path in save_all(topic, results(topic), out, PARAMETERS, 0)}

    return write


@pytest.mark.parametrize("topic", ALL)
def test_three_files_and_the_record_of_the_registration(written, topic):
    entries = [entry for entry in drawn_by.of(topic) if entry.drawable]
    assert list(written(topic)) == [entry.name for entry in entries]
    for entry in entries:
        path = written(topic)[entry.name]
        assert path.with_suffix(".svg").stat().st_size > 1000
        assert path.with_suffix(".png").stat().st_size > 10_000
        record = json.loads(path.read_text(encoding="utf-8"))
        assert (record["name"], record["claims"], record["kind"]) == (entry.name, list(entry.claims), entry.kind)
        assert (record["accuracy"], record["needs"]) == (dict(entry.accuracy), entry.needs)
        assert (record["parameters"], record["seed"]) == (PARAMETERS, 0)
        assert record["data"]
        assert record["alt"] == entry.alt
        assert record["alt"].endswith(".")
        assert entry.alt.replace(">", "&gt;").replace("<", "&lt;") in path.with_suffix(".svg").read_text("utf-8")


@pytest.mark.parametrize("topic", ALL)
def test_the_caption_names_what_the_record_names(topic):
    for entry in filter(lambda entry: entry.drawable, drawn_by.of(topic)):
        fig, _ = draw(entry, results(topic))
        told = " ".join(fig.get_supxlabel().split())
        plt.close(fig)
        assert told == " ".join(entry.caption(results(topic)).split())
        first, *rest = told.split(" · ")
        kind = rest[0] if entry.claims else first
        named = first.removeprefix("claims: ").removeprefix("claim: ").split(", ") if entry.claims else []
        assert (tuple(named), kind) == (entry.claims, entry.kind)


@pytest.mark.parametrize("topic", ALL)
def test_same_bytes_under_another_matplotlibrc(written, topic, tmp_path):
    with mpl.rc_context(USER):
        again = save_all(topic, results(topic), tmp_path, PARAMETERS, 0)
    for path in again:
        for suffix in (".svg", ".json"):
            assert path.with_suffix(suffix).read_bytes() == written(topic)[path.stem].with_suffix(suffix).read_bytes()
    assert len({path.with_suffix(".svg").read_bytes() for path in again}) == len(again)


def test_some_figures_of_a_topic(tmp_path):
    (path,) = save_all("start_here", results("start_here"), tmp_path, PARAMETERS, 0, names=["start-here-law"])
    assert {p.stem for p in tmp_path.iterdir()} == {path.stem} == {"start-here-law"}
    with pytest.raises(ValueError, match="start_here has no figure 'law', allowed: start-here-trace, "):
        save_all("start_here", None, tmp_path, PARAMETERS, 0, names=["law"])
    with pytest.raises(ValueError, match="topic = 'start' has no figure"):
        save_all("start", None, tmp_path, PARAMETERS, 0)


def test_every_claim_is_shown_or_says_why_not():
    claims = load_claims()
    drawn_by.load()
    shown = {claim for entry in registry.FIGURES.values() for claim in entry.claims}
    assert shown | set(registry.WITHOUT) == set(claims)
    assert shown & set(registry.WITHOUT) == set()


def test_every_figure_belongs_to_one_topic_and_is_committed():
    drawn_by.load()
    homes = {entry.name: [t for t in ALL if entry.belongs_to(t)] for entry in registry.FIGURES.values()}
    assert {name: found for name, found in homes.items() if len(found) != 1} == {}
    out = ROOT / "figures" / "out"
    for suffix in ("json", "svg", "png"):
        assert {p.stem for p in out.glob(f"*.{suffix}")} == set(homes)


def test_committed_records_name_the_claims_of_the_registration():
    drawn_by.load()
    for entry in registry.FIGURES.values():
        record = json.loads((ROOT / "figures" / "out" / f"{entry.name}.json").read_text(encoding="utf-8"))
        assert (record["claims"], record["kind"]) == (list(entry.claims), entry.kind), entry.name


def drawn(results):
    """A line."""


@pytest.mark.parametrize(
    ("name", "draw_function", "changes", "message"),
    [
        ("x-line", drawn, {"kind": "guessed"}, "x-line: kind = 'guessed', allowed: exact, sampled, trained"),
        ("x-line", drawn, {"needs": "luck"}, "x-line: needs = 'luck', allowed: None, real, gpu"),
        ("x-line", drawn, {"claims": "a"}, "x-line: claims = 'a', allowed: a tuple of different claim ids"),
        ("x-line", drawn, {"claims": ("a", "a")}, "allowed: a tuple of different claim ids"),
        ("x-line", lambda results: None, {}, "x-line: <lambda> has no docstring"),
        ("start-here-law", drawn, {}, "start-here-law: drawn by theory.start_here.figures and by .*, allowed: one"),
    ],
)
def test_registrations_that_cannot_be_meant(monkeypatch, name, draw_function, changes, message):
    drawn_by.load("start_here")
    monkeypatch.setattr(registry, "FIGURES", dict(registry.FIGURES))
    with pytest.raises(ValueError, match=message):
        figure(name, **({"claims": ("a",), "kind": "exact"} | changes))(draw_function)
    assert "x-line" not in registry.FIGURES


def test_no_figure_says_why():
    with pytest.raises(ValueError, match="c: no_figure needs a reason"):
        no_figure("c", " ")


def test_a_caption_without_claims_or_note():
    assert Entry("a", drawn, (), "exact").caption(None) == "exact"
    assert Entry("a", drawn, ("c",), "exact", note="n").caption(None) == "claim: c · exact · n"
    assert Entry("a", drawn, ("c", "d"), "sampled", note=str).caption(5) == "claims: c, d · sampled · 5"
