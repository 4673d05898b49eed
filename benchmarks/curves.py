"""Time of certified reveal curves, trajectory-KL enclosures and exact chain curves, outputs compared first.

    OMP_NUM_THREADS=1 python -m benchmarks.curves            print the section
    OMP_NUM_THREADS=1 python -m benchmarks.curves --write    and put it into benchmarks/RESULTS.md

Wall and CPU seconds of one call after a first one (kernels compiled); the machine may be shared, so CPU
seconds are the fairer column.
"""

import argparse
import math
import os
import platform
import time
from pathlib import Path

import numpy as np

import toy_models as tm
from toy_models.targets.markov import stationary_law

HEADING = "## Information curves of chains, HMMs and n-grams"
RESULTS = Path(__file__).parent / "RESULTS.md"
CHAINS = {
    "3 symbols": np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]),
    "slow (0.9998)": np.array([[0.9999, 0.0001], [0.0001, 0.9999]]),
    "periodic": np.array([[0.0, 1.0], [1.0, 0.0]]),
}
MODELS = {
    "H1": (np.array([[0.8, 0.2], [0.1, 0.9]]), np.array([[0.7, 0.3, 0.0], [0.0, 0.25, 0.75]])),
    "H2": (np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.85, 0.15], [0.3, 0.7]])),
    "H3": (
        np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.25, 0.7]]),
        np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.15, 0.15, 0.7]]),
    ),
    # trigram on two symbols as the chain of pairs (x_i, x_{i+1}) that shows x_i
    "trigram": (
        np.array([[0.9, 0.1, 0, 0], [0, 0, 0.3, 0.7], [0.6, 0.4, 0, 0], [0, 0, 0.2, 0.8]]),
        np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),
    ),
}


def model(name: str, length: int) -> tm.HMM:
    transition, emission = MODELS[name]
    return tm.HMM(stationary_law(transition), transition, emission, length)


def chain_curve(name: str, length: int) -> str:
    chain = tm.MarkovChain(CHAINS[name], length)
    g = tm.information_curve(chain)
    rate = CHAINS[name] * np.log(np.where(CHAINS[name] > 0, CHAINS[name], 1.0))
    entropy = -float(chain.initial @ np.log(chain.initial)) - (length - 1) * float(chain.initial @ rate.sum(axis=1))
    return f"sum g - H = {math.fsum(g) - entropy:.0e} of {entropy:.6g}"


def curve(name: str, length: float, a: float, tolerance: float) -> str:
    found = tm.reveal_curve_bounds(model(name, 2), a, tolerance, length=length)
    return (
        f"[{float(found.low):.12f}, {float(found.high):.12f}], width {float(found.high - found.low):.1e}, "
        f"{found.method}, window {int(found.window)}, cells {int(found.cells)}"
    )


def trajectory(name: str, length: int, steps: int, tolerance: float) -> str:
    low, high = tm.hidden_chains.trajectory_kl_bounds(model(name, length), np.full(steps, 1 / steps), tolerance)
    return f"[{low:.7g}, {high:.7g}], width {high - low:.1e}"


def entropy(name: str, length: int, tolerance: float) -> str:
    low, high = tm.hidden_chains.entropy_bounds(model(name, length), tolerance)
    return f"H/L in [{low / length:.11f}, {high / length:.11f}]"


def cases():
    """(name, function, arguments, wanted)."""
    for name in CHAINS:
        for length, wanted in ((4096, "0.3 s"), (100_000, "5 s")):
            yield f"g(k), all k, {name} chain, L = {length}", chain_curve, (name, length), wanted
    for name, a, tolerance, wanted in (
        ("H1", 0.5, 1e-6, "1 s"),
        ("H2", 0.5, 1e-6, "1 s"),
        ("H2", 0.1, 1e-6, "1 s"),
        ("H1", 0.2, 1.5e-9, ""),
        ("H2", 0.5, 2.2e-8, ""),
        ("H3", 0.5, 1e-4, ""),
        ("trigram", 0.5, 2.5e-6, ""),
        ("trigram", 0.8, 5e-10, ""),
    ):
        yield f"h({a}), {name}, L = inf, width {tolerance:g}", curve, (name, math.inf, a, tolerance), wanted
    for length in (512, 10**6):
        yield f"h(0.5), H2, L = {length}, width 1e-06", curve, ("H2", length, 0.5, 1e-6), "1 s"
    for name in ("H1", "H2", "H3"):
        yield f"H(X), {name}, L = 512, width 1e-05", entropy, (name, 512, 1e-5), ""
    for name, length, widths in (
        ("H1", 512, (3.8e-4, 4.2e-4, 4.2e-4)),
        ("H2", 512, (2.2e-4, 2.4e-4, 2.4e-4)),
        ("H2", 10**6, (0.43, 0.47, 0.48)),
        ("H3", 512, (0.22, 0.22, 0.22)),
    ):
        for steps, width in zip((4, 16, 64), widths, strict=True):
            yield f"E KL, {name}, L = {length}, N = {steps}", trajectory, (name, length, steps, width), f"width {width}"


def compare() -> str:
    """Hidden chains that are observed chains in disguise: enclosures against the gap formula."""
    worst = 0.0
    for name in ("3 symbols", "slow (0.9998)"):
        chain = tm.MarkovChain(CHAINS[name], 8)
        disguised = tm.HMM(chain.initial, chain.transition, np.eye(chain.vocab_size), 8)
        for a in (0.3, 0.8):
            exact = tm.reveal_curve_bounds(chain, a, 1e-9)
            hidden = tm.reveal_curve_bounds(disguised, a, 1e-9)
            if not hidden.low - 1e-14 <= exact.low <= hidden.high + 1e-14:
                raise AssertionError(f"{name}, a = {a}: {exact.low} outside [{hidden.low}, {hidden.high}]")
            worst = max(worst, float(hidden.high - hidden.low))
    return f"Outputs compared first: enclosures of observed chains contain the gap formula (width {worst:.0e})."


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def section() -> str:
    lines = [
        HEADING,
        "",
        "`OMP_NUM_THREADS=1 python -m benchmarks.curves --write`. "
        f"{processor()}, {os.cpu_count()} cores, shared with other work; one thread used. "
        f"Python {platform.python_version()}, numpy {np.__version__}.",
        compare(),
        "",
        "| case | result | wall s | CPU s | wanted |",
        "|---|---|---|---|---|",
    ]
    chain_curve("3 symbols", 64)
    for label, function, arguments, wanted in cases():
        wall, cpu = time.perf_counter(), time.process_time()
        result = function(*arguments)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        lines.append(f"| {label} | {result} | {wall:.3g} | {cpu:.3g} | {wanted} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def put(text: str, heading: str = HEADING) -> None:
    """Replace the section of RESULTS.md under `heading`, or append it."""
    old = RESULTS.read_text() if RESULTS.exists() else "# Measured\n"
    start = old.find(heading)
    if start >= 0:
        end = old.find("\n## ", start + 1)
        old = old[:start] + (old[end + 1 :] if end >= 0 else "")
    RESULTS.write_text(old.rstrip() + "\n\n" + text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the section into benchmarks/RESULTS.md")
    found = section()
    if parser.parse_args().write:
        put(found)
