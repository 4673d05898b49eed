"""Figures of the perplexity topic: Results -> Figure."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, MARKERS, Drawn, plain_ticks, steps_axis
from figures.registry import figure, no_figure
from theory.perplexity.results import Collapse, Orders, Results, Schedules


@figure(
    "perplexity-collapse",
    claims=("ter-every-language", "feng-thm-4-2", "shifted-grid-halves", "one-over-n-law", "written-law-dichotomy"),
    kind="exact",
    note="uniform independent reveal",
)
def collapse(results: Results) -> Drawn:
    """Both divergences per token against N: the trajectory's lengths collapse, the written law is below them."""
    fig, axes = plt.subplots(2, 2, figsize=(9.6, 7.4), sharex=True)
    for ax, part, written in zip(axes.flat, results.collapses, results.written, strict=True):
        _collapse_panel(ax, part)
        label = f"written law, L = {written.length}: excess log TER"
        ax.loglog(np.array(written.steps), written.excess, color="C4", lw=1.8, ls=(0, (5, 1)), label=label)
        ax.legend(handles=ax.get_lines()[-1:], loc="upper right", fontsize=7.5)
    for ax in axes[1]:
        steps_axis(ax, 256)
    for ax in axes[:, 0]:
        ax.set_ylabel("KL, nats per token")
    low, high = axes[1, 1].get_ylim()
    axes[1, 1].set_ylim(low / 100, high)  # room for what all panels share
    shared, own = axes[1, 1].get_lines()[:-1], axes[1, 1].get_legend()
    axes[1, 1].legend(handles=shared, loc="lower left", fontsize=7)
    axes[1, 1].add_artist(own)
    return fig, {"trajectory": results.collapses, "written": results.written}


def _collapse_panel(ax, part: Collapse) -> None:
    steps = np.array(part.steps)
    for k, (length, row) in enumerate(zip(part.lengths, part.excess, strict=True)):
        name = f"trajectory KL, L = {length}"
        ax.loglog(steps, row, marker=MARKERS[k], ls="-", lw=1.0, ms=4.5 - 0.5 * k, color=f"C{k}", label=name)
    ax.loglog(steps, part.drop / steps, "k-", lw=1.2, label="its bound (h(0) − h(1))/N")
    above = steps > 1
    ax.loglog(steps[above], part.drop / (2 * (steps[above] - 1)), "k--", lw=1.0, label="its bound, shifted grid")
    ax.loglog(steps[above], part.shifted[above], "k+", ms=6, label="trajectory KL, shifted grid")
    log_v = np.log(part.vocab_size)
    published = 4 * log_v / np.sqrt(steps)  # N = 1/epsilon^2, a 2-gram
    ax.loglog(steps, published, ls=":", color="0.35", label="Thm 4.2 as published, n = 2")
    ax.set_title(part.language)
    ax.set_xlim(0.9, 300)


@figure(
    "perplexity-marginal",
    claims=("trajectory-identity", "marginal-below-trajectory"),
    kind="exact",
    note="uniform independent reveal",
)
def marginal(results: Results) -> Drawn:
    """Trajectory KL bounds the KL of what is written; the factor between them is not small."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.9))
    for k, part in enumerate(results.marginals):
        left.loglog(part.steps, part.trajectory, color=f"C{k}", ls="--", marker=MARKERS[k], mfc="white")
        left.loglog(part.steps, part.marginal, color=f"C{k}", marker=MARKERS[k], label=part.language)
        right.semilogx(part.steps, part.marginal / part.trajectory, color=f"C{k}", marker=MARKERS[k])
        right.annotate(
            part.language,
            (part.steps[-1], part.marginal[-1] / part.trajectory[-1]),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color="0.25",
        )
    left.plot([], [], "k--", marker="o", mfc="white", label="trajectory KL (dashed)")
    left.plot([], [], "k-", marker="o", label="KL of the written law (solid)")
    left.set(ylabel="KL(q ‖ p), nats per token", title="two divergences")
    steps_axis(left, 32)
    steps_axis(right, 32)
    left.legend(fontsize=8)
    right.set(ylabel="written / trajectory", title="their ratio", ylim=(0, 1.05), xlim=(0.9, 90))
    return fig, {"curves": results.marginals}


@figure(
    "perplexity-generative",
    claims=("generative-perplexity-uncontrolled",),
    kind="exact",
    note="below zero: samples score better than text itself",
)
def generative(results: Results) -> Drawn:
    """What papers plot (score of samples under the language) can improve while the sampler gets worse."""
    part = results.generative
    fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.9), sharex=True)
    for k, name in enumerate(part.samplers):
        axes[0].loglog(part.steps, part.excess[k], marker=MARKERS[k], color=f"C{k}", ls=LINES[k])
        axes[1].semilogx(part.steps, part.generative[k], marker=MARKERS[k], color=f"C{k}", ls=LINES[k], label=name)
    axes[1].axhline(0, color="k", lw=0.8)
    axes[0].set(ylabel="KL(q ‖ p) / L, nats", title="excess log TER: coverage of the language")
    axes[1].set(ylabel="($E_p[-\\log q]$ − H) / L, nats", title="generative perplexity: score of the samples")
    for ax in axes:
        steps_axis(ax, 32)
    axes[1].legend(title="denoiser")
    return fig, {"curves": results.generative}


@figure(
    "perplexity-schedules",
    claims=("curve-identity-independent", "odds-geometric", "shifted-grid-halves"),
    kind="exact",
    accuracy={"curves.excess.optimal": 1e-6},  # of a descent
)
def schedules(results: Results) -> Drawn:
    """Trajectory KL per token of eight schedules at the same number of steps."""
    fig, axes = plt.subplots(1, len(results.schedules), figsize=(10.4, 3.7))
    for ax, part in zip(axes, results.schedules, strict=True):
        rank = np.arange(len(part.names))
        colours = ["C2" if n == "optimal" else "C1" if n == "shifted grid" else "C0" for n in part.names]
        ax.barh(rank, part.excess, color=colours, height=0.65)
        for r, value in zip(rank, part.excess, strict=True):
            ax.text(value, r, f" {value:.2g}", va="center", fontsize=7.5)
        ax.set_yticks(rank, part.names)
        ax.set_xlim(0, 1.22 * part.excess.max())
        ax.set_title(f"{part.language}, L = {part.length}")
        ax.grid(visible=False, axis="y")
        ax.set_xlabel(f"trajectory KL at N = {part.steps}, nats per token")
    return fig, {"curves": [_by_name(p) for p in results.schedules]}


@figure(
    "perplexity-order",
    claims=("feng-thm-4-2", "ter-every-language"),
    kind="sampled",
    note=lambda results: f"bands: {results.confidence:.0%} intervals (n > 2)",
)
def order(results: Results) -> Drawn:
    """The n-gram order does not enter: N times the excess is flat in N for every n."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.9))
    for k, part in enumerate(results.orders):
        steps = np.array(part.steps)
        left.loglog(steps, part.excess, marker=MARKERS[k], color=f"C{k}", ls=LINES[k], label=f"n = {part.order}")
        left.fill_between(steps, np.maximum(part.low, 1e-4), np.maximum(part.high, 1e-4), color=f"C{k}", alpha=0.2)
        left.loglog(steps, part.drop / steps, color=f"C{k}", lw=0.8, ls=":")
    left.set(xlabel="steps N", ylabel="trajectory KL, nats per token", title="2-, 3-, 4-gram of the same text, L = 64")
    left.set_ylim(4e-2, 4)
    steps_axis(left, 8)
    left.legend(title="dotted: (h(0) − h(1))/N")
    epsilon = np.geomspace(0.02, 0.5, 2000)
    right.loglog(epsilon, np.ceil(1 / (4 * epsilon)), "k-", label="enough for every language: ⌈1/(4ε)⌉")
    for k, n in enumerate((2, 3, 4)):
        right.loglog(epsilon, (n - 1) / epsilon**n, color=f"C{k}", ls=LINES[k], label=f"(n − 1)/εⁿ, n = {n}")
    right.set(xlabel="ε: excess ≤ 4 ε log|V|", ylabel="steps", title="steps asked for by Thm 4.2 and enough")
    plain_ticks(right.xaxis, (0.02, 0.05, 0.1, 0.2, 0.5))
    right.legend()
    return fig, {"curves": [_with_interval(p) for p in results.orders]}


@figure(
    "perplexity-vocabulary",
    claims=("marginal-grows-with-vocabulary", "marginal-upper-bound"),
    kind="exact",
)
def vocabulary(results: Results) -> Drawn:
    """No absolute constant bounds N KL / L of the written law: it grows like half of log |V|."""
    part = results.vocabulary
    fig, ax = plt.subplots(figsize=(6.2, 3.9))
    for k, (n, row) in enumerate(zip(part.steps, part.ratio, strict=True)):
        ax.semilogx(part.log_vocabulary, row, marker=MARKERS[k], ls=LINES[k], label=f"N = {n}")
    ax.axhline(0.5, color="k", lw=0.8)
    ax.annotate("1/2", (part.log_vocabulary[0], 0.5), (0, 4), textcoords="offset points")
    ax.set(xlabel="log |V|, nats", ylabel="N · KL(q ‖ p) / (L log |V|)", ylim=(0.28, 0.55))
    ax.set_title("nested code language: the marginal constant grows with the vocabulary", fontsize=10)
    ax.legend()
    return fig, {"curves": results.vocabulary}


def _by_name(part: Schedules) -> dict:
    """One language, {schedule: excess}."""
    excess = dict(zip(part.names, part.excess, strict=True))
    return {"language": part.language, "length": part.length, "steps": part.steps, "excess": excess}


def _with_interval(part: Orders) -> dict:
    """2-grams are exact, higher orders sampled."""
    excess = part.excess if part.order == 2 else {"value": part.excess, "low": part.low, "high": part.high}
    return {"order": part.order, "steps": part.steps, "excess": excess}


no_figure(
    "random-offset-sizes", "blocks with a random offset are decided, not drawn; their counterpart is the shifted grid"
)
no_figure("ccl-thm-9", "a count of steps, decided size by size")
no_figure("li-cai-thm-1", "a bound on schedules of whole numbers, decided instance by instance")
no_figure("dhw-d-min", "an inequality between three numbers of a language")
no_figure("dhw-prop-1", "an inequality between two numbers of a language")
no_figure("certified-hidden-chain-curve", "both ends of the enclosure are one line at any width that can be drawn")
no_figure("certified-hidden-chain-cells", "two numbers per count of cells, decided one by one")
no_figure("certified-hidden-chain-kl", "both ends of the enclosure are one line at any width that can be drawn")
