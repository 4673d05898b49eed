"""Figures of the sequence-error topic: Results -> Figure."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from figures import STYLE
from figures.layout import LINES, MARKERS, caption, plain_ticks, sources, steps_axis
from figures.save import save
from figures.sequence_error_calls import CLAIMS as CALLS
from figures.sequence_error_calls import calls
from theory.sequence_error import THRESHOLD_ORACLE, Results

SHADED = "no denoiser within\n$\\varepsilon_{learning}$ = 1/128\ngets here\n(independent reveal)"


def pairs(results: Results) -> Figure:
    """SER against N/L: a threshold at N = 0.63 L in random order."""
    part = results.pairs
    with plt.style.context(STYLE):
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
        caption(fig, "claims: feng-thm-4-4, pair-independent-formula, pair-fixed-formula · exact")
    return fig


def chain(results: Results) -> Figure:
    """Exact SER of a Markov chain collapses on 1 - exp(-kappa L/N)."""
    part = results.chain
    with plt.style.context(STYLE):
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
        caption(
            fig, "claims: first-order-law, certified-any-length · exact; L = 10⁶ certified within 10⁻⁶ in log(1 − SER)"
        )
    return fig


def text(results: Results) -> Figure:
    """SER of the n-gram languages of real text."""
    with plt.style.context(STYLE):
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
        caption(
            fig,
            f"claims: first-order-law · bands: {results.confidence:.0%} Clopper–Pearson; "
            "samples of the language itself have SER 0",
        )
    return fig


def easy_hard(results: Results) -> Figure:
    """The same language and the same sampler: easy for the token error, hard for the sequence error."""
    part = results.easy_hard
    with plt.style.context(STYLE):
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
        caption(fig, "claims: ter-easy-ser-hard · exact")
    return fig


def orders(results: Results) -> Figure:
    """Orders that beat the bound: linear is about content-independent random order."""
    part = results.orders
    with plt.style.context(STYLE):
        fig, ax = plt.subplots(figsize=(7.4, 3.2))
        rank = np.arange(len(part.names))[::-1]
        colours = ["C0" if "random" in name else "C1" for name in part.names]
        ax.barh(rank, part.error, color=colours, height=0.6)
        for r, value in zip(rank, part.error, strict=True):
            ax.text(value, r, f"  {value:.3f}" if value > 1e-12 else "  0, exact", va="center", fontsize=9)
        ax.set_yticks(rank, part.names)
        ax.set(xlabel="sequence error SER", xlim=(0, 0.6), title="few steps without error, in the right order")
        ax.grid(visible=False, axis="y")
        caption(fig, "claims: odd-then-even, bisection-exact · exact enumeration")
    return fig


def cost(results: Results) -> Figure:
    """Slots and calls: the slots of random order pass L, the calls that reveal something never do."""
    with plt.style.context(STYLE):
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
        caption(fig, "claims: ter-every-language, feng-thm-4-4 · uniform independent reveal, random order · exact")
    return fig


def save_all(results: Results, out_dir: str, parameters: dict, seed: int) -> list[Path]:
    """Write every figure of the topic."""
    depends = (*sources("sequence_error"), "theory/perplexity.py")
    texts = [
        {"order": p.order, "steps": p.steps, "error": {"value": p.error, "low": p.low, "high": p.high}}
        if p.order > 2
        else {"order": p.order, "steps": p.steps, "error": p.error}
        for p in results.texts
    ]
    jobs = (
        (
            "sequence-error-pairs",
            pairs,
            results.pairs,
            "exact",
            ("feng-thm-4-4", "pair-independent-formula", "pair-fixed-formula"),
        ),
        ("sequence-error-chain", chain, results.chain, "exact", ("first-order-law", "certified-any-length")),
        ("sequence-error-text", text, texts, "sampled", ("first-order-law",)),
        ("sequence-error-easy-hard", easy_hard, results.easy_hard, "exact", ("ter-easy-ser-hard",)),
        ("sequence-error-orders", orders, results.orders, "exact", ("odd-then-even", "bisection-exact")),
        ("sequence-error-cost", cost, results.costs, "exact", ("ter-every-language", "feng-thm-4-4")),
        ("sequence-error-calls", calls, results.costs, "exact", CALLS),
    )
    return [
        save(
            draw(results),
            name,
            out_dir,
            data={"curves": data},
            claims=claims,
            kind=kind,
            parameters=parameters,
            seed=seed,
            depends=depends,
        )
        for name, draw, data, kind, claims in jobs
    ]
