"""Learning the order: descents, success, estimator noise, the ends of the flow."""

import matplotlib.pyplot as plt
import numpy as np

from figures.layout import LINES, MARKERS, Drawn
from figures.registry import figure
from theory.learned_order.results import Results


@figure(
    "learned-order-descent",
    claims=("descent-finds-best-order",),
    kind="trained",
)
def descent(results: Results) -> Drawn:
    """Gradient descent on a loss with three valleys; only one holds the best order."""
    data = results.landscape
    fig, ax = plt.subplots(figsize=(6.4, 4.9))
    levels = np.linspace(data.loss.min(), data.loss.max(), 25)
    filled = ax.contourf(data.axis, data.axis, data.loss, levels=levels, cmap="cividis")
    best = min(data.order_losses.values())
    for k in range(data.paths.shape[1]):
        path = data.paths[:, k]
        good = data.order_losses["".join(map(str, data.orders[k]))] <= best + 1e-9
        colour, style = ("white", "-") if good else ("#ffb3a7", "--")
        ax.plot(path[:, 0], path[:, 1], color=colour, ls=style, lw=1.8)
        ax.plot(*path[0], "o", color=colour, ms=6, mec="black", mew=0.6)
    ax.plot([], [], "-", color="0.35", label="ends at the best order (white)")
    ax.plot([], [], "--", color="#d9604c", label="ends at a worse order (pink)")
    corners = {"012": (0.6, 4.9), "120": (-5.7, 4.6), "201": (-0.4, -5.6)}
    for order, place in corners.items():
        ax.text(*place, f"order {'>'.join(order)}\n{data.order_losses[order]:.4f}", fontsize=8.5, color="white")
    low, high = data.axis[0], data.axis[-1]
    ax.set(xlim=(low, high), ylim=(low, high), xlabel=r"$\log w_0-\log w_1$", ylabel=r"$\log w_1-\log w_2$")
    ax.grid(False)
    fig.colorbar(filled, label="loss (nats per sequence)", format="%.2f")
    fig.legend(loc="outside upper center", ncol=2)
    return fig, {"landscape": data}


@figure(
    "learned-order-success",
    claims=("descent-finds-best-order", "wrong-order-attracts", "edge-flow-time"),
    kind="trained",
)
def success(results: Results) -> Drawn:
    """Share of planted orders recovered, and what each failure costs."""
    starts, methods = ("equal", "near", "spread"), ("gradient", "Adam", "edge differences")
    fig, (ax, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
    for k, method in enumerate(methods):
        for toy, fill in (("K1", "full"), ("K2", "none")):
            rows = [r for s in starts for r in results.success if (r.toy, r.start, r.method) == (toy, s, method)]
            y = np.array([r.successes / r.trials for r in rows])
            error = np.array([[v - r.low, r.high - v] for v, r in zip(y, rows, strict=True)]).T
            x = np.arange(3) + (k - 1) * 0.2 + (0.05 if toy == "K2" else -0.05)
            style = {"color": f"C{k}", "marker": MARKERS[k], "fillstyle": fill}
            ax.errorbar(x, y, error, ls="none", capsize=2.5, label=f"{method}, {toy}", **style)
    trials = results.success[0].trials
    labels = ["equal\n(w = 1)", "near\n(sd 0.1)", "spread\n(sd 3)"]
    ax.set(xticks=range(3), xticklabels=labels, ylim=(-0.03, 1.05), xlabel="starting log-weights")
    ax.set_ylabel(f"planted orders recovered\n(of {trials}, 95 % exact intervals)")
    ax.legend(loc="center left", bbox_to_anchor=(0.0, 0.6), ncol=1, fontsize=8)
    for k, method in enumerate(methods):
        row = next(r for r in results.success if (r.toy, r.start, r.method) == ("K1", "equal", method))
        gaps = np.sort(np.maximum(row.gap, 1e-7))
        right.plot(np.arange(1, trials + 1) / trials, gaps, LINES[k], color=f"C{k}", label=method)
        right.plot(row.successes / trials, gaps[max(row.successes - 1, 0)], MARKERS[k], color=f"C{k}")
    right.set(yscale="log", xlabel="planted orders, sorted by gap (share)", ylabel="loss above the best order (nats)")
    right.set_title("K1, equal start; marker: share recovered", fontsize=9.5)
    right.legend(loc="lower right")
    return fig, {"success": results.success}


@figure(
    "learned-order-noise",
    claims=("scale-changes-variance-only", "estimators-unbiased"),
    kind="exact",
)
def noise(results: Results) -> Drawn:
    """The scale of the weights changes the noise, not the loss; and the price of each gradient estimator."""
    fig, (ax, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
    ax.plot(results.variance_scale, results.variance, label="variance of one draw")
    ax.axvline(1.0, color="0.5", ls=":", lw=1)
    ax.text(1.15, results.variance.max() * 0.97, "infinite for min w ≤ 1", fontsize=8.5, va="top")
    best = int(np.argmin(results.variance))
    ax.plot(results.variance_scale[best], results.variance[best], "o", color="C0")
    ax.annotate(
        f"{results.variance[best]:.1f} at c = {results.variance_scale[best]:.2f}",
        (results.variance_scale[best], results.variance[best]),
        xytext=(2, -14),
        textcoords="offset points",
        fontsize=8.5,
    )
    ax.set(xlabel="scale c of the weights (smallest weight)", ylabel="variance (nats²)")
    ax.set_ylim(0, None)
    mean = results.variance_mean[0]
    ax.set_title(f"K1 tempered; the mean stays {mean:.6f} nats", fontsize=9.5)
    names = ("score", "rloo", "antithetic", "local", "orders")
    for k, (case, rows) in enumerate(results.estimators.items()):
        cost = [max(rows[n][0] * rows[n][1], 1e-4) for n in names]
        right.plot(np.arange(5) + 0.18 * (k - 1), cost, MARKERS[k], color=f"C{k}", label=case, ms=6.5)
    right.axhline(1e-4, color="0.6", lw=0.7, ls=":")
    right.text(4.4, 1.25e-4, "0 (exact)", fontsize=8, color="0.35", ha="right")
    right.set(yscale="log", xticks=range(5), xticklabels=names, xlim=(-0.5, 4.5))
    right.set_ylabel("gradient variance × denoiser calls")
    right.legend(loc="lower left")
    return fig, {"scale": results.variance_scale, "variance": results.variance, "estimators": results.estimators}


@figure(
    "learned-order-ends",
    claims=("wrong-order-attracts", "symmetric-start-is-stationary"),
    kind="exact",
    accuracy={"wrong_edge": 1e-6},  # where a flow has got to
)
def ends(results: Results) -> Drawn:
    """Where the flow goes: attracting wrong ends, and the symmetric start of a shared table."""
    fig, (ax, right) = plt.subplots(1, 2, figsize=(9.6, 3.8))
    names = {"1011": "4 edges, 2nd wrong: stays wrong", "11011": "5 edges, 3rd wrong: stays wrong"}
    names["101"] = "3 edges, 2nd wrong: recovers"
    for k, (pattern, name) in enumerate(names.items()):
        y = results.sinks[pattern] / np.log(10)
        ax.plot(results.sink_times / np.log(10), y, LINES[k], color=f"C{k}", label=name)
    ax.set(xlabel=r"$\log_{10}$ time of the gradient flow", ylabel=r"$\log_{10}(t\,I\,g)$ of the wrong edge")
    ax.legend(loc="lower left")
    s, loss = results.shared.T
    right.plot(s, loss)
    right.plot([0.5], [loss.max()], "D", color="C2")
    right.annotate(
        "w = 1: stationary, and the maximum", (0.5, loss.max()), xytext=(0, 7), textcoords="offset points",
        ha="center", fontsize=8.5,
    )  # fmt: skip
    right.set_ylim(loss.min() - 0.02, loss.max() + 0.05)
    right.set(xlabel="P(position 0 decoded before 1)", ylabel="loss with one shared table (nats)")
    return fig, {"log_time": results.sink_times, "wrong_edge": results.sinks, "shared_table": results.shared}
