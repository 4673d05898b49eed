"""Checkpoints that are whole or absent, and never run code when read.

A file holds tensors and plain numbers only (loaded with weights_only=True). It is written aside and renamed, so a
killed run leaves the old file or the new one; the one before is kept as <name>.previous.
"""

import os
import pickle
import warnings
import zipfile
from pathlib import Path

import torch

FORMAT = 1


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message says which file, why and what is kept."""


def save(path: Path, state: dict, configuration: dict) -> None:
    """Write {format, configuration, **state}; an existing file becomes <name>.previous first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(aside, "wb") as file:
            torch.save({"format": FORMAT, "configuration": configuration, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            spare = previous(path)
            link = spare.with_name(f".{spare.name}.{os.getpid()}.part")
            link.unlink(missing_ok=True)
            os.link(path, link)
            os.replace(link, spare)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def previous(path: Path) -> Path:
    return path.with_name(path.name + ".previous")


def load(path: Path, configuration: dict, device: torch.device) -> dict:
    """The state, if the file is whole and of this configuration; CheckpointError otherwise. Nothing is written."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles that are no checkpoints: they are refused below
            state = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError, zipfile.BadZipFile, ValueError) as problem:
        reason = (str(problem).splitlines() or [""])[0][:120]
        raise CheckpointError(f"checkpoint {path} is truncated or no checkpoint ({reason})") from problem
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"checkpoint {path} has another format, expected {FORMAT}")
    found = state["configuration"]
    if found != configuration:
        different = sorted(k for k in {*found, *configuration} if found.get(k) != configuration.get(k))
        shown = ", ".join(f"{k}: {found.get(k)!r} there, {configuration.get(k)!r} here" for k in different)
        raise CheckpointError(f"checkpoint {path} is of another configuration ({shown}); it was left as it is")
    return state


def load_latest(path: Path, configuration: dict, device: torch.device) -> dict | None:
    """The state of `path`, or of <name>.previous when `path` is damaged; None when there is neither.

    A checkpoint of another configuration is always refused: CheckpointError.
    """
    if not path.exists() and not previous(path).exists():
        return None
    try:
        return load(path, configuration, device)
    except CheckpointError as problem:
        if "another configuration" in str(problem) or not previous(path).exists():
            raise
        return load(previous(path), configuration, device)
