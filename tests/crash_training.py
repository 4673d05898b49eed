"""Kill a training run with SIGKILL at random moments: nothing partial stays, and the next run ends as if never killed.

    python -m tests.crash_training                    20 moments, seed 0
    python -m tests.crash_training --moments 200 --seed 1

Each moment has a folder of its own. A forked process trains and saves after every step; it is killed after a time
drawn uniformly up to the length of a whole run (drawn again when it had ended before). Then every file with a
checkpoint's name must be whole, and the next run must end with the weights and losses of the run that nobody killed,
leaving two files. Prints one line; exit 1 when anything is lost.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import toy_models as tm
from toy_models import networks
from toy_models.networks import checkpoint

CHAIN = tm.MarkovChain(np.array([[0.7, 0.3, 0.0], [0.0, 0.6, 0.4], [0.5, 0.0, 0.5]]), 5)
CONFIG = networks.Config(3, 5, width=32, layers=1)
OPTIONS = networks.TrainOptions(steps=30, batch=16, warmup=2, save_every=1)


def train(folder: Path) -> str:
    """One run in `folder`; a digest of its weights and losses."""
    trained = networks.train(CONFIG, partial(networks.stream, CHAIN), OPTIONS, 3, "cpu", path=folder / "model.pt")
    content = hashlib.sha256(b"".join(p.numpy().tobytes() for p in trained.model.state_dict().values()))
    content.update(np.array(trained.losses).tobytes())
    return content.hexdigest()


def killed_after(seconds: float, folder: Path) -> bool:
    """Train in a forked process and kill it; False when it had ended before."""
    child = os.fork()
    if child == 0:
        train(folder)
        os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def damaged(folder: Path) -> list[str]:
    """Files with a checkpoint's name that do not carry the checksum of their content."""
    bad = []
    for file in folder.glob("model.pt*"):
        with open(file, "rb") as handle:
            try:
                checkpoint._check(handle)
            except ValueError:
                bad.append(file.name)
    return bad


def main(moments: int, seed: int) -> int:
    torch.set_num_threads(1)
    rng, torn, unfinished, resumed, different, left = random.Random(seed), 0, 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as room:
        expected = train(Path(room) / "warm")
        start = time.monotonic()
        different += train(Path(room) / "whole") != expected
        whole = time.monotonic() - start
        for moment in range(moments):
            folder = Path(room) / str(moment)
            while not killed_after(rng.uniform(0.0, whole), folder):
                shutil.rmtree(folder)
            torn += len(damaged(folder))
            unfinished += any(folder.glob(".*.part"))
            resumed += any(folder.glob("model.pt*"))
            different += train(folder) != expected
            left += sorted(file.name for file in folder.iterdir()) != ["model.pt", "model.pt.previous"]
    print(
        f"{moments} runs of {OPTIONS.steps} steps killed, {unfinished} of them while writing; {resumed} resumed from a "
        f"checkpoint: {torn} partial checkpoints, {different} runs with other weights, {left} folders with other files"
    )
    return int(torn + different + left > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(main(given.moments, given.seed))
