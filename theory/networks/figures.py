"""Trained networks beside the exact laws they were trained on; x is the expected number of calls, not of slots."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, MARKERS, Drawn, plain_ticks, steps_axis
from figures.registry import figure, no_figure
from theory.networks.figures_small import measured
from theory.networks.results import Results
from theory.sequence_error.calls import expected_calls


@figure(
    "networks-learning",
    claims=("network-two-curves",),
    kind="trained",
    note=lambda results: f"L = {results.plan.length}, exact KL on sampled contexts, {interval(results)}",
)
def learning(results: Results) -> Drawn:
    """Learning error by mask fraction, mean and largest, beside the training curves."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0))
    for k, part in enumerate(results.languages):
        x, mean = part.learning.fraction, part.learning.mean
        left.semilogy(x, mean.value, ls=LINES[k], color=f"C{k}", label=part.name)
        left.fill_between(x, np.maximum(mean.low, 1e-6), mean.high, color=f"C{k}", alpha=0.2, lw=0)
        some = slice(None, None, max(1, len(x) // 16))
        left.plot(x[some], part.learning.largest[some], marker=MARKERS[k], ls="none", mfc="none", color=f"C{k}")
        width = max(1, len(part.losses) // 24)
        smooth = np.convolve(part.losses, np.ones(width) / width, mode="valid")
        right.plot(np.arange(len(smooth)) + width, smooth, ls=LINES[k], color=f"C{k}", label=part.name)
    left.axhline(0.02, color="0.4", lw=0.8, ls=":")
    left.annotate("0.02", (1.0, 0.02), (2, 3), textcoords="offset points", fontsize=8, color="0.35")
    left.plot([], [], "o", mfc="none", color="0.4", label="largest met (open markers)")
    left.set(xlabel="mask fraction", ylabel="KL(oracle ‖ network), nats per token", title="learning error")
    right.set(xlabel="training step", ylabel="training loss, nats per token", title="running mean of the loss")
    left.set_ylim(1e-4, None)
    left.legend(fontsize=7.5, loc="lower left")
    right.legend()
    return fig, measured(
        results,
        {
            p.name: {"learning": p.learning, "mean_overall": p.learning.overall, "losses": p.losses}
            for p in results.languages
        },
    )


def interval(results: Results) -> str:
    return f"bands {results.confidence:.0%}"


def slots(results: Results) -> str:
    """The grid of N, e.g. 1, 2, …, 64."""
    first, second, *_, last = results.plan.grid
    return f"{first}, {second}, …, {last}"


def grid(results: Results):
    """Four panels with shared axes, and (panel, language) pairs."""
    fig, axes = plt.subplots(2, 2, figsize=(9.6, 6.6), sharex=True, sharey=True)
    pairs = list(zip(axes.ravel(), results.languages, strict=True))
    for ax, part in pairs:
        ax.set_title(part.name)
    return fig, axes, pairs


@figure(
    "networks-token-error",
    claims=("causal-error-adds", "network-error-adds", "learned-additivity", "ccl-lemma-35"),
    kind="trained",
    note=lambda results: (
        f"L = {results.plan.length}, uniform independent reveal in N = {slots(results)} slots, "
        f"N(1 − (1 − 1/N)^L) calls, {interval(results)}; "
        "exact denoiser: exact (2-gram), certified (HMM), sampled (3-, 4-gram)"
    ),
)
def token_error(results: Results) -> Drawn:
    """Token error against expected calls: network, oracle, what learning adds, the theorem, the causal twin at L."""
    fig, axes, pairs = grid(results)
    for ax, part in pairs:
        steps, path = part.oracle_path.steps, part.path
        calls = expected_calls(part.length, steps)
        ax.loglog(calls, part.budget / steps + path.learning.value, color="k", lw=1.0, label="bound of the theorem")
        ax.loglog(calls, path.total.value, "s--", color="C2", label="network")
        band(ax, calls, path.total.low, path.total.high, "C2")
        ax.loglog(calls, part.oracle_path.value, "o-", color="C0", label="exact denoiser")
        band(ax, calls, part.oracle_path.low, part.oracle_path.high, "C0")
        ax.loglog(calls, path.learning.value, "^:", color="C1", label="learning error along the path")
        twin = [[part.causal_excess - part.causal_low], [part.causal_high - part.causal_excess]]
        told = {"fmt": "D", "color": "C4", "capsize": 3, "label": "left to right (causal)"}
        ax.errorbar([part.length], [part.causal_excess], np.maximum(twin, 0.0), **told)
        steps_axis(ax, part.length, "expected calls" if ax in axes[1] else "")
        plain_ticks(ax.yaxis, (0.001, 0.01, 0.1, 1))
    for ax in axes[:, 0]:
        ax.set_ylabel("trajectory KL per token, nats")
    axes[0, 0].set_ylim(3e-4, 1.5)
    axes[1, 1].legend(fontsize=7.5, loc="upper right")
    return fig, measured(
        results,
        {
            p.name: {
                "calls": expected_calls(p.length, p.oracle_path.steps),
                "network": p.path,
                "oracle": p.oracle_path,
                "causal": {"value": p.causal_excess, "low": p.causal_low, "high": p.causal_high},
                "budget": p.budget,
            }
            for p in results.languages
        },
    )


def band(ax, steps, low, high, color: str) -> None:
    ax.fill_between(steps, np.maximum(low, 1e-6), np.maximum(high, 1e-6), color=color, alpha=0.18, lw=0)


@figure(
    "networks-sequence-error",
    claims=("independent-not-exact",),
    kind="trained",
    note=lambda results: (
        f"L = {results.plan.length}, N = {slots(results)} slots make N(1 − (1 − 1/N)^L) calls, "
        f"Clopper–Pearson {interval(results)}; the 2-gram's exact denoiser is exact; "
        "exact samples of the language have SER 0"
    ),
)
def sequence_error(results: Results) -> Drawn:
    """SER against expected calls: network, oracle and the causal twin at its L calls."""
    fig, axes, pairs = grid(results)
    for ax, part in pairs:
        for curve, style, color, label in (
            (part.errors, "s--", "C2", "network"),
            (part.oracle_errors, "o-", "C0", "exact denoiser"),
        ):
            calls = expected_calls(part.length, curve.steps)
            ax.semilogx(calls, curve.value, style, color=color, label=label)
            ax.fill_between(calls, curve.low, curve.high, color=color, alpha=0.18, lw=0)
        twin = part.causal_error
        span = np.abs(np.stack([twin.value - twin.low, twin.high - twin.value]))
        ax.errorbar(twin.steps, twin.value, span, fmt="D", color="C4", capsize=3, label="left to right (causal)")
        steps_axis(ax, part.length, "expected calls" if ax in axes[1] else "")
    for ax in axes[:, 0]:
        ax.set(ylabel="sequence error SER", ylim=(0, 1.02))
    axes[1, 1].legend(fontsize=8, loc="upper right")
    return fig, measured(
        results,
        {
            p.name: {
                "calls": expected_calls(p.length, p.errors.steps),
                "network": p.errors,
                "oracle": p.oracle_errors,
                "causal": p.causal_error,
                "generative": p.generative,
                "generative_floor": p.generative_floor,
            }
            for p in results.languages
        },
    )


no_figure("device-posterior-bound", "a bound on rounding, far below anything drawn")
no_figure("averaged-weights", "an identity of the training loop")
no_figure("sampled-judge", "the intervals of every other figure")
