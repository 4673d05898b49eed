"""make bench: run every benchmark, each in the environment it needs.

Benchmarks without peers run in this environment. Those with peers (benchmarks/peers.txt) run in build/bench-venv, which
is set up once. A peer that cannot be installed is reported and its benchmark left out.
"""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("curves", "sequence_error", "medium")
WITH_PEERS = ("hmm_marginals", "entropy_bound")
PEERS = ROOT / "build" / "bench-venv"


def peers_python() -> Path | None:
    """The interpreter of the peers' environment, or None when it cannot be made."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "ready").exists():
        venv.create(PEERS, with_pip=True)
        wanted = ["-r", str(ROOT / "benchmarks" / "peers.txt"), "-e", str(ROOT)]
        made = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "torch==2.13.0", *wanted], check=False)
        if made.returncode:
            return None
        (PEERS / "ready").touch()
    return python


def main() -> int:
    failed = []
    for name in OWN:
        if (ROOT / "benchmarks" / f"{name}.py").exists():
            print(f"== {name}", flush=True)
            failed += [name] * bool(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=ROOT).returncode)
    python = peers_python()
    if python is None:
        print("the peers' environment cannot be installed; left out: " + ", ".join(WITH_PEERS))
        return 1
    for name in WITH_PEERS:
        print(f"== {name}", flush=True)
        failed += [name] * bool(subprocess.run([str(python), f"benchmarks/{name}.py"], cwd=ROOT).returncode)
    if failed:
        print("failed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
