"""The page that moves shows the library's numbers: the committed data against exact laws, setting by setting."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

import toy_models as tm
from book.moving_page import CONFIDENCE, DATA, LANGUAGES, denoisers, forbidden, numbers, settings, told

NAMES = ("trajectory", "written", "error", "calls", "perplexity")


@pytest.fixture(scope="module")
def data() -> dict:
    text = DATA.read_text(encoding="utf-8")
    return json.loads(re.fullmatch(r"const DATA = (.*);\n", text)[1])


def parts(data):
    """(language, length, target, its part of the data)."""
    for language, shown in zip(LANGUAGES, data["languages"], strict=True):
        for length, part in zip(language.lengths, shown["parts"], strict=True):
            yield language, length, language.make(length), part


def test_the_data_are_those_of_the_code(data):
    """Every setting, its label and its cuts: a rule or a schedule that changed asks for new data."""
    for language, length, target, part in parts(data):
        assert part["length"] == length
        g = tm.information_curve(target)
        assert np.allclose(part["g"], g, rtol=1e-6)
        made = settings(target, g)
        assert list(made) == list(part["rules"])
        for rule, by_schedule in made.items():
            assert list(by_schedule) == list(part["rules"][rule])
            for schedule, choices in by_schedule.items():
                shown = part["rules"][rule][schedule]
                assert [c.label for c in choices] == [s["label"] for s in shown]
                for choice, setting in zip(choices, shown, strict=True):
                    assert np.allclose(choice.cuts, setting["cuts"], atol=2e-4), (language.name, rule, schedule)


CASES = [
    ("apart", 4, "independent", "linear", 3, "exact"),
    ("apart", 6, "independent", "cosine", 2, "sharpened"),
    ("apart", 6, "random-order", "even", 1, "exact"),
    ("apart", 6, "shifted", "", 2, "exact"),
    ("apart", 6, "drawn-confidence", "", 4, "exact"),
    ("apart", 4, "entropy-bounded", "", 2, "sharpened"),
    ("slow", 8, "independent", "best", 2, "exact"),
    ("slow", 8, "random-order", "best", 2, "sharpened"),
    ("slow", 8, "drawn-confidence", "", 3, "exact"),
    ("slow", 8, "confident", "", 1, "exact"),
    ("slow", 4, "halving", "", 0, "exact"),
]


@pytest.mark.parametrize(("name", "length", "rule", "schedule", "at", "denoiser"), CASES)
def test_numbers_of_small_languages_by_their_definitions(data, name, length, rule, schedule, at, denoiser):
    """From the table of the language and the law of the sampler, to the digits stored (more than are shown)."""
    found = {(language.name, n): (target, part) for language, n, target, part in parts(data)}
    target, part = found[name, length]
    stored = part["rules"][rule][schedule][at][denoiser]["numbers"]
    chosen = settings(target, tm.information_curve(target))[rule][schedule][at].rule
    law = tm.sampler_law(denoisers(target)[denoiser], chosen)
    texts = np.array(list(np.ndindex(*law.pmf.shape)))
    q, p = np.exp(target.log_prob(texts)), law.pmf.ravel()
    inside = q > 0
    assert np.isclose(stored["written"][0], (q[inside] * np.log(q[inside] / p[inside])).sum() / length, atol=1e-6)
    assert np.isclose(stored["error"][0], 1 - p[inside].sum(), atol=1e-6)
    assert np.isclose(stored["calls"][0], law.mean_steps, rtol=1e-6)
    loss = -(p[inside] * np.log(q[inside])).sum() / p[inside].sum()
    assert np.isclose(stored["perplexity"][0], np.exp(loss / length), rtol=1e-6)
    if stored["trajectory"] is not None:
        assert stored["trajectory"][0] >= stored["written"][0] - 1e-12
    assert all(stored[key] is None or len(set(stored[key])) == 1 for key in NAMES)  # all exact


def test_the_curve_gives_the_cost_of_a_random_order(data):
    """The area that the page draws, from its own g and cuts, is the trajectory KL that it prints."""
    for _, length, _, part in parts(data):
        g = part["g"]
        for choices in part["rules"]["random-order"].values():
            for setting in choices:
                starts = np.array(setting["cuts"]).astype(int)
                area = sum(g[a] - g[k] for a, b in pairwise(starts) for k in range(a, b))
                assert np.isclose(area / length, setting["exact"]["numbers"]["trajectory"][0], atol=2e-6)


def test_sampled_numbers_hold_exact_ones(data):
    """English, L = 8: halving is exact on a chain, one letter per call too; intervals hold what is known."""
    target = LANGUAGES[2].make(8)
    part = data["languages"][2]["parts"][0]
    truth = np.exp(target.entropy() / 8)
    for rule, schedule in (("halving", ""), ("left-to-right", "")):
        found = part["rules"][rule][schedule][0]["exact"]["numbers"]
        assert found["written"] == [0.0, 0.0, 0.0]
        assert found["error"][1] == 0.0
        assert found["perplexity"][1] <= truth <= found["perplexity"][2]
    independent = part["rules"]["independent"]["linear"][2]["exact"]["numbers"]
    assert np.isclose(
        independent["error"][0], tm.sequence_error(target, tm.IndependentReveal(np.full(4, 0.25))), atol=1e-6
    )
    assert independent["written"][2] <= independent["trajectory"][0] + 0.05
    full = 4 * (1 - 0.75**8)  # of a run that ends; stuck runs stop earlier
    assert independent["calls"][1] <= full
    assert full * (1 - independent["error"][0]) <= independent["calls"][2]
    assert data["confidence"] == CONFIDENCE


def test_texts_are_runs_of_their_rule(data):
    """No more calls than letters, a letter per call where that is the rule, clashes where the language has some."""
    for language, length, target, part in parts(data):
        never = forbidden(target)
        assert never == next(s["never"] for s in data["languages"] if s["name"] == language.name)
        for rule, by_schedule in part["rules"].items():
            for setting in (s for choices in by_schedule.values() for s in choices):
                for shown in setting["exact"]["runs"] + setting["sharpened"]["runs"]:
                    calls = [c for c in shown["call"] if c >= 0]
                    assert sorted(set(calls)) == list(range(max(calls) + 1))
                    assert (min(shown["x"]) >= 0) != shown["stuck"]
                    if rule == "left-to-right":
                        assert shown["call"] == list(range(length))


def test_a_setting_is_computed_as_stored(data):
    """The whole path once more, runs and numbers, on the smallest language."""
    target = LANGUAGES[0].make(4)
    setting = settings(target, tm.information_curve(target))["independent"]["linear"][2]
    stored = data["languages"][0]["parts"][0]["rules"]["independent"]["linear"][2]
    assert json.loads(json.dumps(told(target, setting)))["exact"]["runs"] == stored["exact"]["runs"]


def test_both_kls_are_one_where_the_text_tells_its_order():
    target = LANGUAGES[1].make(4)
    found = numbers(target, target, tm.TopK(2), np.random.default_rng(0))
    assert found["trajectory"] is not None
    assert np.isclose(found["trajectory"][0], found["written"][0], atol=1e-12)
