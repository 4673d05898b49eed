"""Figures of the medium topic: trained networks beside the exact laws they were trained on."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import STYLE
from figures.layout import LINES, MARKERS, caption, plain_ticks, steps_axis
from figures.save import save
from theory.medium import Results

DEPENDS = ("theory/medium.py", "figures/medium.py")


def learning(results: Results) -> Figure:
    """Learning error by mask fraction, mean and largest, beside the training curves."""
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0))
        for k, part in enumerate(results.languages):
            x, mean = part.learning.fraction, part.learning.mean
            left.semilogy(x, mean.value, marker=MARKERS[k], ls=LINES[k], color=f"C{k}", label=part.name)
            left.fill_between(x, np.maximum(mean.low, 1e-6), mean.high, color=f"C{k}", alpha=0.2, lw=0)
            left.plot(x, part.learning.largest, marker=MARKERS[k], ls="none", mfc="none", color=f"C{k}")
            width = max(1, len(part.losses) // 24)
            smooth = np.convolve(part.losses, np.ones(width) / width, mode="valid")
            right.plot(np.arange(len(smooth)) + width, smooth, ls=LINES[k], color=f"C{k}", label=part.name)
        left.axhline(0.02, color="0.4", lw=0.8, ls=":")
        left.annotate("0.02", (1.0, 0.02), (2, 3), textcoords="offset points", fontsize=8, color="0.35")
        left.plot([], [], "o", mfc="none", color="0.4", label="largest met (open markers)")
        left.set(xlabel="mask fraction", ylabel="KL(oracle ‖ network), nats per token", title="learning error")
        right.set(xlabel="training step", ylabel="training loss, nats per token", title="running mean of the loss")
        left.legend(fontsize=7.5)
        right.legend()
        caption(fig, f"claims: device-posterior-bound · trained; exact KL on sampled contexts, {interval(results)}")
    return fig


def interval(results: Results) -> str:
    return f"bands {results.confidence:.0%}"


def token_error(results: Results) -> Figure:
    """Token error against steps: network, oracle, what learning adds, and the causal twin."""
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(1, 3, figsize=(11.4, 3.9), sharey=True)
        for ax, part in zip(axes, results.languages, strict=True):
            steps = part.oracle_path.steps
            ax.loglog(steps, floored(part.oracle_path.value), "o-", color="C0", label="exact denoiser")
            band(ax, steps, part.oracle_path.low, part.oracle_path.high, "C0")
            ax.loglog(steps, floored(part.path.total.value), "s--", color="C2", label="network")
            band(ax, steps, part.path.total.low, part.path.total.high, "C2")
            ax.loglog(steps, floored(part.path.learning.value), "^:", color="C1", label="of it: learning error")
            ax.axhline(part.causal_excess, color="C4", ls="-.", lw=1.2, label=f"left to right, {part.length} calls")
            steps_axis(ax, int(steps[-1]))
            ax.set_title(part.name)
        axes[0].set_ylabel("KL per token, nats (excess log TER)")
        axes[0].set_ylim(2e-4, 1.0)
        plain_ticks(axes[0].yaxis, (0.001, 0.01, 0.1, 1))
        axes[0].legend(fontsize=7, loc="upper right")
        caption(
            fig,
            f"claims: causal-error-adds · trained; L = {results.languages[0].length}, uniform independent reveal, "
            f"{interval(results)}; the 2-gram oracle is exact",
        )
    return fig


def floored(values: np.ndarray) -> np.ndarray:
    """Estimates at or below zero are not drawn on a logarithmic axis."""
    return np.where(values > 0, values, np.nan)


def band(ax, steps, low, high, color: str) -> None:
    ax.fill_between(steps, np.maximum(low, 1e-6), np.maximum(high, 1e-6), color=color, alpha=0.18, lw=0)


def sequence_error(results: Results) -> Figure:
    """SER against steps: network, oracle and the causal twin at its L calls."""
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(1, 3, figsize=(11.4, 3.9), sharey=True)
        for ax, part in zip(axes, results.languages, strict=True):
            for curve, style, color, label in (
                (part.oracle_errors, "o-", "C0", "exact denoiser"),
                (part.errors, "s--", "C2", "network"),
            ):
                ax.semilogx(curve.steps, curve.value, style, color=color, label=label)
                ax.fill_between(curve.steps, curve.low, curve.high, color=color, alpha=0.18, lw=0)
            twin = part.causal_error
            span = np.abs(np.stack([twin.value - twin.low, twin.high - twin.value]))
            ax.errorbar(twin.steps, twin.value, span, fmt="D", color="C4", capsize=3, label="left to right (causal)")
            steps_axis(ax, int(part.errors.steps[-1]), "steps N (calls)")
            ax.set_title(part.name)
        axes[0].set(ylabel="sequence error SER", ylim=(0, 1.02))
        axes[0].legend(fontsize=8)
        caption(
            fig,
            f"claims: network-ser-from-max · trained; L = {results.languages[0].length}, Clopper–Pearson "
            f"{interval(results)}; exact samples of the language have SER 0",
        )
    return fig


def bounds(results: Results) -> Figure:
    """The enumerated network: what the theorems promise from the maximal learning error, and what happens."""
    small = results.small
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0))
        bound = small.budget / small.steps + 6 * small.largest
        by_mean = small.budget / small.steps + 6 * small.mean
        left.loglog(small.steps, bound, "k-", lw=1.2, label="(TC + DTC)/N + L · max ε")
        left.loglog(small.steps, by_mean, color="0.5", ls=":", label="mean ε instead (no theorem)")
        left.loglog(small.steps, small.network_kl, "s--", color="C2", label="network")
        left.loglog(small.steps, small.oracle_kl, "o-", color="C0", label="exact denoiser")
        left.set(ylabel="trajectory KL, nats per sequence", title="token error")
        right.semilogx(small.steps, -np.expm1(-bound), "k-", lw=1.2, label="1 − exp(−bound with max ε)")
        right.semilogx(
            small.steps, -np.expm1(-small.network_kl), color="C1", ls="-.", label="1 − exp(−KL of the network)"
        )
        right.semilogx(small.steps, small.network_error, "s--", color="C2", label="network")
        right.semilogx(small.steps, small.oracle_error, "o-", color="C0", label="exact denoiser")
        right.set(ylabel="sequence error SER", title="sequence error", ylim=(0, 1.02))
        for ax in (left, right):
            steps_axis(ax, int(small.steps[-1]))
            ax.legend(fontsize=7.5, loc="lower left")
        caption(
            fig,
            "claims: network-error-adds, network-kl-from-max, network-ser-from-max · trained, then enumerated on all "
            f"4⁶ contexts; max ε = {small.largest:.3f}, mean ε = {small.mean:.4f} nats",
        )
    return fig


def policies(results: Results) -> Figure:
    """SER against mean calls of every rule, network and oracle, on the 2-gram language."""
    part = results.policies
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.4), sharey=True)
        place = np.arange(len(part.names))[::-1]
        left.barh(place + 0.18, part.calls, 0.34, color="C2", label="network")
        left.barh(place - 0.18, part.oracle_calls, 0.34, color="C0", hatch="///", alpha=0.8, label="exact denoiser")
        left.set(yticks=place, yticklabels=part.names, xlabel="mean calls per sequence", title="calls")
        span = np.abs(np.stack([part.errors.value - part.errors.low, part.errors.high - part.errors.value]))
        right.errorbar(part.errors.value, place, xerr=span, fmt="s", color="C2", capsize=3, label="network")
        right.plot(part.oracle_errors, place, "o", mfc="none", color="C0", label="exact denoiser")
        right.set(xlabel="sequence error SER", xlim=(-0.02, 1.02), title="error")
        for ax in (left, right):
            ax.tick_params(axis="y", labelsize=8)
        right.legend(fontsize=8)
        caption(
            fig,
            f"claims: network-ser-from-max · trained; chain A, L = {results.languages[0].length}, "
            f"Clopper–Pearson {interval(results)}; calls of the exact denoiser: runs that met no impossible context",
        )
    return fig


def variance(results: Results) -> Figure:
    """Pattern, rate and data noise of the training loss, and ways to draw masks at equal compute."""
    rows, methods = results.small.variance, results.small.methods
    with plt.style.context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.0))
        labels = {"oracle": "oracle, exact", "network": "network, exact", "estimated": "network, sampled"}
        bottom, names = np.zeros(len(rows)), [labels[r] for r in rows]
        kinds = (("pattern", "A: mask pattern", ""), ("rate", "B: mask rate", "//"), ("data", "C: data", ".."))
        for k, (part, name, hatch) in enumerate(kinds):
            height = np.array([rows[r][part] for r in rows])
            left.bar(names, height, 0.55, bottom=bottom, color=f"C{k}", hatch=hatch, label=name)
            bottom = bottom + height
        left.set(ylabel="variance of the loss, nats²", title="three parts, mask counts uniform on 1..L")
        left.set_ylim(0, 1.25 * bottom.max())
        left.legend(ncols=3, loc="upper center", fontsize=7.5)
        place = np.arange(len(methods))[::-1]
        for k, (name, hatch) in enumerate((("oracle", ""), ("network", "//"))):
            height = [row[name] for row in methods.values()]
            right.barh(place + 0.18 - 0.36 * k, height, 0.34, color=f"C{(0, 2)[k]}", hatch=hatch, label=name)
        right.set(yticks=place, yticklabels=list(methods), xlabel="variance × calls, nats²", title="at equal compute")
        right.legend(fontsize=8)
        right.set_xlim(0, 1.3 * max(row[k] for row in methods.values() for k in ("oracle", "network")))
        caption(
            fig,
            "claims: network-error-adds · trained, then enumerated (chain A, L = 6, loss S/k per token); "
            "third bar from sampled masks",
        )
    return fig


def save_all(results: Results, out_dir: str | Path, parameters: Mapping, seed: int) -> list[Path]:
    """Write every figure with its data."""
    small = results.small
    parts = results.languages
    enumerated = {
        "steps": small.steps,
        "network_kl": small.network_kl,
        "oracle_kl": small.oracle_kl,
        "network_error": small.network_error,
        "oracle_error": small.oracle_error,
        "largest": small.largest,
        "mean": small.mean,
        "sampled_largest": small.sampled_largest,
        "budget": small.budget,
    }
    by_fraction = {
        p.name: {"learning": p.learning, "mean_overall": p.learning.overall, "losses": p.losses} for p in parts
    }
    token = {p.name: {"network": p.path, "oracle": p.oracle_path, "causal": p.causal_excess} for p in parts}
    sequence = {
        p.name: {
            "network": p.errors,
            "oracle": p.oracle_errors,
            "causal": p.causal_error,
            "generative": p.generative,
            "generative_floor": p.generative_floor,
        }
        for p in parts
    }
    bounded = ["network-error-adds", "network-kl-from-max", "network-ser-from-max"]
    figures = (
        ("medium-learning", learning, by_fraction, ["device-posterior-bound"]),
        ("medium-token-error", token_error, token, ["causal-error-adds"]),
        ("medium-sequence-error", sequence_error, sequence, ["network-ser-from-max"]),
        ("medium-bounds", bounds, enumerated, bounded),
        ("medium-policies", policies, results.policies, ["network-ser-from-max"]),
        ("medium-variance", variance, {"parts": small.variance, "per_call": small.methods}, ["network-error-adds"]),
    )
    return [
        save(
            draw(results),
            name,
            out_dir,
            data={"environment": results.environment, "values": data},
            claims=claims,
            kind="trained",
            parameters=parameters,
            seed=seed,
            depends=DEPENDS,
        )
        for name, draw, data, claims in figures
    ]
