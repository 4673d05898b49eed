"""Figures of the enumerated network (bounds) and of the variance of its loss and of a long network's."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import Drawn, steps_axis
from figures.registry import figure
from theory.networks.results import Results

ENUMERATED = (
    "steps",
    "network_kl",
    "oracle_kl",
    "network_error",
    "oracle_error",
    "largest",
    "mean",
    "sampled_largest",
    "budget",
)
PARTS = (("pattern", "A: mask pattern", ""), ("rate", "B: mask rate", "//"), ("data", "C: data", ".."))


@figure(
    "networks-bounds",
    claims=("network-error-adds", "network-kl-from-max", "network-ser-from-max", "feng-thm-4-3"),
    kind="trained",
    note=lambda results: (
        f"then enumerated on all 4⁶ contexts; max ε = {results.small.largest:.3f}, "
        f"mean ε = {results.small.mean:.4f} nats"
    ),
)
def bounds(results: Results) -> Drawn:
    """The enumerated network: what the theorems promise from the maximal learning error, and what happens."""
    small = results.small
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0))
    bound = small.budget / small.steps + 6 * small.largest
    by_mean = small.budget / small.steps + 6 * small.mean
    left.loglog(small.steps, bound, "k-", lw=1.2, label="(TC + DTC)/N + L · max ε")
    left.loglog(small.steps, by_mean, color="0.5", ls=":", label="mean ε instead (no theorem)")
    left.loglog(small.steps, small.network_kl, "s--", color="C2", label="network")
    left.loglog(small.steps, small.oracle_kl, "o-", color="C0", label="exact denoiser")
    left.set(ylabel="trajectory KL, nats per sequence", title="token error")
    right.semilogx(small.steps, -np.expm1(-bound), "k-", lw=1.2, label="1 − exp(−bound with max ε)")
    right.semilogx(small.steps, -np.expm1(-small.network_kl), color="C1", ls="-.", label="1 − exp(−KL of the network)")
    right.semilogx(small.steps, small.network_error, "s--", color="C2", label="network")
    right.semilogx(small.steps, small.oracle_error, "o-", color="C0", label="exact denoiser")
    right.set(ylabel="sequence error SER", title="sequence error", ylim=(0, 1.02))
    for ax in (left, right):
        steps_axis(ax, int(small.steps[-1]))
        ax.legend(fontsize=7.5, loc="lower left")
    return fig, measured(results, {key: getattr(small, key) for key in ENUMERATED})


@figure(
    "networks-variance",
    claims=("variance-abc", "mirror-equal-compute"),
    kind="trained",
    note=lambda results: (
        "chain A, loss S/k per token. L = 6: enumerated. "
        f"L = {results.plan.length}: sampled masks, intervals {results.confidence:.0%}"
    ),
)
def variance(results: Results) -> Drawn:
    """Pattern, rate and data noise of the training loss, and ways to draw masks at equal compute."""
    small, (parts, methods) = results.small, results.noise
    length = results.plan.length
    fig, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.2))
    rows = {
        "oracle\nL = 6": small.variance["oracle"],
        "network\nL = 6": small.variance["network"],
        f"network\nL = {length}": {k: float(e.value) for k, e in parts.items()},
    }
    total = np.array([sum(row[part] for part, _, _ in PARTS) for row in rows.values()])
    bottom = np.zeros(len(rows))
    for k, (part, name, hatch) in enumerate(PARTS):
        height = np.array([row[part] for row in rows.values()]) / total
        left.bar(list(rows), height, 0.55, bottom=bottom, color=f"C{k}", hatch=hatch, label=name)
        bottom = bottom + height
    for place, value in enumerate(total):
        left.annotate(f"{value:.3g} nats²", (place, 1.0), (0, 3), textcoords="offset points", ha="center", fontsize=8)
    left.set(ylabel="share of the variance of the loss", title="three parts, number of masks uniform on 1..L")
    left.set_ylim(0, 1.22)
    left.legend(ncols=3, loc="upper center", fontsize=7.5)
    shares(right, small, methods, length)
    return fig, measured(
        results, {"parts": small.variance, "per_call": small.methods, "long": {"parts": parts, "per_call": methods}}
    )


def shares(ax, small, methods, length: int) -> None:
    """Variance per call of each way to draw masks, as a multiple of one mask at uniform sizes."""
    place = np.arange(len(methods))[::-1]
    base = {k: small.methods["uniform sizes"][k] for k in ("oracle", "network")}
    for k, (kind, color, hatch) in enumerate((("oracle", "C0", ""), ("network", "C2", "//"))):
        height = [row[kind] / base[kind] for row in small.methods.values()]
        ax.barh(place + 0.28 - 0.28 * k, height, 0.26, color=color, hatch=hatch, label=f"{kind}, L = 6")
    scale = float(methods["uniform sizes"].value)
    value, low, high = (np.array([float(getattr(e, k)) for e in methods.values()]) for k in ("value", "low", "high"))
    span = np.stack([value - low, high - value]) / scale
    ax.barh(place - 0.28, value / scale, 0.26, color="C4", hatch="xx", label=f"network, L = {length}")
    ax.errorbar(value / scale, place - 0.28, xerr=span, fmt="none", color="0.2", capsize=2, lw=1)
    ax.axvline(1.0, color="0.3", lw=0.8, ls=":")
    ax.set(yticks=place, yticklabels=list(methods), title="at equal compute")
    ax.set_xlabel("variance × calls, one mask at uniform sizes = 1")
    ax.set_xlim(0, None)
    ax.legend(fontsize=7.5, loc="lower right")


def measured(results: Results, values: dict) -> dict:
    """Numbers of trained networks, with the machine that trained them."""
    return {"environment": results.environment, "values": values}
