"""Figures of the learned-order topic: pure functions of theory.learned_order.Results."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from figures import STYLE
from figures.save import save
from theory.learned_order import Results

DEPENDS = ("theory/learned_order.py", "figures/learned_order.py")
MARKERS = ("o", "s", "^", "D", "v")
LINES = ("-", "--", "-.", ":")


def _foot(fig: Figure, *claims: str) -> None:
    """The claims the figure shows, small and grey at its foot."""
    fig.supxlabel(", ".join(claims), fontsize=7, color="0.45")


def laws(results: Results) -> Figure:
    """Which position is decoded when: four schedules, four positions."""
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(1, 4, figsize=(9.6, 2.9), sharey=True)
        for ax, (name, table) in zip(axes, results.law_maps.items(), strict=True):
            image = ax.imshow(table, vmin=0, vmax=1, cmap="Blues", aspect="equal")
            for i in range(4):
                for k in range(4):
                    colour = "white" if table[i, k] > 0.55 else "0.15"
                    ax.text(k, i, f"{table[i, k]:.2f}", ha="center", va="center", fontsize=8, color=colour)
            ax.set(title=name, xlabel="decoded at place", xticks=range(4), xticklabels=range(1, 5), yticks=range(4))
            ax.grid(False)
        axes[0].set_ylabel("position")
        fig.colorbar(image, ax=axes, label="probability", shrink=0.85, pad=0.01)
        _foot(fig, "scalar-schedule-uniform-orders", "power-family-is-plackett-luce")
    return fig


def nelbo(results: Results) -> Figure:
    """NELBO against the ratio of neighbouring weights, in the written order, with the sort both ways."""
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(1, 4, figsize=(11.0, 3.2))
        for ax, curve in zip(axes, results.curves, strict=True):
            ax.axhspan(curve.best, curve.worst, color="0.5", alpha=0.1, lw=0)
            ax.axhline(curve.uniform, color="0.45", lw=0.9, ls=":")
            ax.plot(curve.ratio, curve.loss, label="descending (exact identity)")
            ax.plot(curve.ratio, curve.ascending, "--", label="ascending (as printed)")
            ax.set(xscale="log", xlabel="weight ratio of neighbours", title=curve.name)
            if curve.worst - curve.best < 1e-9:
                ax.set_ylim(curve.best - 0.01, curve.best + 0.01)
                ax.text(1.2, curve.best + 0.001, "every order costs the entropy", fontsize=8)
            ax.ticklabel_format(axis="y", useOffset=False)
        axes[0].set_ylabel("loss (nats per sequence)")
        axes[0].text(
            20, results.curves[0].uniform, "uniform orders", fontsize=8, va="bottom", color="0.3", clip_on=False
        )
        handles, labels = axes[0].get_legend_handles_labels()
        handles.append(plt.Rectangle((0, 0), 1, 1, color="0.5", alpha=0.15, lw=0))
        fig.legend(handles, [*labels, "best to worst order"], loc="outside upper center", ncol=3)
        _foot(fig, "nelbo-is-order-average", "optimum-is-one-order", "oracle-every-order-equal")
    return fig


def descent(results: Results) -> Figure:
    """Gradient descent on a loss with three valleys; only one holds the best order."""
    data = results.landscape
    with plt.style.context(STYLE):
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
        _foot(fig, "descent-finds-best-order")
    return fig


def success(results: Results) -> Figure:
    """Share of planted orders recovered, and what each failure costs."""
    starts, methods = ("equal", "near", "spread"), ("gradient", "Adam", "edge differences")
    with plt.style.context(STYLE):
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
        right.set(
            yscale="log", xlabel="planted orders, sorted by gap (share)", ylabel="loss above the best order (nats)"
        )
        right.set_title("K1, equal start; marker: share recovered", fontsize=9.5)
        right.legend(loc="lower right")
        _foot(fig, "descent-finds-best-order", "wrong-order-attracts", "edge-flow-time")
    return fig


def pareto(results: Results) -> Figure:
    """Loss against the number of parallel steps: chosen positions against random ones."""
    with plt.style.context(STYLE):
        fig, axes = plt.subplots(1, 4, figsize=(11.0, 3.2), sharey=True)
        for ax, front in zip(axes, results.fronts, strict=True):
            steps = np.arange(1, len(front.best) + 1)
            floor = 1e-5
            ax.plot(steps, np.maximum(front.random, floor), "s--", color="C1", label="random positions, best sizes")
            ax.plot(steps, np.maximum(front.best, floor), "o-", color="C0", label="best ordered partition")
            ax.set(yscale="log", ylim=(floor * 0.6, 4), xlabel="steps N", title=front.name, xticks=steps)
            ax.axhline(floor, color="0.6", lw=0.7, ls=":")
        axes[0].text(len(axes[0].get_xticks()), 1.25e-5, "0 (exact)", fontsize=8, color="0.35", ha="right")
        axes[0].set_ylabel("loss above the entropy (nats)")
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncol=2)
        _foot(fig, "chain-partition-front", "markov-bisection-front")
    return fig


def reachable(results: Results) -> Figure:
    """Both directions of three positions: what independent times can reach."""
    with plt.style.context(STYLE):
        fig, ax = plt.subplots(figsize=(5.4, 4.6))
        a = np.linspace(0, 1, 201)
        ax.fill_between(a**2, 0, (1 - a) ** 2, color="C0", alpha=0.15, lw=0)
        ax.plot(a**2, (1 - a) ** 2, color="C0", label=r"limit $\sqrt{p}+\sqrt{q}=1$")
        ax.plot([0, 1], [1, 0], ":", color="0.4", label="limit of all order laws")
        ax.plot(*results.sandwiches.T, ".", color="C3", ms=2, alpha=0.5, label="random independent times")
        ax.plot(*results.sandwich_pl.T, "--", color="C2", label="Plackett-Luce, weights (1, w, 1)")
        points = {"best mixture: 0.693": (0.5, 0.5, "*"), "best independent: 1.386": (0.25, 0.25, "D")}
        points["best Plackett-Luce: 1.763"] = (3 - 2 * 2**0.5, 3 - 2 * 2**0.5, "^")
        plate = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
        for name, (p, q, marker) in points.items():
            ax.plot(p, q, marker, color="black", ms=9 if marker == "*" else 6)
            offset = (8, 4) if marker != "^" else (8, -9)
            ax.annotate(name + " nats", (p, q), xytext=offset, textcoords="offset points", fontsize=8.5, bbox=plate)
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="p = P(0 before 1 before 2)")
        ax.set_ylabel("q = P(2 before 1 before 0)")
        ax.set_aspect("equal")
        ax.legend(loc="upper right")
        _foot(fig, "independent-times-bound", "two-way-gap")
    return fig


def noise(results: Results) -> Figure:
    """The scale of the weights changes the noise, not the loss; and the price of each gradient estimator."""
    with plt.style.context(STYLE):
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
        _foot(fig, "scale-changes-variance-only", "estimators-unbiased")
    return fig


def ends(results: Results) -> Figure:
    """Where the flow goes: attracting wrong ends, and the symmetric start of a shared table."""
    with plt.style.context(STYLE):
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
        _foot(fig, "wrong-order-attracts", "symmetric-start-is-stationary")
    return fig


def save_all(results: Results, out_dir: str | Path, parameters: dict, seed: int) -> list[Path]:
    """Write every figure of the topic and return the paths of the JSON files."""
    made = {
        "learned-order-laws": (
            laws,
            results.law_maps,
            ("scalar-schedule-uniform-orders", "power-family-is-plackett-luce"),
        ),
        "learned-order-nelbo": (
            nelbo,
            {"curves": results.curves},
            ("nelbo-is-order-average", "optimum-is-one-order", "oracle-every-order-equal"),
        ),
        "learned-order-descent": (descent, {"landscape": results.landscape}, ("descent-finds-best-order",)),
        "learned-order-success": (
            success,
            {"success": results.success},
            ("descent-finds-best-order", "wrong-order-attracts", "edge-flow-time"),
        ),
        "learned-order-pareto": (
            pareto,
            {"fronts": results.fronts},
            ("chain-partition-front", "markov-bisection-front"),
        ),
        "learned-order-reachable": (
            reachable,
            {"random": results.sandwiches, "plackett_luce": results.sandwich_pl},
            ("independent-times-bound", "two-way-gap"),
        ),
        "learned-order-noise": (
            noise,
            {"scale": results.variance_scale, "variance": results.variance, "estimators": results.estimators},
            ("scale-changes-variance-only", "estimators-unbiased"),
        ),
        "learned-order-ends": (
            ends,
            {"log_time": results.sink_times, "wrong_edge": results.sinks, "shared_table": results.shared},
            ("wrong-order-attracts", "symmetric-start-is-stationary"),
        ),
    }
    trained = {"learned-order-descent", "learned-order-success"}
    return [
        save(
            figure(results),
            name,
            out_dir,
            data=data,
            claims=claims,
            kind="trained" if name in trained else "exact",
            parameters=parameters,
            seed=seed,
            depends=DEPENDS,
        )
        for name, (figure, data, claims) in made.items()
    ]
