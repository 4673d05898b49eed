"""A text of one's own: `mdm steps` from a cold start, and the sequence error of English bigrams to 1e-4.

OMP_NUM_THREADS=1 python -m benchmarks.own_text --write    and put it into benchmarks/RESULTS.md
"""

import argparse
import os
import platform
import pydoc_data.topics
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import numpy as np

import toy_models as tm
from benchmarks.curves import processor, put

HEADING = "## A text of one's own"
REPEATS = 3


def prose(size: int) -> bytes:
    """`size` bytes: Python's own topics, and beyond them the source of its standard library."""
    found = "\n".join(pydoc_data.topics.topics.values()).encode()
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        if len(found) >= size:
            break
        found += path.read_bytes()
    while len(found) < size:
        found += found
    return found[:size].decode(errors="ignore").encode()


def cold(path: Path) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds, MiB) of one `mdm steps` in a process of its own."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "mdm", "steps", str(path), "--json"], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def table(length: int) -> tuple[float, float, str]:
    """(wall, CPU, result) of ln(1 - SER) of the English bigram language, all N <= 16."""
    chain = tm.text.fit_language(english(), length, np.random.default_rng(0), order=2).pairs
    wall, cpu = time.perf_counter(), time.process_time()
    found = tm.sequence_error_table(chain, 16, [length], tolerance=1e-4)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, f"SER(N = 16) = {float(found.error[15, 0]):.6f}, error <= {float(np.max(found.error_bound)):.1e}"


def english() -> "tm.text.Text":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "topics.txt"
        path.write_bytes(prose(600_000))
        return tm.text.read(path)


def section() -> str:
    lines = [
        HEADING,
        "",
        f"`OMP_NUM_THREADS=1 python -m benchmarks.own_text --write`. {processor()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f} at the start: wall times of a busy machine are upper bounds. Medians of {REPEATS} "
        f"for the command. Python {platform.python_version()}, numpy {np.__version__}; Python's topics, then sources.",
        "",
        "| case | wall s | CPU s | peak MiB | asked | result |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, size, asked in (("100 kB", 100_000, "20 s"), ("10 MB", 10_000_000, "120 s, 4 GiB")):
            path = Path(folder) / "text.txt"
            path.write_bytes(prose(size))
            runs = [cold(path) for _ in range(REPEATS)]
            wall, cpu, peak = (statistics.median(part) for part in zip(*runs, strict=True))
            lines.append(f"| `mdm steps`, {name}, cold | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {asked} | L = 64 |")
            print(lines[-1], flush=True)
    for length, asked in ((64, "15 s, 1e-4"), (1024, "60 s, 1e-4")):
        wall, cpu, result = table(length)
        told = f"SER of English bigrams that occur, L = {length}, all N <= 16"
        lines.append(f"| {told} | {wall:.1f} | {cpu:.1f} | | {asked} | {result} |")
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the section into benchmarks/RESULTS.md")
    write = parser.parse_args().write
    found = section()
    if write:
        put(found, HEADING)
