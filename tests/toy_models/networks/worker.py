"""A training run in its own process: killed, resumed, or one of several under torchrun."""

import json
import os
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import torch.distributed as dist
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

import toy_models as tm
from toy_models import networks
from toy_models.networks import checkpoint

CHAIN = tm.MarkovChain(np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]), 5)
CONFIG = networks.Config(3, 5, width=16, layers=1)
OPTIONS = networks.TrainOptions(steps=12, batch=16, warmup=2, save_every=4)


def run(path, options=OPTIONS, seed=3):
    torch.set_num_threads(1)
    return networks.train(CONFIG, partial(networks.stream, CHAIN), options, seed, "cpu", path=path)


def kill_while_saving(folder: Path) -> None:
    """Die by SIGKILL in the middle of writing the second checkpoint."""
    whole, calls = torch.save, []

    def torn(state, file):
        calls.append(1)
        if len(calls) == 2:
            file.write(b"half a checkpoint")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        whole(state, file)

    checkpoint.torch.save = torn
    run(folder / "model.pt")


def rows_of(rank: int):
    """A stream that every process counts off from one list: rank r takes the r-th eight of every sixteen rows."""
    rows = networks.stream(CHAIN, torch.Generator().manual_seed(0))(16 * 3).split(8)
    place = iter(rows[rank::2])
    return lambda generator: lambda size: next(place)


def first_gradients(make_stream, batch: int) -> tuple[list[list[float]], list[float]]:
    """The gradients that AdamW is given in three steps of the causal model, and the losses."""
    seen = []

    def look(optimiser, *_):
        seen.append(torch.cat([p.grad.flatten() for group in optimiser.param_groups for p in group["params"]]).tolist())

    hook = register_optimizer_step_pre_hook(look)
    options = replace(OPTIONS, steps=3, batch=batch, clip=1e9)
    trained = networks.train(replace(CONFIG, causal=True), make_stream, options, 0, "cpu")
    hook.remove()
    return seen, trained.losses


class Pull(nn.Module):
    """An objective whose one parameter has the gradient 1 on process 0 and 2 on process 1."""

    rate = 0.5

    def __init__(self):
        super().__init__()
        self.theta = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, model, x, generator):
        return model(x).double().mean() * 0 + self.theta * (dist.get_rank() + 1) * torch.ones(len(x))

    def record(self):
        return self.theta.detach().clone()

    def describe(self):
        return {}


def refusal(start) -> str:
    try:
        start()
    except ValueError as problem:
        return f"{type(problem).__name__}: {problem}"
    return "accepted"


def distributed(folder: Path) -> None:
    """Everything that two processes are tested on; what each of them saw goes to result.json, by rank."""
    torch.set_num_threads(1)
    networks.start_processes("cpu")
    rank = dist.get_rank()
    own = folder / f"disk of machine {rank}" / "model.pt"  # no common disk
    whole = run(own)
    found = {"losses": whole.losses, "files": own.exists(), "weights": flat(whole.model)}
    generator = networks.train.__globals__["seed_generator"](3, torch.device("cpu"))
    found["drawn"] = networks.stream(CHAIN, generator)(4).tolist()
    own.unlink(missing_ok=True)  # the one before is left, of step 8
    dist.barrier()
    again = run(own)
    found["resumed"] = {"at": again.resumed_at, "losses": again.losses, "weights": flat(again.model)}
    found["refusals"] = [
        refusal(lambda: run(own, replace(OPTIONS, batch=8))),
        refusal(lambda: run(None, seed=rank)),
        refusal(lambda: run(own if rank else None)),
    ]
    found["gradients"], found["gradient losses"] = first_gradients(rows_of(rank), 8)
    options = replace(OPTIONS, steps=3)
    pulled = networks.train(CONFIG, partial(networks.stream, CHAIN), options, 0, "cpu", Pull())
    found["pulled"] = torch.stack(pulled.path).tolist()
    everyone = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, found)
    if rank == 0:
        (folder / "result.json").write_text(json.dumps(everyone))
    dist.destroy_process_group()


def unjoined(folder: Path) -> None:
    """torchrun's environment without start_processes."""
    run(folder / "model.pt")


def flat(model) -> list[float]:
    return torch.cat([p.detach().flatten() for p in model.parameters()]).tolist()


if __name__ == "__main__":
    {"kill": kill_while_saving, "distributed": distributed, "unjoined": unjoined}[sys.argv[1]](Path(sys.argv[2]))
