"""GPU part (b): model flop utilisation of a training step, its data, tokens per second, peak memory.

A step is what `networks.train` does: draw sequences, mask, forward and backward in bf16 (autocast, compiled), clip,
fused AdamW; without the average of the weights and without checkpoints. Flops are those of the matrix products,
2 m n k each:

    forward, per sequence = L [layers (2 w^2 (4 + 2 h) + 4 L w) + 2 w V],   forward + backward = 3 times that

w the width, h w the width of the feed-forward layer, V the vocabulary. 8 w^2 are the attention projections, 4 h w^2 the
feed-forward layer, 4 L w the products q k and p v. What the attention kernel computes again in the backward pass is not
counted. Utilisation = flops per second over the rate of a bf16 matrix product on the same card.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from benchmarks.networks_posterior import problem
from benchmarks.networks_table import Row, filled, matrix_rate, seconds, synchronise
from toy_models import networks
from toy_models.networks.losses import LossOptions
from toy_models.networks.training import mean_loss

PART = "training"
CONFIGS = {
    "25 M": networks.Config(64, 512, width=512, layers=8, heads=8),
    "113 M": networks.Config(64, 512, width=768, layers=16, heads=12),
}
ROWS = (
    Row(PART, "bf16 matrix product", "Tflop/s"),
    *(
        Row(PART, f"{name}, {what}", unit)
        for name in CONFIGS
        for what, unit in (
            ("share of the bf16 matrix rate", ""),
            ("tokens per second", "/s"),
            ("step", "ms"),
            ("data stream, share of the step", ""),
            ("peak memory", "GiB"),
        )
    ),
)


@dataclass(frozen=True)
class Sizes:
    configs: dict = field(default_factory=lambda: dict(CONFIGS))
    side: int = 8192
    steps: int = 20
    backend: str = "inductor"
    largest: int = 256  # sequences per step at most


def step_flops(config: networks.Config, batch: int) -> int:
    """Matrix-product flops of forward and backward on `batch` sequences; see the formula above."""
    w, h, length = config.width, config.hidden, config.length
    per_token = config.layers * (2 * w * w * (4 + 2 * h) + 4 * length * w) + 2 * w * config.vocab_size
    return 3 * batch * length * per_token


def first_batch(config: networks.Config, device: torch.device, largest: int) -> int:
    """The largest power of two whose activations, about 34 L w layers bytes a sequence, fill 0.6 of the free memory."""
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 2**28
    fits = 0.6 * free / (34 * config.length * config.width * config.layers)
    return int(min(largest, 2 ** max(0, int(np.log2(max(fits, 1.0))))))


def measure(config: networks.Config, device: torch.device, sizes: Sizes) -> dict[str, float]:
    """Step and data seconds, batch, peak bytes. The batch is halved while the memory does not hold it."""
    batch = first_batch(config, device, sizes.largest)
    while True:
        try:
            return _measure(config, batch, device, sizes)
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
            torch._dynamo.reset()
            torch.cuda.empty_cache()


def _measure(config: networks.Config, batch: int, device: torch.device, sizes: Sizes) -> dict[str, float]:
    target, _ = problem(1, config.length, config.vocab_size, np.random.default_rng(0))
    generator = torch.Generator(device).manual_seed(0)
    draw = networks.stream(target, generator)
    loss = None if config.causal else LossOptions(size_weights=[1.0 / config.length] * config.length)
    model = networks.Transformer(config, torch.Generator().manual_seed(0)).to(device)
    called = torch.compile(model, backend=sizes.backend)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-4, fused=True)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        x = draw(batch)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            value = mean_loss(called, config, x, loss, generator)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()

    step()
    step()
    synchronise(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    whole = seconds(step, device, sizes.steps)
    peak = float(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else float("nan")
    return {"step": whole, "data": seconds(lambda: draw(batch), device, sizes.steps), "batch": batch, "peak": peak}


def rows(device: torch.device, sizes: Sizes) -> list[Row]:
    rate = matrix_rate(torch.bfloat16, device, sizes.side)
    found = {"bf16 matrix product": (rate / 1e12, f"{sizes.side} x {sizes.side}")}
    for name, config in sizes.configs.items():
        got = measure(config, device, sizes)
        batch, step = int(got["batch"]), got["step"]
        flops = step_flops(config, batch)
        shape = f"batch {batch}, L {config.length}, width {config.width}, {config.layers} layers"
        found[f"{name}, share of the bf16 matrix rate"] = flops / step / rate, f"{flops / 1e12:.3g} Tflop per step"
        found[f"{name}, tokens per second"] = batch * config.length / step, shape
        found[f"{name}, step"] = 1e3 * step, f"median of {sizes.steps}"
        found[f"{name}, data stream, share of the step"] = got["data"] / step, "measured apart, drawn on the device"
        missing = np.isnan(got["peak"])
        found[f"{name}, peak memory"] = (None if missing else got["peak"] / 2**30), "needs CUDA" if missing else ""
    return filled(ROWS, found)
