"""The device posterior beside the CPU route: same inputs, outputs compared first, then timed in turns in one run.

    python -m benchmarks.medium [--batch 256 --length 128 --states 16]

CPU: HMM.marginals (compiled, every core that numba has). Torch: medium.marginals on the same CPU, float64 and float32,
every core that torch has. On a GPU the same call is timed at B = 4096, L = 512, 64 states beside the floor
max(flops / matrix rate, bytes / memory rate), both rates measured there. Without one that table says "not measured".
"""

import argparse
import os
import sys
import time

import numba
import numpy as np
import torch

import toy_models as tm
from toy_models import medium

GPU_ROWS = (
    "device posterior, B = 4096, L = 512, 64 states, float32",
    "device posterior, B = 4096, L = 512, 64 states, float64",
    "its distance to the memory / flop floor",
)
ELSEWHERE = (
    "ratio to dynamax on the same card",
    "share of the bf16 matrix rate, 25 M parameters",
    "share of the bf16 matrix rate, 100 M parameters",
    "tokens per second by rule",
)


def problem(batch: int, length: int, states: int, rng: np.random.Generator):
    parts = (rng.dirichlet(np.ones(n), k) for n, k in ((states, 1), (states, states), (states, states)))
    initial, transition, emission = parts
    target = tm.HMM(initial[0], transition, emission, length)
    x = target.sample(batch, rng)
    return target, np.where(rng.random(x.shape) < 0.5, tm.MASK, x)


def median_seconds(contenders: dict, rounds: int) -> dict[str, float]:
    """Medians over rounds in which the contenders take turns."""
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) for name, values in times.items()}


def on_cpu(options) -> int:
    target, y = problem(options.batch, options.length, options.states, np.random.default_rng(0))
    exact, worst = target.marginals(y), {}
    for dtype in (torch.float64, torch.float32):
        found = medium.marginals(target, y, "cpu", dtype).double().numpy()
        gap = float((np.abs(found - exact) / np.where(exact > 0, exact, 1.0)).max())
        allowed = medium.error_bound(target, dtype) + medium.error_bound(target)
        worst[dtype] = gap / allowed
        print(f"{dtype}: largest relative difference {gap:.2e}, bound {allowed:.2e}")
    if max(worst.values()) > 1:
        print("outputs disagree beyond the bound, nothing is timed")
        return 1
    contenders = {
        "HMM.marginals": lambda: target.marginals(y),
        "medium.marginals, float64": lambda: medium.marginals(target, y, "cpu"),
        "medium.marginals, float32": lambda: medium.marginals(target, y, "cpu", torch.float32),
    }
    medians = median_seconds(contenders, options.rounds)
    load = os.getloadavg()[0]
    threads = f"numba {numba.get_num_threads()}, torch {torch.get_num_threads()} threads"
    print(f"B = {options.batch}, L = {options.length}, {options.states} states; {threads}, load average {load:.1f}")
    for name, seconds in medians.items():
        rate = options.batch * options.length / seconds
        ratio = seconds / medians["HMM.marginals"]
        print(f"{name:28s} {1e3 * seconds:9.2f} ms  {rate:12.0f} positions/s  {ratio:6.2f} x HMM.marginals")
    return 0


def on_gpu() -> None:
    """Times and the floor, where there is a GPU; else every row says so."""
    print("GPU:")
    if not torch.cuda.is_available():
        for row in (*GPU_ROWS, *ELSEWHERE):
            print(f"  {row:58s} not measured")
        return
    batch, length, states = 4096, 512, 64
    target, y = problem(batch, length, states, np.random.default_rng(0))
    y = torch.as_tensor(y, device="cuda")
    flops = 4.0 * batch * length * states**2 + 2.0 * batch * length * states**2
    for row, dtype in zip(GPU_ROWS, (torch.float32, torch.float64), strict=False):
        seconds = gpu_seconds(lambda dtype=dtype: medium.marginals(target, y, "cuda", dtype))
        moved = 3.0 * batch * length * states * dtype.itemsize  # messages written and read, result written
        floor = max(flops / matrix_rate(dtype), moved / memory_rate())
        print(f"  {row:58s} {1e3 * seconds:.1f} ms, {seconds / floor:.1f} x the floor")
    for row in ELSEWHERE:
        print(f"  {row:58s} not measured")


def gpu_seconds(run, rounds: int = 7) -> float:
    run()
    times = []
    for _ in range(rounds):
        torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def matrix_rate(dtype: torch.dtype) -> float:
    a = torch.randn(8192, 8192, device="cuda", dtype=dtype)
    return 2.0 * 8192**3 / gpu_seconds(lambda: a @ a)


def memory_rate() -> float:
    a = torch.empty(2**28, device="cuda")
    return 2.0 * a.numel() * 4 / gpu_seconds(lambda: a.mul_(1.0))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--length", type=int, default=128)
    arguments.add_argument("--states", type=int, default=16)
    arguments.add_argument("--rounds", type=int, default=9)
    code = on_cpu(arguments.parse_args())
    on_gpu()
    return code


if __name__ == "__main__":
    sys.exit(main())
