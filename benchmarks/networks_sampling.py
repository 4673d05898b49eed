"""GPU part (c): tokens per second of every family of unmasking rules, and of the causal twin with its cache.

The network has the 25 M shape at L = 512 and is not trained: its last layer is random, so that marginals differ.
Content-free rules and top-k take 64 calls (bisection 10) whatever the network; the calls of the entropy-bounded and the
threshold rule depend on it and stand in the note.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

import toy_models as tm
from benchmarks.networks_table import Row, filled, seconds
from benchmarks.networks_training import CONFIGS
from toy_models import networks

PART = "sampling"
FAMILIES = (
    "independent reveal",
    "random order",
    "top-k",
    "entropy-bounded",
    "threshold",
    "semi-autoregressive",
    "bisection",
    "causal, key-value cache",
)
ROWS = tuple(Row(PART, name, "tokens/s") for name in FAMILIES)


@dataclass(frozen=True)
class Sizes:
    config: networks.Config = CONFIGS["25 M"]
    texts: int = 256
    steps: int = 64


def rules(length: int, steps: int) -> dict[str, object]:
    """One rule of each family; `steps` calls where the rule fixes their number."""
    each = -(-length // steps)
    sizes = tuple(np.diff(np.round(np.linspace(0, length, steps + 1)).astype(int)).tolist())
    return {
        "independent reveal": tm.IndependentReveal(np.full(steps, 1.0 / steps)),
        "random order": tm.RandomOrder(sizes),
        "top-k": tm.TopK(each),
        "entropy-bounded": tm.EntropyBounded(4.0 * each),
        "threshold": tm.Threshold(0.05),
        "semi-autoregressive": tm.SemiAutoregressive(max(each, 32), tm.TopK(each)),
        "bisection": tm.bisection(length),
    }


def network(config: networks.Config, device: torch.device) -> networks.Transformer:
    model = networks.Transformer(config, torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.head.weight.normal_(0.0, 1.5 * config.width**-0.5, generator=torch.Generator().manual_seed(1))
    return model.to(device).eval()


def rows(device: torch.device, sizes: Sizes) -> list[Row]:
    two_way, causal = network(sizes.config, device), network(replace(sizes.config, causal=True), device)
    denoiser, found = networks.Network(two_way), {}
    for name, rule in rules(sizes.config.length, sizes.steps).items():
        found[name] = throughput(lambda n, g, rule=rule: networks.sample(denoiser, rule, n, g), device, sizes)
    found[FAMILIES[-1]] = throughput(lambda n, g: networks.sample_left_to_right(causal, n, g), device, sizes)
    return filled(ROWS, found)


def throughput(write, device: torch.device, sizes: Sizes) -> tuple[float, str]:
    """Tokens per second of `sizes.texts` texts in bf16 autocast, the second of two runs; the note gives mean calls."""
    generator = torch.Generator(device).manual_seed(0)
    runs = []

    def run() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            runs.append(write(sizes.texts, generator))

    taken = seconds(run, device, rounds=1)
    calls = float(runs[-1].calls.double().mean())
    return sizes.texts * sizes.config.length / taken, f"{calls:.1f} calls per text, {sizes.texts} texts"
