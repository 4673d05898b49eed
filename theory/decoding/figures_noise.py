"""Smaller figures of the decoding topic: noise, correctors, schedules, blocks, exact samplers, gamma."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import Drawn, plain_ticks, style
from figures.registry import figure, no_figure
from theory.decoding.results import Results

WIDTH = 9.8

no_figure("gamma-threshold", "two inequalities of one call; their numbers stand in the derivation")
no_figure("greedy-joint-mode", "a condition of one call; its sharp case stands in the derivation")


@figure(
    "decoding-gumbel",
    claims=("float32-gumbel",),
    kind="sampled",
    note="left: bars are 1 - 1e-6 intervals of races in float32; right: closed form, first of N equal steps, Zipf",
)
def gumbel(results: Results) -> Drawn:
    """Left: how often float32 writes a token of probability q. Right: what the first of N ancestral steps writes."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.9))
    units = np.geomspace(0.1, 16, 200)
    left.plot(units, 1 / np.expm1(1 / units) / units, color="C0")
    for race in results.races:
        x = race.q * 2**24
        left.errorbar(
            x,
            race.value / race.q,
            [[(race.value - race.low) / race.q], [(race.high - race.value) / race.q]],
            color="C2",
            marker="s",
            capsize=3,
        )
    left.axhline(1.0, color="k", lw=1.0)
    left.annotate("what it should", (0.11, 1.0), (0, 4), textcoords="offset points", fontsize=8.5)
    left.annotate(
        "2⁻²⁴/(exp(1/(q 2²⁴)) − 1)", (0.9, 0.52), (8, -8), textcoords="offset points", fontsize=8.5, color="C0"
    )
    left.annotate(
        "races in float32", (8, 0.93), (-8, -26), textcoords="offset points", fontsize=8.5, color="C2", ha="center"
    )
    left.set(xscale="log", xlabel="q in units of 2⁻²⁴", ylabel="written / promised", ylim=(0, 1.15))
    plain_ticks(left.xaxis, (0.1, 0.25, 0.5, 1, 2, 4, 8, 16))
    part = results.zipf
    right.plot(part.steps, part.share, **style(0))
    right.axhline(1.0, color="k", lw=1.0)
    for n, share, nats in zip(part.steps, part.share, part.information, strict=True):
        right.annotate(
            f"{share:.2f}\n{nats:.2f} nats", (n, share), (0, -26), textcoords="offset points", fontsize=8, ha="center"
        )
    right.annotate(
        f"exact: {part.entropy:.2f} nats a token", (40, 1.0), (0, 4), textcoords="offset points", fontsize=8.5
    )
    right.set(
        xscale="log",
        xlabel="slots N",
        ylabel="share of the first step that is written",
        ylim=(0.25, 1.15),
        xlim=(20, 16000),
    )
    plain_ticks(right.xaxis, part.steps)
    right.set_title(f"Zipf's law, V = {part.vocab_size}", fontsize=10)
    left.set_title("one token, any language", fontsize=10)
    fig.suptitle("Gumbel noise in float32 makes rare tokens rarer, and more steps colder", fontsize=11)
    races = [
        {"q": r.q, "written": {"value": r.value, "low": r.low, "high": r.high}, "formula": r.formula}
        for r in results.races
    ]
    return fig, {"races": races, "zipf": part}


@figure(
    "decoding-correctors",
    claims=("corrector-balance",),
    kind="exact",
    note="one random law of three letters, L = 3, 18 possible texts; started exactly at q; lost mass counts",
)
def correctors(results: Results) -> Drawn:
    """Total variation to the language after sweeps of five correctors that start at the language itself."""
    fig, ax = plt.subplots(figsize=(WIDTH, 4.0))
    for k, curve in enumerate(results.correctors):
        sweeps = np.arange(len(curve.distance))
        ax.plot(sweeps, curve.distance, **style(k), markevery=5)
        at, place = (sweeps[-1], curve.distance[-1]), (6, 4 if curve.name == "least margin" else -5)
        ax.annotate(curve.name, at, place, textcoords="offset points", fontsize=8.5, color=f"C{k}")
    ax.set(xlabel="sweeps", ylabel="total variation to q", xlim=(0, 38), ylim=(-0.03, 1.0), xticks=range(0, 31, 5))
    ax.set_title("A corrector keeps the law only if its choice is balanced (a language of three letters, L = 3)")
    return fig, {"correctors": results.correctors}


@figure(
    "decoding-schedules",
    claims=("floor-schedule", "growing-sizes"),
    kind="exact",
    note="left: 12 masks, 12 calls asked for; right: random order, trajectory KL, as many calls as 1, 2, 3, .. needs",
)
def schedules(results: Results) -> Drawn:
    """Left: masks left after each call of three size schedules. Right: trajectory KL of sizes on three languages."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 4.0))
    for k, (name, masks) in enumerate(results.schedules.items()):
        left.plot(np.arange(len(masks)), masks, **style(k), label=name, drawstyle="default")
    floor = results.schedules["floor rule"]
    left.annotate("writes nothing", (1, floor[1]), (8, 2), textcoords="offset points", fontsize=8.5, color="C1")
    left.annotate("writes two", (len(floor) - 1, 0), (-58, 6), textcoords="offset points", fontsize=8.5, color="C1")
    left.set(xlabel="call", ylabel="masks left", xticks=range(0, 13, 2))
    left.legend(loc="lower left")
    rows = results.growing
    kinds = (("even", "even"), ("growing", "1, 2, 3, .."), ("reversed", ".., 3, 2, 1"), ("optimum", "optimal sizes"))
    for k, (kind, label) in enumerate(kinds):
        shift = 0.2 * (k - 1.5)
        values = [getattr(row, kind) for row in rows]
        right.bar(np.arange(len(rows)) + shift, values, 0.19, color=f"C{k}", label=label)
        for x, value in enumerate(values):
            right.annotate(
                f"{1000 * value:.1f}", (x + shift, value), (0, 2), textcoords="offset points", fontsize=7.5, ha="center"
            )
    right.set_xticks(range(len(rows)), [row.language.replace(", ", "\n") for row in rows], fontsize=8.5)
    right.set_ylabel("trajectory KL per token (labels: 10⁻³ nats)")
    right.grid(axis="x", visible=False)
    right.legend(loc="upper right", ncols=2, fontsize=8)
    right.set_ylim(0, 1.35 * max(row.reversed for row in rows))
    right.set_title(f"L = {rows[0].length}, {rows[0].calls} calls: growing sizes suit slow languages only", fontsize=10)
    left.set_title("the floor rule is one call late", fontsize=10)
    return fig, {"masks": results.schedules, "growing": rows}


@figure(
    "decoding-blocks",
    claims=("block-length", "drawn-confidence-collapse"),
    kind="exact",
    note="blocks from left to right; full lines one token per call, dashed two; temperature 1",
)
def blocks(results: Results) -> Drawn:
    """KL against the block length at a fixed number of calls, drawn and marginal confidence, three languages."""
    fig, axes = plt.subplots(1, len(results.blocks), figsize=(WIDTH, 3.7), sharey=True)
    for ax, part in zip(axes, results.blocks, strict=True):
        for name, values, colour, marker in (("drawn", part.drawn, "C2", "s"), ("marginal", part.marginal, "C0", "o")):
            for k, line in ((1, "-"), (2, "--")):
                look: dict[str, Any] = {"color": colour, "marker": marker, "ls": line, "mfc": colour if k == 1 else "w"}
                ax.plot(part.block, values[k], **look, label=f"{name} confidence, {'L' if k == 1 else 'L/2'} calls")
        ax.set_xscale("log")
        plain_ticks(ax.xaxis, part.block)
        ax.set(xlabel="block length b")
        ax.set_title(f"{part.language}, L = {part.length}", fontsize=9.5)
    axes[0].legend(loc="upper left", fontsize=8)
    axes[0].set_ylabel("KL(q‖p) in nats")
    fig.suptitle("Long blocks punish the drawn token; marginals at one token per call do not care", fontsize=11)
    return fig, {"blocks": results.blocks}


@figure(
    "decoding-exactness",
    claims=("price-of-exactness",),
    kind="exact",
    note="hollow: not exact there; speculative decoding needs a call that judges a whole draft",
)
def exactness(results: Results) -> Drawn:
    """Expected calls per token of exact samplers on six languages; hollow marks where the sampler is not exact."""
    rows = results.costs
    languages = list(dict.fromkeys(c.language for c in rows))
    names = list(dict.fromkeys(c.sampler for c in rows))
    fig, ax = plt.subplots(figsize=(WIDTH, 4.6))
    for k, name in enumerate(names):
        look: dict[str, Any] = style(k) | {"linestyle": "none"}
        for cost in (c for c in rows if c.sampler == name):
            exact = cost.kl < 1e-6
            place = languages.index(cost.language) + 0.1 * (k - (len(names) - 1) / 2)
            ax.plot(place, cost.calls, **look, ms=7, mfc=None if exact else "w", label=None)
            if not exact:
                label = {"textcoords": "offset points", "fontsize": 7.5, "ha": "center"}
                ax.annotate(f"{cost.kl:.2g}", (place, cost.calls), (0, 6), **label)
        ax.plot([], [], **look, ms=7, label=name)
    ax.set_xticks(range(len(languages)), [n.replace(", L", "\nL").replace(" (", "\n(") for n in languages], fontsize=8)
    ax.set(ylabel="expected calls", ylim=(0, 1.12 * max(c.calls for c in rows)))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4, fontsize=8)
    ax.set_title(
        "What exactness costs: halving suffices on every chain, speculation everywhere (labels: KL if not exact)"
    )
    return fig, {"costs": rows}


@figure(
    "decoding-truncation",
    claims=("nucleus-conventions", "temperature-bias"),
    kind="exact",
    note="left: (.45, .44, .11) and (.6, .4), the two nuclei at .9; right: left to right, per further token",
)
def truncation(results: Results) -> Drawn:
    """Left: what two nucleus conventions keep of one law. Right: KL per token against the temperature."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.8))
    law = np.array([0.45, 0.44, 0.11])
    conventions = {"law": law, "mass ≥ .9": law, "mass ≤ .9": np.array([45, 44, 0]) / 89}
    coin = {"law": np.array([0.6, 0.4]), "mass ≥ .9": np.array([0.6, 0.4]), "mass ≤ .9": np.array([1.0, 0.0])}
    for offset, part in ((0, conventions), (4, coin)):
        for x, values in enumerate(part.values()):
            bottom = 0.0
            for v, p in enumerate(values):
                if p > 0:
                    left.bar(offset + x, p, 0.75, bottom, color=f"C{v}")
                    left.text(offset + x, bottom + p / 2, f"{p:.2f}", ha="center", va="center", fontsize=8.5)
                bottom += p
    left.set_xticks([0, 1, 2, 4, 5, 6], ["law", "≥ .9", "≤ .9"] * 2)
    left.grid(axis="x", visible=False)
    left.set(ylabel="probability", ylim=(0, 1.05))
    left.set_title("nucleus at p = .9: “at most” makes a coin greedy", fontsize=10)
    for k, part in enumerate(results.temperature):
        right.plot(part.temperature, part.kl / part.entropy, **style(k))
        place, side = ((10, 6), "left") if k == 0 else ((-8, -10), "right")
        at = (part.temperature[1 + k], part.kl[1 + k] / part.entropy)
        right.annotate(part.language, at, place, textcoords="offset points", fontsize=8.5, color=f"C{k}", ha=side)
    right.set(xlabel="temperature T", ylabel="KL per token / entropy per token", yscale="symlog", ylim=(0, 1.5))
    right.set_yscale("symlog", linthresh=0.001, linscale=0.3)
    right.set_yticks([0, 0.001, 0.01, 0.1, 1], ["0", "0.001", "0.01", "0.1", "1"])
    right.set_title("one token per call at temperature T", fontsize=10)
    return fig, {"nucleus": {"three": conventions, "coin": coin}, "temperature": results.temperature}


@figure(
    "decoding-gamma",
    claims=("eb-calls-entropy", "gamma-not-monotone"),
    kind="exact",
    note="band: (H + KL)/(γ + log V) to 1 + (H + KL)/γ, at most L",
)
def gamma(results: Results) -> Drawn:
    """Expected calls and KL of entropy-bounded unmasking against gamma, and the calls that the entropy allows."""
    fig, axes = plt.subplots(2, len(results.gamma), figsize=(WIDTH, 5.0), sharex=True)
    for column, part in zip(axes.T, results.gamma, strict=True):
        x = part.gamma / np.log(2)
        column[0].fill_between(x, part.least, part.most, color="0.9", lw=0)
        column[0].plot(x, part.calls, color="C0", marker="o", ms=3, lw=1, drawstyle="steps-post")
        column[1].plot(x, part.kl / np.log(2), color="C2", marker="s", ms=3, lw=1, drawstyle="steps-post")
        column[0].set_title(part.language, fontsize=10)
        column[1].set(xlabel="γ / log 2")
    axes[0, 0].set_ylabel("expected calls")
    axes[1, 0].set_ylabel("KL(q‖p) / log 2")
    axes[0, 1].annotate("what entropy allows", (0.55, 0.9 * results.gamma[1].most[0]), fontsize=8.5, color="0.35")
    fig.suptitle("A larger γ may give fewer calls and less error at once (left, at 2 log 2)", fontsize=11)
    return fig, {"sweeps": results.gamma}
