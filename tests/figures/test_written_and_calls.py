"""Names on axes: the two divergences are never mixed, and what is called calls never passes the length."""

import dataclasses
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from smoke import results as smoke_results

from theory.networks import figures as networks
from theory.networks import figures_rules
from theory.perplexity import figures as perplexity
from theory.sequence_error import figures as sequence_error
from theory.sequence_error.figures_calls import calls


def test_the_two_divergences_are_never_called_by_one_name():
    """A label that says "excess" belongs to the written law alone."""
    for draw in (perplexity.collapse, perplexity.schedules, perplexity.order):
        fig, _ = draw(smoke_results("perplexity"))
        for ax in fig.axes:
            words = [ax.get_ylabel(), *(str(line.get_label()) for line in ax.get_lines())]
            words += [] if "ε" in ax.get_xlabel() else [ax.get_xlabel()]  # ε: what Thm 4.2 asks of the excess itself
            assert not any("excess" in word and "written law" not in word for word in words)
        plt.close(fig)


def test_both_divergences_are_drawn():
    fig, data = perplexity.collapse(smoke_results("perplexity"))
    assert [part.language for part in data["trajectory"]] == [part.language for part in data["written"]]
    for ax, part in zip(fig.axes, data["written"], strict=True):
        drawn = next(line for line in ax.get_lines() if "excess log TER" in str(line.get_label()))
        np.testing.assert_array_equal(drawn.get_ydata(), part.excess)
    plt.close(fig)


def test_no_axis_called_calls_passes_the_length():
    """A write-once sampler makes at most L calls that reveal a token, whatever its number of time slots."""
    results, seen = smoke_results("sequence_error"), 0
    fig, _ = calls(results)
    assert "calls" in fig.axes[0].get_ylabel()
    for ax, part in zip(fig.axes, results.costs, strict=True):
        for line in ax.get_lines():
            assert (np.asarray(line.get_ydata()) <= part.lengths + 1e-9).all()
            seen += 1
    assert seen == 8
    plt.close(fig)
    fig, _ = sequence_error.cost(results)
    for ax in fig.axes:
        solid = [line for line in ax.get_lines() if line.get_linestyle() == "-" and len(line.get_xdata()) > 0]
        assert len(solid) >= 3
        assert max(np.max(line.get_ydata()) for line in solid) <= 1 + 1e-12  # per token
    plt.close(fig)


def test_calls_of_trained_networks_do_not_pass_the_length():
    """Axes named calls: expected calls, at most L; the causal twin is one point at L calls in both figures."""
    results = smoke_results("networks")
    length = results.plan.length
    for draw in (networks.token_error, networks.sequence_error):
        fig, data = draw(results)
        assert [ax.get_xlabel() for ax in fig.axes] == ["", "", "expected calls", "expected calls"]
        for ax in fig.axes:
            drawn = [np.asarray(line.get_xdata()) for line in ax.get_lines()]
            assert max(x.max() for x in drawn if len(x)) <= length + 1e-9
            assert any(x.tolist() == [length] for x in drawn)  # the twin
        for part in data["values"].values():
            slots = np.asarray(part["network"].steps)
            np.testing.assert_allclose(part["calls"], slots * (1 - (1 - 1 / slots) ** length), rtol=1e-12)
        plt.close(fig)


def test_stuck_rules_are_set_aside():
    """A rule of which the exact denoiser finished no run has no point on the axis of calls, and one beside it."""
    real = smoke_results("networks")
    by_name = {family.name: family for family in real.rules}
    never = {"oracle_finished": np.zeros(4), "oracle_calls": np.full(4, np.nan), "oracle_errors": np.ones(4)}
    by_name["entropy-bounded"] = dataclasses.replace(by_name["entropy-bounded"], **never)
    names = ("plan", "confidence", "environment")
    results = SimpleNamespace(rules=tuple(by_name.values()), **{name: getattr(real, name) for name in names})
    stuck = sum(int((family.oracle_finished == 0).sum()) for family in results.rules)
    assert stuck >= 4
    fig, _ = figures_rules.rules(results)
    left, right, aside = fig.axes
    for ax in (left, right):
        assert "calls" in ax.get_xlabel()
        drawn = np.concatenate([np.asarray(line.get_xdata(), dtype=float) for line in ax.get_lines()])
        assert np.isfinite(drawn).all()
        assert drawn.max() <= results.plan.length
    assert "calls" not in aside.get_xlabel()
    assert len(aside.get_lines()) == stuck
    assert any("neighbours" in text.get_text() for text in aside.texts)
    plt.close(fig)
