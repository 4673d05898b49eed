"""Parts of the noise by method, per network call, and training runs with each method."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter

from figures.layout import LINES, MARKERS, Drawn
from figures.registry import figure
from theory.variance.instances import Method
from theory.variance.results import Results

SHOWN = (
    "uniform",
    "independent pair",
    "MIRROR",
    "P-POTS",
    "P-POTS + MIRROR, p refitted",
    "Neyman p, stratified",
    "size, uniform k",
    "size, optimal k",
    "size, stratified k",
)


def colours() -> list[str]:
    return plt.rcParams["axes.prop_cycle"].by_key()["color"]


def bar(method: Method) -> tuple[float, float, float]:
    """A, B, C per network call; stratifying a batch takes Var_t E_x g off B."""
    rate = method.parts.rate - (method.parts.rate_time_first if method.stratified else 0.0)
    return method.parts.pattern * method.parts.calls, rate * method.parts.calls, method.parts.data * method.parts.calls


@figure(
    "variance-parts",
    claims=("variance-abc", "data-noise-is-arm"),
    kind="exact",
    note="t on [0.001, 1]",
)
def parts(results: Results) -> Drawn:
    """A, B, C per network call, by method and target."""
    names = ["K1 oracle", "K1 temper", "K2 oracle", *[n for n in results.instances if "L =" in n]]
    fig, axes = plt.subplots(1, len(names), figsize=(2.05 * len(names) + 1.6, 3.9), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        left = np.zeros(len(SHOWN))
        for part, hatch, label in zip(range(3), ("", "///", "..."), ("A pattern", "B rate", "C data"), strict=True):
            width = np.array([bar(results.instances[name].methods[m])[part] for m in SHOWN])
            axis.barh(
                range(len(SHOWN)), width, left=left, hatch=hatch, label=label, height=0.7, edgecolor="white", lw=0.4
            )
            left += width
        axis.set_title(name, fontsize=9.5)
        axis.set_yticks(range(len(SHOWN)), SHOWN)
        axis.grid(axis="y", visible=False)
        axis.margins(x=0.03)
    axes[0].invert_yaxis()
    axes[len(names) // 2].set_xlabel("variance per network call (nats² per token²)")
    axes[-1].legend(loc="lower right", fontsize=8)
    return fig, {name: per_method(case.methods) for name, case in results.instances.items()}


@figure(
    "variance-compute",
    claims=("mirror-equal-compute", "sizes-beat-times", "neyman-beats-ppots"),
    kind="exact",
    accuracy={"gradients.network": 1e-6},  # a network drawn and differentiated in single precision
    note="t on [0.001, 1]",
)
def compute(results: Results) -> Drawn:
    """Variance per network call against uniform t, by method: losses and gradients."""
    methods = list(results.instances["K1 oracle"].methods)
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.6), sharey=True)
    losses = {name: case.methods for name, case in results.instances.items()}
    gradients = {
        "K1, own logits per context": results.gradients["table"],
        "K1, small network": results.gradients["network"],
    }
    for axis, family, title in ((left, losses, "loss"), (right, gradients, "gradient (trace)")):
        for k, (name, table) in enumerate(family.items()):
            ratio = [table[m].per_call / table["uniform"].per_call for m in methods]
            axis.plot(ratio, range(len(methods)), linestyle="none", marker=MARKERS[k], ms=6, label=name, alpha=0.85)
        axis.axvline(1.0, color="0.3", lw=0.8)
        axis.set(xscale="log", xlabel="variance per network call, uniform t = 1")
        axis.set_xticks([0.03, 0.1, 0.3, 1.0], ["0.03", "0.1", "0.3", "1"])
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_title(title)
    left.set_xlim(0.025, 1.4)
    right.set_xlim(0.2, 1.4)
    left.set_yticks(range(len(methods)), methods)
    left.invert_yaxis()
    left.legend(fontsize=7.5, loc="upper left")
    right.legend(fontsize=8, loc="upper left")
    return fig, {
        "losses": {name: per_method(case.methods) for name, case in results.instances.items()},
        "gradients": {kind: per_method(methods) for kind, methods in results.gradients.items()},
    }


@figure(
    "variance-training",
    claims=("training-spread",),
    kind="trained",
)
def training(results: Results) -> Drawn:
    """Excess loss of small networks trained with each method, and the run-to-run variance against uniform t."""
    run = results.training
    names = list(run.excess)
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.9), width_ratios=(1, 1.25))
    for k, name in enumerate(names):
        value = run.excess[name]
        left.plot(value.steps, np.median(value.excess, axis=0), linestyle=LINES[k], marker=MARKERS[k], label=name)
    left.set(xlabel="step", ylabel="median excess loss (nats per sequence)", yscale="log")
    left.yaxis.set_minor_formatter(NullFormatter())
    ticks = [t for t in (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6) if left.get_ylim()[0] <= t <= left.get_ylim()[1]]
    left.set_yticks(ticks, [f"{t:g}" for t in ticks])
    left.legend(fontsize=7.5)
    for k, name in enumerate(names):
        ratio, low, high = run.ratio[name]
        right.plot([low, high], [k, k], color=colours()[k], lw=2)
        right.plot(ratio, k, MARKERS[k], color=colours()[k], ms=7)
    right.axvline(1.0, color="0.3", lw=0.8)
    right.set_yticks(range(len(names)), names)
    right.invert_yaxis()
    right.set(xscale="log", xlabel="run-to-run variance of log excess, uniform t = 1")
    right.set_xticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
    right.xaxis.set_minor_formatter(NullFormatter())
    fig.suptitle(
        f"{run.runs} runs per method, {run.calls} network calls per step, one start; 95 % F intervals", fontsize=10
    )
    return fig, {
        "runs": run.runs,
        "steps": run.steps,
        "calls": run.calls,
        "methods": {name: _trained(value, run.ratio[name]) for name, value in run.excess.items()},
    }


def per_method(methods: dict[str, Method]) -> dict:
    """What the figures draw of each method."""
    return {name: {"parts": method.parts, "per_call": method.per_call} for name, method in methods.items()}


def _trained(value, ratio) -> dict:
    excess = {"mean": value.excess.mean(axis=0), "median": np.median(value.excess, axis=0)}
    return {"steps": value.steps, **excess, "ratio": dict(zip(("value", "low", "high"), ratio, strict=True))}
