"""A training run in its own process: killed, resumed, or one of several under torchrun."""

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import torch.distributed as dist

import toy_models as tm
from toy_models import medium
from toy_models.medium import checkpoint

CHAIN = tm.MarkovChain(np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]), 5)
CONFIG = medium.Config(3, 5, width=16, layers=1)
OPTIONS = medium.TrainOptions(steps=12, batch=16, warmup=2, save_every=4)


def run(path, options=OPTIONS, seed=3):
    torch.set_num_threads(1)
    return medium.train(CONFIG, partial(medium.stream, CHAIN), options, seed, "cpu", path=path)


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


def distributed(folder: Path) -> None:
    medium.start_processes("cpu")
    trained = run(folder / "model.pt")
    norms = [None] * dist.get_world_size()
    dist.all_gather_object(norms, [float(p.double().norm()) for p in trained.model.parameters()])
    drawn = [None] * dist.get_world_size()
    generator = medium.train.__globals__["seed_generator"](3, torch.device("cpu"))
    dist.all_gather_object(drawn, medium.stream(CHAIN, generator)(4).tolist())
    if dist.get_rank() == 0:
        (folder / "result.json").write_text(json.dumps({"norms": norms, "drawn": drawn, "losses": trained.losses}))
    dist.destroy_process_group()


if __name__ == "__main__":
    {"kill": kill_while_saving, "distributed": distributed}[sys.argv[1]](Path(sys.argv[2]))
