"""Several processes that train one model, started by torchrun: joined, in agreement where to start, averaged.

    torchrun --nproc-per-node 2 script.py       (gloo on CPU, nccl on CUDA)

Every process draws its own data and holds the same weights; the first one alone reads and writes checkpoints, so that
machines need no common disk. Without torchrun all functions are those of one process.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from toy_models.networks import checkpoint
from toy_models.networks.device import resolve


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def count() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def start_processes(device: str = "auto") -> torch.device:
    """Join the process group when torchrun started this process; the device of this process."""
    place = resolve(device)
    if "RANK" in os.environ and not dist.is_initialized():
        if place.type == "cuda":
            place = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(place)
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    return place


def must_be_joined() -> None:
    """RuntimeError under torchrun without start_processes: each process would train alone and write the same file."""
    size = os.environ.get("WORLD_SIZE", "1")
    if "RANK" in os.environ and size != "1" and not dist.is_initialized():
        raise RuntimeError(
            f"process RANK = {os.environ['RANK']} of WORLD_SIZE = {size} has not joined the others: "
            "call networks.start_processes() before networks.train()"
        )


def shared_start(path: Path | None, configuration: dict) -> dict | None:
    """The checkpoint that the first process finds (tensors on the CPU), on every process; None: start afresh.

    CheckpointError on every process when the first one refuses its file, ValueError when configurations differ.
    """
    cpu = torch.device("cpu")
    if not dist.is_initialized():
        return None if path is None else checkpoint.load_latest(path, configuration, cpu)
    everyone: list = [None] * count()
    dist.all_gather_object(everyone, {**configuration, "path given": path is not None})
    for other, theirs in enumerate(everyone):
        different = ", ".join(name for name, _, _ in checkpoint.differences(everyone[0], theirs))
        if different:
            raise ValueError(f"processes 0 and {other} train with different {different}, allowed: the same")
    parcel: list = [None]
    if rank() == 0 and path is not None:
        try:
            parcel = [checkpoint.load_latest(path, configuration, cpu)]
        except checkpoint.CheckpointError as problem:
            parcel = [problem]
    dist.broadcast_object_list(parcel, src=0)
    if isinstance(parcel[0], checkpoint.CheckpointError):
        raise parcel[0]
    return parcel[0]


def average(value: float, device: torch.device) -> float:
    """The mean of `value` over processes; nan or infinite as soon as one of them is."""
    if not dist.is_initialized():
        return value
    shared = torch.tensor(value, dtype=torch.float64, device=device)
    dist.all_reduce(shared)
    return float(shared) / count()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Each gradient becomes its mean over processes (DistributedDataParallel does it for the network itself)."""
    if dist.is_initialized():
        for p in parameters:
            if p.grad is not None:
                dist.all_reduce(p.grad)
                p.grad /= count()


def gather_states(generator: torch.Generator) -> list[torch.Tensor]:
    """The state of the generator of every process, by rank."""
    states: list = [generator.get_state()]
    if dist.is_initialized():
        states = [None] * count()
        dist.all_gather_object(states, generator.get_state())
    return states
