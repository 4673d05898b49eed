"""Networks on a device: the posterior beside the CPU route, and the GPU table. Outputs are compared before timing.

    python -m benchmarks.networks [--batch 256 --length 128 --states 16]     CPU ratios and, with a card, the GPU table
    python -m benchmarks.networks --write                                    and put both into benchmarks/RESULTS.md
    python -m benchmarks.networks --tiny                                     the GPU table on the CPU, tiny

CPU: HMM.marginals (compiled, the threads of numba) and networks.marginals on the same CPU (the threads of torch), in
turns in one run. GPU: networks_posterior, _training, _sampling; without a card every row says "not measured".
Rows go to build/networks.json, and with a card and --write also to benchmarks/gpu.json, which the notebook shows.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # numba gives torch its thread count; spinning would starve both

import numba
import numpy as np
import torch

from benchmarks import networks_posterior, networks_sampling, networks_training
from benchmarks.networks_posterior import problem, worst
from benchmarks.networks_table import COMMITTED, RESULTS, ROOT, Row, as_markdown, dump, environment, load, put
from toy_models import networks

PARTS = (networks_posterior, networks_training, networks_sampling)
TINY = {
    networks_posterior: networks_posterior.Sizes(batch=8, length=12, states=3, compared=4, side=64, numbers=2**12),
    networks_training: networks_training.Sizes(
        {name: networks.Config(4, 8, width=8, layers=1, heads=2) for name in networks_training.CONFIGS},
        side=64,
        steps=2,
        backend="eager",
        largest=4,
    ),
    networks_sampling: networks_sampling.Sizes(networks.Config(4, 8, width=8, layers=1, heads=2), texts=4, steps=4),
}


def medians(contenders: dict, rounds: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds over rounds in which the contenders take turns."""
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter(), time.process_time()
            run()
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return {name: tuple(np.median(values, axis=0).tolist()) for name, values in times.items()}


def on_cpu(batch: int, length: int, states: int, rounds: int) -> tuple[bool, str]:
    """Whether the outputs agree within the bounds, and the table of ratios."""
    target, y = problem(batch, length, states, np.random.default_rng(0))
    exact, lines = target.marginals(y), []
    for dtype in (torch.float64, torch.float32):
        share = worst(networks.marginals(target, y, "cpu", dtype), exact, target, dtype)
        lines.append(f"{str(dtype)[6:]}: largest relative difference {share:.2e} of what the bounds allow.")
        if share > 1:
            return False, "\n".join([*lines, "Outputs disagree beyond the bound, nothing is timed."])
    found = medians(
        {
            "`HMM.marginals`, compiled": lambda: target.marginals(y),
            "`networks.marginals`, float64": lambda: networks.marginals(target, y, "cpu"),
            "`networks.marginals`, float32": lambda: networks.marginals(target, y, "cpu", torch.float32),
        },
        rounds,
    )
    threads = f"{numba.get_num_threads()} numba and {torch.get_num_threads()} torch threads"
    lines += [
        f"B = {batch}, L = {length}, {states} states and symbols, half masked; {threads}, load average "
        f"{os.getloadavg()[0]:.1f}, medians of {rounds} rounds in turns.",
        "",
        "| | wall ms | CPU ms | wall ratio | CPU ratio |",
        "|---|---|---|---|---|",
    ]
    base = found["`HMM.marginals`, compiled"]
    for name, (wall, cpu) in found.items():
        lines.append(f"| {name} | {1e3 * wall:.2f} | {1e3 * cpu:.2f} | {wall / base[0]:.2f} | {cpu / base[1]:.2f} |")
    return True, "\n".join(lines)


def gpu_rows(tiny: bool) -> tuple[list[Row], dict[str, str]]:
    """Every row: measured on the card, on the CPU with tiny sizes, from the committed file, or not measured."""
    if tiny:
        place = torch.device("cpu")
        return [row for part in PARTS for row in part.rows(place, TINY[part])], environment(place)
    if torch.cuda.is_available():
        place = torch.device("cuda")
        return [row for part in PARTS for row in part.rows(place, part.Sizes())], environment(place)
    if COMMITTED.exists():
        return load(COMMITTED)
    return [row for part in PARTS for row in part.ROWS], environment(torch.device("cpu"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("batch", 256), ("length", 128), ("states", 16), ("rounds", 31)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "networks.json", help="where the rows go as JSON")
    parser.add_argument("--tiny", action="store_true", help="run every line of the GPU table on the CPU, tiny sizes")
    parser.add_argument("--write", action="store_true", help="put the tables into benchmarks/RESULTS.md")
    options = parser.parse_args(arguments)
    if options.tiny and options.write:
        parser.error("--tiny with --write: tiny sizes measure nothing, they are not written")
    agree, table = on_cpu(options.batch, options.length, options.states, options.rounds)
    print(table, flush=True)
    rows, place = gpu_rows(options.tiny)
    shown = as_markdown(rows, place)
    print("\n" + shown)
    dump(options.out, rows, place)
    if options.write and agree:
        if torch.cuda.is_available():
            dump(COMMITTED, rows, place)
        RESULTS.write_text(put(put(RESULTS.read_text(), "cpu", table), "gpu", shown))
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
