"""Files that are whole or absent, and what a killed process leaves.

Whoever works on something holds a lock on it that the kernel drops when the process ends, however it ends (flock). So
"is its owner alive?" needs no process number: what can be locked belongs to nobody.
"""

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def in_checkout() -> bool:
    """Whether the code runs from the repository, whose generated files it may rewrite, and not from site-packages."""
    return (ROOT / "pyproject.toml").exists()


def hold(path: Path) -> int | None:
    """A descriptor that owns the file `path` until it is closed or its process ends; None where another one owns it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)  # removed between the two calls, by whoever swept


def write_aside(target: Path, write: Callable[[Path], object]) -> None:
    """Call write(temporary path), then rename onto `target`: a killed run leaves the old file or the new one.

    Temporary files that killed runs left beside the same target are removed.
    """
    for left in target.parent.glob(f".{escape(target.name)}.*.part"):
        owner = hold(left)
        if owner is not None:
            left.unlink(missing_ok=True)
            os.close(owner)
    aside = target.with_name(f".{target.name}.{threading.get_native_id()}.part")
    owner = hold(aside)
    try:
        write(aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
        if owner is not None:
            os.close(owner)


@contextmanager
def run_folder(parent: Path) -> Iterator[Path]:
    """A folder below `parent` for one run, removed at its end; those that killed runs left are removed first."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(".run-*"):
        with suppress(OSError):  # another run sweeps too
            owner = hold(left / "owner")
            if owner is not None:
                shutil.rmtree(left)
                os.close(owner)
    folder, owner = _owned_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(owner)


def _owned_folder(parent: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=".run-", dir=parent))
        with suppress(FileNotFoundError):  # another run's sweep was faster than the lock
            owner = hold(folder / "owner")
            if owner is not None:
                return folder, owner
