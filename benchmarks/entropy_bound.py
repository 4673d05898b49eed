"""One entropy-bounded step at (B, L, V) against diffusers' EntropyBoundScheduler: same accepted sets, then time.

diffusers lives in its own environment:

    python -m venv build/bench-venv-diffusers
    build/bench-venv-diffusers/bin/pip install torch==2.13.0 diffusers numba scipy jaxtyping tqdm
    PYTHONPATH=. build/bench-venv-diffusers/bin/python benchmarks/entropy_bound.py

The scheduler serves uniform corruption: it draws a candidate for every position, keeps the accepted and renoises the
rest. At temperature 1 its acceptance is the entropy-order rule. The comparison is the whole step from logits to tokens,
once with our rule drawing only what it reveals, once drawing a candidate everywhere as the scheduler does.
"""

import argparse
import statistics
import time

import diffusers
import torch
from diffusers import EntropyBoundScheduler

from toy_models.rules import EntropyBounded

MASK = -1


def reveal(
    logits: torch.Tensor, y: torch.Tensor, rule: EntropyBounded, everywhere: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """(tokens after one step, accepted positions)."""
    masked = y == MASK
    marginals = torch.softmax(logits, dim=-1)
    accepted = rule.select(marginals, masked)
    if everywhere:
        candidate = torch.multinomial(marginals.view(-1, marginals.shape[-1]), 1).view(y.shape)
        return torch.where(accepted, candidate, y), accepted
    result = y.clone()
    result[accepted] = torch.multinomial(marginals[accepted], 1)[:, 0]
    return result, accepted


def agreement(dtype: torch.dtype, generator: torch.Generator) -> tuple[int, int]:
    """(rows with the same accepted set, rows) over several bounds and sharpnesses."""
    same = rows = 0
    for bound in (0.0, 0.1, 1.0, 5.0):
        for sharpness in (1.0, 4.0, 16.0):
            logits = sharpness * torch.randn(64, 128, 32, generator=generator, dtype=dtype)
            y = torch.full((64, 128), MASK)
            scheduler = EntropyBoundScheduler(entropy_bound=bound, t_max=1.0, t_min=1.0)
            theirs = scheduler.step(logits, 0, y).accepted_index
            _, ours = reveal(logits, y, EntropyBounded(bound), everywhere=False)
            same += int((theirs == ours).all(dim=1).sum())
            rows += 64
    return same, rows


def timed(call, repeats: int) -> float:
    """Median seconds after one warm-up call."""
    call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=(256, 1024, 512), metavar=("B", "L", "V"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    generator = torch.Generator().manual_seed(0)
    print(f"diffusers {diffusers.__version__}, torch {torch.__version__}, {arguments.threads} threads")
    for dtype in (torch.float64, torch.float32):
        print(f"same accepted set, {dtype}: %d of %d rows" % agreement(dtype, generator))
    batch, length, vocab_size = arguments.shape
    logits = 4.0 * torch.randn(batch, length, vocab_size, generator=generator)
    y = torch.full((batch, length), MASK)
    scheduler = EntropyBoundScheduler(entropy_bound=0.1, t_max=1.0, t_min=1.0)
    rule = EntropyBounded(0.1)
    with torch.no_grad():
        seconds = {
            "diffusers step": timed(lambda: scheduler.step(logits, 0, y), arguments.repeats),
            "ours, drawing what is revealed": timed(lambda: reveal(logits, y, rule, False), arguments.repeats),
            "ours, drawing everywhere": timed(lambda: reveal(logits, y, rule, True), arguments.repeats),
        }
    reference = seconds["diffusers step"]
    for name, value in seconds.items():
        print(f"{name:<32}{value:8.3f} s   {reference / value:5.2f} x")


if __name__ == "__main__":
    main()
