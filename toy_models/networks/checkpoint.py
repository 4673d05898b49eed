"""Checkpoints that are whole or refused, and never run code when read.

    file = payload written by torch.save + SEAL + sha256(payload)

A file holds tensors and plain numbers only (loaded with weights_only=True; torch.load alone reads it as well). It is
written aside, synchronised to the disk and renamed, so that a run killed at any moment leaves the old file or the new
one. The one before is kept as <name>.previous, which only a whole file ever replaces.
"""

import glob
import hashlib
import os
import pickle
import socket
import warnings
import zipfile
from pathlib import Path
from typing import BinaryIO

import torch

FORMAT = 2
SEAL = b"\nmdm checkpoint sha256\n"
BLOCK = 2**22  # bytes hashed at a time


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says which file, why and what is kept."""


class OtherConfiguration(CheckpointError):
    """A whole checkpoint of another run: neither used nor replaced by the one before it."""


def save(path: Path, state: dict, configuration: dict) -> None:
    """Write {format, configuration, **state}; an existing whole file becomes <name>.previous first.

    A damaged one is replaced where it stands. A kill between the two renames leaves <name>.previous, whole and newest.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path)
    aside = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        with open(aside, "w+b") as file:
            torch.save({"format": FORMAT, "configuration": configuration, **state}, file)
            size = file.seek(0, os.SEEK_END)
            file.write(SEAL + _digest(file, size))
            file.flush()
            os.fsync(file.fileno())
        if is_whole(path, configuration):
            os.replace(path, previous(path))
        os.replace(aside, path)
        _synchronise(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def is_whole(path: Path, configuration: dict) -> bool:
    """Whether `load` would take it. Reads the file and keeps no tensor."""
    try:
        load(path, configuration, torch.device("meta"))
    except CheckpointError:
        return False
    return True


def load(path: Path, configuration: dict, device: torch.device) -> dict:
    """The state, if the file is whole and of this configuration; CheckpointError otherwise. Nothing is written."""
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are no checkpoints: they are refused below
            _check(file)
            file.seek(0)
            state = torch.load(file, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, zipfile.BadZipFile, ValueError) as problem:
        reason = (str(problem).splitlines() or [""])[0][:120]
        raise CheckpointError(f"checkpoint {path} is truncated, damaged or no checkpoint ({reason})") from problem
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"checkpoint {path} has another format, expected {FORMAT}")
    found = state.get("configuration")
    if not isinstance(found, dict):
        raise CheckpointError(f"checkpoint {path} has configuration = {found!r:.40}, expected a dictionary")
    if found != configuration:
        shown = ", ".join(f"{k}: {a!r} there, {b!r} here" for k, a, b in differences(found, configuration))
        raise OtherConfiguration(f"checkpoint {path} is of another configuration ({shown}); it was left as it is")
    return state


def load_latest(path: Path, configuration: dict, device: torch.device) -> dict | None:
    """The state of `path`, or of <name>.previous when `path` is damaged or missing; None when there is neither.

    A checkpoint of another configuration is always refused: OtherConfiguration. Sweeps what killed runs left behind.
    """
    sweep(path)
    if not path.exists() and not previous(path).exists():
        return None
    try:
        return load(path, configuration, device)
    except OtherConfiguration:
        raise
    except CheckpointError:
        if not previous(path).exists():
            raise
        return load(previous(path), configuration, device)


def differences(a: dict, b: dict, prefix: str = "") -> list[tuple[str, object, object]]:
    """(key, value in a, value in b) wherever two nested dictionaries differ; keys of inner ones as outer.inner."""
    result = []
    for key in sorted({*a, *b}, key=str):
        first, second = a.get(key), b.get(key)
        if isinstance(first, dict) and isinstance(second, dict):
            result += differences(first, second, f"{prefix}{key}.")
        elif first != second:
            result.append((f"{prefix}{key}", first, second))
    return result


def sweep(path: Path) -> None:
    """Remove unfinished files of processes of this machine that are no more; those of living ones stay. POSIX."""
    if os.name != "posix":  # elsewhere os.kill(pid, 0) does not ask
        return
    start = f".{path.name}.{socket.gethostname()}."
    for aside in path.parent.glob(glob.escape(start) + "*.part"):
        pid = aside.name.removeprefix(start).removesuffix(".part")
        if pid.isdecimal() and (int(pid) == os.getpid() or not _alive(int(pid))):
            aside.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _digest(file: BinaryIO, size: int) -> bytes:
    """sha256 of the first `size` bytes; the file is left behind them."""
    file.seek(0)
    sha, left = hashlib.sha256(), size
    while left and (block := file.read(min(left, BLOCK))):
        sha.update(block)
        left -= len(block)
    return sha.digest()


def _check(file: BinaryIO) -> None:
    """ValueError unless the file ends in the checksum of what stands before."""
    tail = len(SEAL) + hashlib.sha256().digest_size
    size = file.seek(0, os.SEEK_END) - tail
    if size <= 0:
        raise ValueError(f"{size + tail} bytes")
    digest = _digest(file, size)
    if file.read() != SEAL + digest:
        raise ValueError("its checksum is missing or differs")


def _synchronise(folder: Path) -> None:
    """The renames themselves reach the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
