"""HMM.marginals beside dynamax and hmmlearn: same inputs, outputs compared first, then timed in turns in one run.

    build/bench-venv/bin/python benchmarks/hmm_marginals.py

B = 256 sequences, L = 512, 16 states, 16 symbols, half of the tokens masked, float64, every core.
dynamax: hmm_smoother under jit + vmap with x64, masked positions with log-likelihood 0, then smoothed @ emission.
hmmlearn: CategoricalHMM.predict_proba per sequence, the mask as one more symbol, then states @ emission.

The limit of the machine, for this problem: the products that any forward-backward needs are 2 S^2 per position and
direction and 2 S V per masked position, 2 flops each counted as one multiply and one add; they cannot run faster than
the rate of independent multiply-adds in registers, measured here on every core at once. The result, B L V numbers,
must be written at least once, at the rate of a plain fill of the same array, measured here too. limit = flop time +
write time. All ratios are of medians over rounds in which the contenders take turns.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # a waiting thread must not count as CPU time
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numba
import numpy as np
from dynamax.hidden_markov_model import hmm_smoother
from hmmlearn.hmm import CategoricalHMM

from toy_models.targets.hmm import HMM

jax.config.update("jax_enable_x64", True)
BATCH, LENGTH, STATES, SYMBOLS = 256, 512, 16, 16
REQUIRED = {"dynamax": 15.0, "hmmlearn": 50.0, "limit": 2.5}
LANES, FLOP_ROUNDS = 128, 32_000


def _fill(out):
    for b in numba.prange(len(out)):
        out[b] = 0.5


fill = numba.njit(parallel=True)(_fill)


def _spin(lanes, rounds):
    """Sixteen dependent multiply-adds per lane and round, lanes independent: 32 LANES rounds flops, few loads."""
    for _ in range(rounds):
        for j in range(LANES):
            x = lanes[j]
            for _ in range(16):
                x = x * 0.999 + 0.001
            lanes[j] = x


def _spin_threads(lanes, rounds):
    for k in numba.prange(len(lanes)):
        spin(lanes[k], rounds)


spin = numba.njit(fastmath={"contract"})(_spin)  # no reassociation: two multiply-adds must not become one
spin_threads = numba.njit(parallel=True)(_spin_threads)


def problem(rng):
    initial = rng.dirichlet(np.ones(STATES))
    transition = rng.dirichlet(np.ones(STATES), STATES)
    emission = rng.dirichlet(np.ones(SYMBOLS), STATES)
    target = HMM(initial, transition, emission, LENGTH)
    x = target.sample(BATCH, rng)
    return target, np.where(rng.random(x.shape) < 0.5, -1, x)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=21, help="timed rounds of the fast contenders")
    arguments.add_argument("--slow-rounds", type=int, default=3, help="of them with hmmlearn (about a second each)")
    options = arguments.parse_args()
    target, y = problem(np.random.default_rng(0))
    emission, masked = target.emission, y < 0

    @jax.jit
    @jax.vmap
    def smooth(tokens):
        log_emission = jnp.log(jnp.asarray(emission))
        likelihood = jnp.where(tokens[:, None] < 0, 0.0, log_emission.T[tokens])
        post = hmm_smoother(jnp.asarray(target.initial), jnp.asarray(target.transition), likelihood)
        law = post.smoothed_probs @ jnp.asarray(emission)
        return jnp.where(tokens[:, None] < 0, law, jax.nn.one_hot(tokens, SYMBOLS, dtype=law.dtype))

    peer = CategoricalHMM(n_components=STATES, n_features=SYMBOLS + 1)
    peer.startprob_, peer.transmat_ = np.array(target.initial), np.array(target.transition)
    peer.emissionprob_ = np.column_stack([emission / 2, np.full(STATES, 0.5)])
    symbols = np.where(masked, SYMBOLS, y)

    def run_hmmlearn():
        result = np.zeros((BATCH, LENGTH, SYMBOLS))
        for b in range(BATCH):
            result[b] = peer.predict_proba(symbols[b][:, None]) @ emission
        row, position = np.nonzero(~masked)
        result[row, position] = np.eye(SYMBOLS)[y[row, position]]
        return result

    out = np.empty((BATCH, LENGTH, SYMBOLS))
    lanes = np.ones((numba.get_num_threads(), LANES))
    contenders = {
        "toy_models": lambda: target.marginals(y),
        "dynamax": lambda: smooth(jnp.asarray(y)).block_until_ready(),
        "fill": lambda: fill(out),
        "flops": lambda: spin_threads(lanes, FLOP_ROUNDS),
        "hmmlearn": run_hmmlearn,
    }
    ours = contenders["toy_models"]()
    for name in ("dynamax", "hmmlearn"):
        difference = float(np.abs(np.asarray(contenders[name]()) - ours).max())
        print(f"largest difference from {name}: {difference:.2e}")
        if difference > 1e-9:
            print("outputs disagree, nothing is timed")
            return 1
    times = {name: [] for name in contenders}
    for name in ("fill", "flops"):
        contenders[name]()
    for r in range(options.rounds):
        for name, run in contenders.items():
            if name == "hmmlearn" and r >= options.slow_rounds:
                continue
            start = time.perf_counter(), time.process_time()
            run()
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return report(times, int(masked.sum()))


def report(times, masked_count: int) -> int:
    """Ratios of medians, by wall clock (these count) and by CPU time (what remains readable on a busy machine)."""
    threads = numba.get_num_threads()
    print(f"machine: {cpu_name()}, {threads} threads, load average {os.getloadavg()[0]:.1f}")
    print(f"Python {platform.python_version()}, numba {numba.__version__}, jax {jax.__version__}")
    medians = {name: np.median(values, axis=0) for name, values in times.items()}
    for name, (wall, cpu) in medians.items():
        print(f"{name:>10}: wall {1e3 * wall:8.2f} ms, CPU {1e3 * cpu:8.2f} ms (medians of {len(times[name])})")
    flops = 4 * BATCH * LENGTH * STATES**2 + 2 * masked_count * STATES * SYMBOLS
    met = []
    for k, clock in enumerate(("wall", "CPU")):
        rate = threads * 32 * LANES * FLOP_ROUNDS / medians["flops"][k]
        limit = flops / rate + medians["fill"][k]
        ours = medians["toy_models"][k]
        ratios = medians["dynamax"][k] / ours, medians["hmmlearn"][k] / ours, ours / limit
        print(f"{clock}: {rate / 1e9:.1f} Gflop/s, {flops / 1e6:.0f} Mflop and one write: limit {1e3 * limit:.2f} ms")
        print(f"{clock}: dynamax / toy_models {ratios[0]:.1f} (required >= {REQUIRED['dynamax']})")
        print(f"{clock}: hmmlearn / toy_models {ratios[1]:.1f} (required >= {REQUIRED['hmmlearn']})")
        print(f"{clock}: toy_models / limit {ratios[2]:.2f} (required <= {REQUIRED['limit']})")
        fast = ratios[0] >= REQUIRED["dynamax"] and ratios[1] >= REQUIRED["hmmlearn"]
        met.append(fast and ratios[2] <= REQUIRED["limit"])
    return 0 if met[0] else 1


def cpu_name() -> str:
    """Model as /proc/cpuinfo gives it, with family and model number (a virtual machine may hide the rest)."""
    info = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    name = info.get("model name", platform.processor() or platform.machine())
    return f"{name} (family {info['cpu family']}, model {info['model']})" if "cpu family" in info else name


if __name__ == "__main__":
    sys.exit(main())
