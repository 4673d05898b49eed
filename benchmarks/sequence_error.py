"""Time and memory of the exact and certified sequence error and of the banded log-likelihood, outputs compared first.

    python -m benchmarks.sequence_error            print the section
    python -m benchmarks.sequence_error --write    and put it into benchmarks/RESULTS.md

Each case runs in its own process: wall and CPU seconds, peak memory of the process. Kernels are compiled before.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import toy_models as tm

HEADING = "## Sequence error and likelihood of independent reveal on chains"
RESULTS = Path(__file__).parent / "RESULTS.md"
CHAINS = {
    "3 symbols": np.array([[0.7, 0.3, 0], [0, 0.6, 0.4], [0.5, 0, 0.5]]),
    "4 symbols": np.array([[0.6, 0.4, 0, 0], [0, 0.5, 0.3, 0.2], [0.25, 0, 0.75, 0], [0, 0.35, 0.15, 0.5]]),
    "slow": np.array([[0.85, 0.15, 0], [0, 0.8, 0.2], [0.1, 0, 0.9]]),
}


def chain(name: str, length: int = 2) -> tm.MarkovChain:
    return tm.MarkovChain(CHAINS[name], length)


def exact(name: str, length: int, steps: int) -> str:
    table = tm.sequence_error_table(chain(name), steps, np.arange(1, length + 1), method="exact")
    return f"SER(L={length}, N={steps}) = {table.error[-1, -1]:.10f}"


def certified(name: str, length: int, steps: int) -> str:
    table = tm.sequence_error_table(chain(name), steps, [length], method="certified")
    return f"ln(1-SER) = {table.log_valid[-1, -1]:.6f}, error <= {table.error_bound[-1, -1]:.1e}"


def likelihood(name: str, length: int, steps: int, rows: int) -> str:
    target = chain(name, length)
    found = tm.chains.gap_log_likelihood(target, steps, target.sample(rows, np.random.default_rng(0)))
    return f"band {found.band}, estimated error <= {found.error_estimate.max():.0e}, {rows} rows"


CASES = {
    "4 symbols, every N <= 64 and every L <= 256, exact": (exact, ("4 symbols", 256, 64), "30 s"),
    "4 symbols, every N <= 64 and every L <= 512, exact": (exact, ("4 symbols", 512, 64), "180 s, 2 GiB"),
    "4 symbols, every N <= 64, L = 10^6, certified": (certified, ("4 symbols", 10**6, 64), "15 s, error 1e-6"),
    "3 symbols, every N <= 64, L = 10^6, certified": (certified, ("3 symbols", 10**6, 64), "15 s, error 1e-6"),
    "slow chain (0.78), every N <= 64, L = 10^6, certified": (certified, ("slow", 10**6, 64), ""),
    "log p(x), 3 symbols, L = 512, every N <= 64": (likelihood, ("3 symbols", 512, 64, 8), "1 s per row"),
    "log p(x), 4 symbols, L = 512, every N <= 64": (likelihood, ("4 symbols", 512, 64, 8), "1 s per row"),
}


def measure(case: str) -> dict:
    function, arguments, _ = CASES[case]
    exact("4 symbols", 20, 2)
    likelihood("3 symbols", 20, 2, 1)
    wall, cpu = time.perf_counter(), time.process_time()
    note = function(*arguments)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rows = arguments[3] if function is likelihood else 1
    return {"wall": wall / rows, "cpu": cpu / rows, "mib": peak / 1024, "note": note}


def agreement() -> list[str]:
    """Largest differences between routes that share no tail."""
    lines = []
    for name in ("3 symbols", "4 symbols"):
        lengths = [64, 128, 256]
        first = tm.sequence_error_table(chain(name), 16, lengths, method="exact").log_valid
        second = tm.sequence_error_table(chain(name), 16, lengths, method="certified").log_valid
        lines.append(
            f"{name}: ln(1-SER) exact against certified, L <= 256, N <= 16: {np.abs(first - second).max():.0e}"
        )
        target = chain(name, 128)
        x = target.sample(2, np.random.default_rng(1))
        full = tm.chains.gap_log_likelihood(target, 16, x, band=129).log_p
        band = tm.chains.gap_log_likelihood(target, 16, x)
        lines.append(
            f"{name}: log p(x) full table against band {band.band}, L = 128: {np.abs(full - band.log_p).max():.0e}"
        )
    return lines


def section() -> str:
    lines = [HEADING, "", *[f"- {line}" for line in agreement()], ""]
    lines += ["| case | wall s | CPU s | peak MiB | asked | result |", "|---|---|---|---|---|---|"]
    for case, (_, _, asked) in CASES.items():
        child = [sys.executable, "-m", "benchmarks.sequence_error", "--case", case]
        found = json.loads(subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True).stdout)
        lines.append(
            f"| {case} | {found['wall']:.2f} | {found['cpu']:.2f} | {found['mib']:.0f} | {asked} | {found['note']} |"
        )
    load = os.getloadavg()[0]
    lines += [
        "",
        "log p(x) per row of a batch. "
        f"{os.cpu_count()} cores, {_cpu()}, Python {platform.python_version()}, numpy {np.__version__}; BLAS threads: "
        f"{os.environ.get('OMP_NUM_THREADS', 'all')}; load average at the end {load:.1f}, so wall times of a busy "
        "machine are upper bounds.",
        "",
    ]
    return "\n".join(lines)


def _cpu() -> str:
    """Model, family and vector width as the kernel reports them."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in info.read_text().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    width = "AVX-512" if "avx512f" in fields.get("flags", "") else "AVX2"
    return f"{fields.get('model name', '?')} (family {fields.get('cpu family', '?')}, {width})"


def write(text: str) -> None:
    """Replace this section of RESULTS.md, or append it."""
    old = RESULTS.read_text() if RESULTS.exists() else "# Measured\n\n"
    before, found, after = old.partition(HEADING)
    rest = after.partition("\n## ") if found else ("", "", "")
    tail = "## " + rest[2] if rest[1] else ""
    RESULTS.write_text(before.rstrip() + "\n\n" + text.rstrip() + "\n" + ("\n" + tail if tail else ""))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", choices=list(CASES))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measure(arguments.case)))
        return
    text = section()
    print(text)
    if arguments.write:
        write(text)


if __name__ == "__main__":
    main()
