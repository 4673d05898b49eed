"""kill -9 of `make figures` at random moments: nothing half written, and the next call completes.

    python tests/crash.py --kills 20 --seed 0 --out build/crash

Every kill takes the whole process group, as a power loss does. After each one, every figure file that is there must
be whole (JSON and SVG parse, PNG ends as a PNG does), and hidden temporary files are counted; after the last one the
batch runs to its end and must leave none.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def torn(path: Path) -> bool:
    """Whether a figure file is not whole."""
    content = path.read_bytes()
    try:
        if path.suffix == ".json":
            json.loads(content)
        elif path.suffix == ".svg":
            ElementTree.fromstring(content)
        else:
            return not content.endswith(b"IEND\xaeB`\x82")
    except (ValueError, ElementTree.ParseError):
        return True
    return False


def figures(out: Path) -> list[Path]:
    return [path for path in out.glob("*.*") if path.suffix in (".json", ".svg", ".png")]


def left_over(out: Path) -> list[Path]:
    """What a killed process has not finished: temporary files of figures, folders of notebook runs."""
    return [*out.glob(".*.part"), *(ROOT / "build" / "notebooks").glob(".run-*")]


def batch(profile: str, out: Path) -> subprocess.Popen:
    call = ["make", "figures", f"PROFILE={profile}", f"OUT={out}"]
    return subprocess.Popen(call, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", default="smoke")
    parser.add_argument("--longest", type=float, default=120.0, help="seconds until a kill, at most")
    parser.add_argument("--out", default="build/crash")
    options = parser.parse_args()
    out, draw, bad = ROOT / options.out, random.Random(options.seed), 0
    for number in range(1, options.kills + 1):
        process, wait = batch(options.profile, Path(options.out)), draw.uniform(0.0, options.longest)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        time.sleep(2)  # kernels notice that their runner is gone
        partial = [path.name for path in figures(out) if torn(path)]
        bad += len(partial) + (status > 0)
        state = "ended by itself" if status >= 0 else "killed"
        print(
            f"{number}: {state} (status {status}) after {wait:.1f} s; whole: {len(figures(out))}, torn: {partial}",
            end="",
        )
        print(f", left behind: {len(left_over(out))}", flush=True)
    process = batch(options.profile, Path(options.out))
    _, errors = process.communicate()
    rest = left_over(out)
    print(f"the next batch: status {process.returncode}, {len(figures(out))} files, left behind: {len(rest)}")
    if process.returncode:
        print(errors.decode()[-2000:])
    return 1 if bad or process.returncode or rest else 0


if __name__ == "__main__":
    sys.exit(main())
