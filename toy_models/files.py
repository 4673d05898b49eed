"""Files that are whole or absent."""

import os
from collections.abc import Callable
from pathlib import Path


def write_aside(target: Path, write: Callable[[Path], object]) -> None:
    """Call write(temporary path), then rename onto `target`: a killed run leaves the old file or the new one."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        write(aside)
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
