"""Figures of the sequence-error topic: Results -> Figure."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import FuncFormatter

from figures.layout import LINES, MARKERS, Drawn, plain_ticks, steps_axis
from figures.registry import figure, no_figure
from theory.sequence_error.results import THRESHOLD_ORACLE, Results, Text

SHADED = "no denoiser within\n$\\varepsilon_{learning}$ = 1/128\ngets here\n(independent reveal)"


@figure(
    "sequence-error-pairs",
    claims=("feng-thm-4-4", "pair-independent-formula", "pair-fixed-formula", "independent-not-exact"),
    kind="exact",
)
def pairs(results: Results) -> Drawn:
    """SER against N/L: a threshold at N = 0.63 L in random order."""
    part = results.pairs
    fig, ax = plt.subplots(figsize=(8.6, 4.6))
    for k, (length, row) in enumerate(zip(part.lengths, part.independent, strict=True)):
        steps = np.ceil(part.ratio * length)
        ax.semilogx(steps / length, row, color=f"C{k}", ls=LINES[k], label=f"independent reveal, L = {length}")
    ax.semilogx(part.ratio, part.fixed, "s", ms=3.5, color="C4", label=f"fixed sizes, L = {part.fixed_length}")
    ax.fill_between(part.ratio, 0, part.learned_bound, color="0.85", lw=0)
    ax.text(0.035, 0.25, SHADED, fontsize=8)
    ax.axhline(0.5, color="k", lw=0.8)
    ax.axvline(THRESHOLD_ORACLE, color="k", lw=0.8, ls=":")
    ax.annotate(
        f"SER = 1/2 at N = {THRESHOLD_ORACLE:.3f} L",
        (THRESHOLD_ORACLE, 0.5),
        (8, 6),
        textcoords="offset points",
        fontsize=8.5,
    )
    ax.annotate("exact at N = L", (1.0, 0.0), (10, 10), textcoords="offset points", fontsize=8.5, color="C4")
    plain_ticks(ax.xaxis, (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}" if v >= 1 else f"1/{round(1 / v)}"))
    ax.set(xlabel="steps per token, N / L", ylabel="sequence error SER", ylim=(0, 1.02))
    ax.set_title("16-symbol pair language")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 0.55), fontsize=8)
    return fig, {"curves": results.pairs}


@figure(
    "sequence-error-chain",
    claims=("first-order-law", "certified-any-length"),
    kind="exact",
    note="L = 10⁶ certified within 10⁻⁶ in log(1 − SER)",
)
def chain(results: Results) -> Drawn:
    """Exact SER of a Markov chain collapses on 1 - exp(-kappa L/N)."""
    part = results.chain
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 3.9))
    for k, (length, row) in enumerate(zip(part.lengths, part.error, strict=True)):
        name = f"L = {length}" if length < 10**5 else f"L = $10^{round(np.log10(length))}$"
        left.semilogx(part.steps, row, marker=MARKERS[k], ls=LINES[k], color=f"C{k}", label=name)
        scaled = -part.log_valid[k] * part.steps / length
        right.semilogx(part.steps, scaled, marker=MARKERS[k], ls=LINES[k], color=f"C{k}", ms=7 - 1.2 * k)
    right.axhline(part.kappa, color="k", lw=0.8)
    right.annotate(
        f"κ = {part.kappa:.4f}",
        (part.steps[0], part.kappa),
        (0, -14),
        textcoords="offset points",
        fontsize=9,
    )
    left.set(ylabel="sequence error SER", title=f"{part.language}, uniform independent reveal")
    right.set(ylabel="−(N/L) log(1 − SER)", title="one constant per language", ylim=(0.9 * part.kappa, None))
    for ax in (left, right):
        steps_axis(ax, int(part.steps[-1]))
    left.legend()
    return fig, {"curves": results.chain}


@figure(
    "sequence-error-text",
    claims=(),
    kind="sampled",
    note=lambda results: f"bands: {results.confidence:.0%} Clopper–Pearson; samples of the language itself have SER 0",
)
def text(results: Results) -> Drawn:
    """SER of the n-gram languages of real text."""
    fig, ax = plt.subplots(figsize=(6.8, 4.0))
    for k, part in enumerate(results.texts):
        kind = "exact" if part.order == 2 else "sampled"
        ax.semilogx(
            part.steps,
            part.error,
            marker=MARKERS[k],
            ls=LINES[k],
            color=f"C{k}",
            label=f"{part.order}-gram, {kind}",
        )
        if part.order > 2:
            ax.fill_between(part.steps, part.low, part.high, color=f"C{k}", alpha=0.2, lw=0)
    steps_axis(ax, int(max(part.steps[-1] for part in results.texts)))
    length = 64 if results.profile == "full" else 16
    ax.set(ylabel="sequence error SER", ylim=(0, 1.02), title=f"n-gram languages of English text, L = {length}")
    ax.legend()
    return fig, {"curves": [_with_interval(p) for p in results.texts]}


@figure(
    "sequence-error-easy-hard",
    claims=("ter-easy-ser-hard",),
    kind="exact",
)
def easy_hard(results: Results) -> Drawn:
    """The same language and the same sampler: easy for the token error, hard for the sequence error."""
    part = results.easy_hard
    fig, ax = plt.subplots(figsize=(6.6, 4.0))
    ax.semilogx(part.lengths, part.sequence_error, "o-", color="C2", label="sequence error SER")
    ax.semilogx(part.lengths, part.token_excess, "s--", color="C0", label="token error: excess log TER, nats")
    ax.set(xlabel="length L", ylim=(0, 1.03), title=f"pair language, N = {part.steps} steps", ylabel="error")
    ax.annotate(
        "SER = 1 − exp(−L · excess)",
        (part.lengths[3], part.sequence_error[3]),
        (12, -14),
        textcoords="offset points",
        fontsize=9,
    )
    ax.legend(loc="center right")
    return fig, {"curves": results.easy_hard}


@figure(
    "sequence-error-orders",
    claims=("odd-then-even", "bisection-exact", "bisection-needs-no-remask"),
    kind="exact",
    note="by enumeration",
)
def orders(results: Results) -> Drawn:
    """Orders that beat the bound: linear is about content-independent random order."""
    part = results.orders
    fig, ax = plt.subplots(figsize=(7.4, 3.2))
    rank = np.arange(len(part.names))[::-1]
    colours = ["C0" if "random" in name else "C1" for name in part.names]
    ax.barh(rank, part.error, color=colours, height=0.6)
    for r, value in zip(rank, part.error, strict=True):
        ax.text(value, r, f"  {value:.3f}" if value > 1e-12 else "  0, exact", va="center", fontsize=9)
    ax.set_yticks(rank, part.names)
    ax.set(xlabel="sequence error SER", xlim=(0, 0.6), title="few steps without error, in the right order")
    ax.grid(visible=False, axis="y")
    return fig, {"curves": results.orders}


@figure(
    "sequence-error-cost",
    claims=("ter-every-language", "feng-thm-4-4"),
    kind="exact",
    note="uniform independent reveal, random order",
)
def cost(results: Results) -> Drawn:
    """Slots and calls: the slots of random order pass L, the calls that reveal something never do."""
    fig, axes = plt.subplots(1, 2, figsize=(9.8, 4.0), sharey=True)
    for ax, part in zip(axes, results.costs, strict=True):
        rows = ((part.sequence_slots, part.sequence_calls, "C2"), (part.token_slots, part.token_calls, "C0"))
        for (slots, made, colour), name in zip(rows, ("SER = 5%", "trajectory KL = .01 per token"), strict=True):
            ax.loglog(part.lengths, slots / part.lengths, "--", marker="o", mfc="white", color=colour)
            ax.loglog(part.lengths, made / part.lengths, "s-", color=colour, label=name)
        ax.axhline(1.0, color="k", lw=1.0)
        ax.set(xlabel="length L", title=part.language)
        plain_ticks(ax.xaxis, part.lengths)
    axes[0].plot([], [], "k--", marker="o", mfc="white", label="time slots N (dashed)")
    axes[0].plot([], [], "ks-", label="calls that reveal a token (solid)")
    axes[0].set_ylabel("per token: slots / L, expected calls / L")
    axes[0].legend(loc="lower left", fontsize=8)
    return fig, {"curves": results.costs}


def _with_interval(part: Text) -> dict:
    """2-grams are exact, higher orders sampled."""
    error = part.error if part.order == 2 else {"value": part.error, "low": part.low, "high": part.high}
    return {"order": part.order, "steps": part.steps, "error": error}


no_figure("duel-likelihood", "an identity: both sides would be one curve")
no_figure("shuffle-accuracy", "a closed form, decided as fractions on small instances")
no_figure("replace-accuracy", "a closed form, decided as fractions on small instances")
no_figure("block-validity", "a closed form, decided as fractions on small instances")
