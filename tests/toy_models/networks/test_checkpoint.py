"""Checkpoints: any damage is noticed, only a whole file replaces the one before, killed runs leave nothing behind."""

import os
import random
import signal
import socket
import stat
import subprocess
import sys

import pytest
import torch

from toy_models import networks
from toy_models.networks import checkpoint

CPU = torch.device("cpu")
HERE = {"seed": 1}


def write(path, step, configuration=HERE):
    checkpoint.save(path, {"model": {"w": torch.full((30, 30), float(step))}, "step": step}, configuration)


def read(path, configuration=HERE):
    return checkpoint.load_latest(path, configuration, CPU)["step"]


def sealed(path, state):
    """A file with a right checksum around any state."""
    with open(path, "w+b") as file:
        torch.save(state, file)
        file.write(checkpoint.SEAL + checkpoint._digest(file, file.seek(0, os.SEEK_END)))


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def path(tmp_path):
    """A name that needs care: brackets are patterns, and it is no ASCII."""
    return tmp_path / "[a] é.pt"


def test_round_trip_and_the_one_before(path):
    assert checkpoint.load_latest(path, HERE, CPU) is None
    for step in (1, 2, 3):
        write(path, step)
    assert names(path.parent) == [path.name, path.name + ".previous"]
    assert read(path) == 3
    assert checkpoint.load(checkpoint.previous(path), HERE, CPU)["step"] == 2
    assert torch.load(path, weights_only=True)["model"]["w"].eq(3.0).all()  # torch alone reads it as well


def test_two_hundred_flipped_bits_are_noticed(path):
    write(path, 1)
    whole, rng, noticed = path.read_bytes(), random.Random(0), 0
    for _ in range(200):
        place = rng.randrange(8 * len(whole))
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(networks.CheckpointError, match="truncated, damaged or no checkpoint"):
            checkpoint.load(path, HERE, CPU)
        noticed += 1
    assert noticed == 200


@pytest.mark.parametrize("left", [0, 1, 40, 100, -1, -60])
def test_truncated_files_are_noticed(path, left):
    write(path, 1)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(networks.CheckpointError, match="truncated"):
        checkpoint.load_latest(path, HERE, CPU)


def test_bytes_behind_the_seal_are_noticed(path):
    write(path, 1)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(networks.CheckpointError, match="checksum"):
        checkpoint.load_latest(path, HERE, CPU)


def test_recovery_does_not_put_the_damaged_file_over_the_good_one(path):
    for step in (1, 2):
        write(path, step)
    path.write_bytes(path.read_bytes()[:100])
    assert read(path) == 1
    write(path, 3)
    assert read(path) == 3
    assert checkpoint.load(checkpoint.previous(path), HERE, CPU)["step"] == 1


@pytest.mark.parametrize(("damaged", "survived"), [(False, 0), (False, 1), (True, 0)])
def test_a_kill_at_either_rename_loses_nothing(path, monkeypatch, damaged, survived):
    """Whatever renames were still made, the newest state that had been whole is found again."""
    for step in (1, 2):
        write(path, step)
    if damaged:
        path.write_bytes(path.read_bytes()[:100])
    replace, made = os.replace, []

    def dies(source, target):
        if len(made) == survived:
            raise KeyboardInterrupt
        made.append(target)
        replace(source, target)

    monkeypatch.setattr(checkpoint.os, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        write(path, 3)
    assert read(path) == (1 if damaged else 2)


def test_file_and_folder_reach_the_disk(path, monkeypatch):
    """The file is synchronised before it gets its name, the folder after it."""
    events, fsync, replace = [], os.fsync, os.replace

    def synchronised(handle):
        events.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def renamed(source, target):
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(checkpoint.os, "fsync", synchronised)
    monkeypatch.setattr(checkpoint.os, "replace", renamed)
    write(path, 1)
    write(path, 2)
    assert events == ["file", "rename", "folder", "file", "rename", "rename", "folder"]


def test_unfinished_files_of_dead_processes_are_swept(path):
    """Of this machine and of this checkpoint only; those of living processes stay."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    start = f".{path.name}.{socket.gethostname()}"
    swept = [f"{start}.{dead.pid}.part", f"{start}.{os.getpid()}.part"]
    kept = [f"{start}.1.part", f".{path.name}.elsewhere.{dead.pid}.part", f".other.{dead.pid}.part", f"{start}.x.part"]
    for name in swept + kept:
        (path.parent / name).write_bytes(b"half")
    assert checkpoint.load_latest(path, HERE, CPU) is None
    assert names(path.parent) == sorted(kept)
    (path.parent / swept[0]).write_bytes(b"half")
    write(path, 1)
    assert names(path.parent) == sorted([*kept, path.name])


def test_a_write_killed_in_the_middle_is_swept_by_the_next(path):
    code = (
        "import os, signal, sys, torch\nfrom pathlib import Path\nfrom toy_models.networks import checkpoint\n"
        "def torn(state, file):\n    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "checkpoint.torch.save = torn\ncheckpoint.save(Path(sys.argv[1]), {}, {})\n"
    )
    died = subprocess.run([sys.executable, "-c", code, str(path)], timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert len(names(path.parent)) == 1
    assert checkpoint.load_latest(path, HERE, CPU) is None
    assert names(path.parent) == []


MALFORMED = [
    {"format": checkpoint.FORMAT},
    {"format": checkpoint.FORMAT, "configuration": None},
    {"format": checkpoint.FORMAT, "configuration": [1]},
    {"format": 1, "configuration": HERE},
    {},
    [1, 2],
    torch.ones(3),
]


@pytest.mark.parametrize("state", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("put", [sealed, lambda path, state: torch.save(state, path)], ids=["sealed", "unsealed"])
def test_what_is_no_checkpoint_is_refused_and_never_replaces_the_one_before(path, state, put):
    for step in (1, 2):
        write(path, step)
    put(path, state)
    with pytest.raises(networks.CheckpointError, match="checkpoint"):
        checkpoint.load(path, HERE, CPU)
    assert read(path) == 1
    write(path, 3)
    assert checkpoint.load(checkpoint.previous(path), HERE, CPU)["step"] == 1


def test_another_configuration_is_refused_even_with_a_fitting_one_before(path):
    write(path, 1)
    write(path, 2, {"seed": 2})
    write(path, 3, {"seed": 2})
    with pytest.raises(checkpoint.OtherConfiguration, match="seed: 2 there, 1 here"):
        checkpoint.load_latest(path, HERE, CPU)
