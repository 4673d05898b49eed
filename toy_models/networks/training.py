"""Train a model on a stream: AdamW, warm-up and cosine decay, clipping, EMA, accumulation, bf16, checkpoints, DDP.

    averaged weights: a <- d a + (1 - d) w after step t, d = min(ema, (1 + t) / (10 + t))

A loss, a gradient or weights that are not finite stop the run before they reach the weights or a checkpoint. Under
torchrun each process draws its own data and gradients are averaged, see processes.py.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from toy_models.networks import checkpoint, processes
from toy_models.networks.device import resolve
from toy_models.networks.losses import LossOptions, training_losses
from toy_models.networks.model import Config, Transformer
from toy_models.validation import positive_int


@dataclass(frozen=True)
class TrainOptions:
    """How long and how fast. Each step averages `accumulate` batches of `batch` sequences (per process)."""

    steps: int = 200
    batch: int = 128
    rate: float = 3e-3
    warmup: int = 20
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    ema: float = 0.98  # decay of the averaged weights; 0: the last weights
    accumulate: int = 1
    bf16: bool = False
    compile: bool = False
    save_every: int = 100

    def __post_init__(self):
        for name in ("steps", "batch", "accumulate", "save_every"):
            positive_int(name, getattr(self, name))
        positive_int("warmup", self.warmup, 0)
        if not self.rate > 0 or not 0 <= self.ema < 1 or not self.clip > 0:
            raise ValueError(
                f"rate = {self.rate}, ema = {self.ema}, clip = {self.clip}: allowed rate > 0, 0 <= ema < 1, clip > 0"
            )

    def rate_at(self, step: int) -> float:
        """Linear warm-up, then a cosine to a hundredth of the rate."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        part = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


class NonFiniteLoss(ArithmeticError):
    """The loss, the gradient or the weights were nan or infinite; `step` says when, `what` which, `value` how.

    Nothing of that step was written: the last checkpoint was whole and finite.
    """

    def __init__(self, step: int, value: float, path: Path | None, what: str = "loss"):
        self.step, self.value, self.what = step, value, what
        kept = "no checkpoint path was given" if path is None else f"no checkpoint {path} was written yet"
        if path is not None and path.exists():
            kept = f"the last good checkpoint {path} is kept"
        super().__init__(f"{what} = {value} at step {step}: training stopped, {kept}; try a smaller rate or clip")


class OutOfMemory(RuntimeError):
    """The device memory did not hold the batch."""


@dataclass(eq=False)
class Trained:
    """model: with the averaged weights. losses: mean loss of every step, nats per token.

    path: what an objective with parameters of its own recorded after every step.
    """

    model: Transformer
    losses: list[float] = field(default_factory=list)
    resumed_at: int = 0
    path: list[Tensor] = field(default_factory=list)


def seed_generator(seed: int, device: torch.device) -> torch.Generator:
    """One generator per process: ranks draw different data."""
    return torch.Generator(device=device).manual_seed(1000003 * seed + processes.rank())


@runtime_checkable
class Objective(Protocol):
    """A torch module that is a loss with parameters of its own, moved in place by plain steps of size `rate`."""

    rate: float

    def __call__(self, model: Callable, x: Tensor, generator: torch.Generator, /) -> Tensor:
        """Losses of the rows, nats per token."""
        ...

    def to(self, device: torch.device, /) -> "Objective": ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> object: ...
    def zero_grad(self, set_to_none: bool = ...) -> None: ...
    def record(self) -> Tensor: ...
    def describe(self) -> dict[str, Any]: ...


def train(
    config: Config,
    make_stream: Callable[[torch.Generator], Callable[[int], Tensor]],
    options: TrainOptions,
    seed: int = 0,
    device: str | torch.device = "auto",
    loss: LossOptions | Objective | None = None,
    path: str | Path | None = None,
    progress: bool = False,
) -> Trained:
    """Train a Transformer of `config` on sequences of make_stream(generator).

    Bidirectional: losses_torch.training_losses with `loss` (default: the number of masks uniform on 1..L, one mask).
    Causal: the mean of -log p(x_i | x_{<i}). `loss` may be an objective instead: a module (model, x, generator) ->
    losses of the rows, nats per token, whose own parameters are trained in place by plain steps of size loss.rate,
    warmed up and decayed alike (see schedules.LearnedSchedule). With `path` the run resumes from its checkpoint and
    saves every options.save_every steps; the same seed and the same number of processes give the same weights with or
    without an interruption. CheckpointError: the file at `path` is damaged or of another configuration (which holds
    model, options, loss, seed, kind of device and number of processes). NonFiniteLoss, OutOfMemory: see there.
    """
    place = resolve(device)
    processes.must_be_joined()
    if loss is None and not config.causal:
        loss = uniform_sizes(config)
    model = Transformer(config, torch.Generator().manual_seed(seed)).to(place)
    objective = None if loss is None or isinstance(loss, LossOptions) else loss.to(place)
    averaged = {name: p.detach().clone() for name, p in model.state_dict().items()}
    wrapped = DistributedDataParallel(model) if dist.is_initialized() else model
    called = torch.compile(wrapped) if options.compile else wrapped
    settings = {"lr": options.rate, "betas": options.betas, "weight_decay": options.weight_decay}
    optimiser = torch.optim.AdamW(model.parameters(), fused=True, **settings)
    generator = seed_generator(seed, place)
    draw = make_stream(generator)
    path = None if path is None else Path(path)
    given = {"model": asdict(config), "options": asdict(options), "loss": _describe(loss), "seed": seed}
    configuration = _plain({**given, "device": place.type, "processes": processes.count()})
    losses, recorded, first = [], [], 0
    found = processes.shared_start(path, configuration)
    if found is not None:
        model.load_state_dict(found["model"])
        averaged = {name: p.to(place) for name, p in found["averaged"].items()}
        optimiser.load_state_dict(found["optimiser"])
        generator.set_state(found["generators"][processes.rank()])
        first, losses = found["step"], list(found["losses"])
        if objective is not None:
            objective.load_state_dict(found["objective"])
            recorded = list(found["recorded"])
    context = torch.autocast(place.type, dtype=torch.bfloat16) if options.bf16 else nullcontext()
    for step in tqdm(
        range(first, options.steps), desc="training", disable=not progress or processes.rank() > 0, leave=False
    ):
        for group in optimiser.param_groups:
            group["lr"] = options.rate_at(step)
        for module in (model,) if objective is None else (model, objective):
            module.zero_grad(set_to_none=True)
        total = 0.0
        try:
            for part in range(options.accumulate):
                last = part + 1 == options.accumulate
                sync = wrapped.no_sync() if isinstance(wrapped, DistributedDataParallel) and not last else nullcontext()
                with sync:
                    with context:
                        value = mean_loss(called, config, draw(options.batch), loss, generator) / options.accumulate
                    value.backward()
                total += float(value.detach())
        except torch.OutOfMemoryError as problem:
            raise OutOfMemory(_memory_message(options, config)) from problem
        total = processes.average(total, place)
        _must_be_finite("loss", total, step, path)
        norm = float(nn.utils.clip_grad_norm_(model.parameters(), options.clip))
        if objective is not None:
            processes.average_gradients(objective.parameters())
            norm = math.hypot(norm, *(float(p.grad.norm()) for p in objective.parameters() if p.grad is not None))
        _must_be_finite("norm of the gradient", norm, step, path)
        optimiser.step()
        if objective is not None:
            plain_step(objective, objective.rate * options.rate_at(step) / options.rate)
            recorded.append(objective.record())
        losses.append(total)
        decay = min(options.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, p in model.state_dict().items():
                averaged[name].lerp_(p, 1 - decay)
        final = step + 1 == options.steps
        if final or (path is not None and (step + 1) % options.save_every == 0):
            _must_be_finite("largest weight", _largest(model, objective), step, path)
            if path is not None:
                own = _state_of(objective, recorded)
                _save(path, configuration, model, averaged, optimiser, generator, step + 1, losses, own)
    model.load_state_dict(averaged)
    return Trained(model.eval(), losses, first, recorded)


def uniform_sizes(config: Config) -> LossOptions:
    """The number of masks uniform on 1..L, one mask: what a bidirectional model is trained with by default."""
    return LossOptions(size_weights=[1.0 / config.length] * config.length)


def mean_loss(
    model, config: Config, x: Tensor, loss: LossOptions | Objective | None, generator: torch.Generator
) -> Tensor:
    """The training loss of a batch, nats per token."""
    if loss is not None and not isinstance(loss, LossOptions):
        return loss(model, x, generator).mean()
    if not config.causal:
        return training_losses(model, x, loss or uniform_sizes(config), generator).mean()
    return torch.nn.functional.cross_entropy(model(x).flatten(0, 1).float(), x.flatten())


def _must_be_finite(what: str, value: float, step: int, path: Path | None) -> None:
    if not math.isfinite(value):
        raise NonFiniteLoss(step, value, path, what)


def _largest(model: nn.Module, objective: Objective | None) -> float:
    """Largest absolute weight; nan if one is nan."""
    weights = [*model.parameters(), *(() if objective is None else objective.parameters())]
    return float(torch.stack([p.detach().abs().max().double() for p in weights]).max())


def plain_step(objective: Objective | nn.Module, size: float) -> None:
    """p -= size * gradient."""
    with torch.no_grad():
        for p in objective.parameters():
            if p.grad is not None:
                p -= size * p.grad


def _state_of(objective: Objective | None, recorded: list[Tensor]) -> dict:
    return {} if objective is None else {"objective": objective.state_dict(), "recorded": torch.stack(recorded)}


def _save(path, configuration, model, averaged, optimiser, generator, step, losses, own) -> None:
    states = processes.gather_states(generator)
    if processes.rank() == 0:
        state = {"model": model.state_dict(), "averaged": averaged, "optimiser": optimiser.state_dict()}
        checkpoint.save(path, {**state, **own, "generators": states, "step": step, "losses": losses}, configuration)
    if dist.is_initialized():
        dist.barrier()


def _memory_message(options: TrainOptions, config: Config) -> str:
    half = max(1, options.batch // 2)
    return (
        f"out of memory with batch = {options.batch} sequences of length {config.length}, width {config.width}, "
        f"{config.layers} layers; try batch = {half} with accumulate = {2 * options.accumulate} (the same gradient)"
    )


def _describe(loss: LossOptions | Objective | None) -> dict:
    if loss is None:
        return {}
    if not isinstance(loss, LossOptions):
        return loss.describe()
    density = None if loss.density is None else str(loss.density.name)
    sizes = None if loss.size_weights is None else [float(w) for w in np.asarray(loss.size_weights)]
    return {"density": density, "coupling": loss.coupling, "masks": loss.masks, "sizes": sizes, "epsilon": loss.epsilon}


def _plain(value) -> Any:
    """Tuples as lists, so that a configuration compares equal after a round trip."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
