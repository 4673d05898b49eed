"""make bench: run every benchmark, each in the environment it needs.

Benchmarks without peers run in this environment. Those with peers (benchmarks/peers.txt) run in build/bench-venv, which
is set up once. A peer that cannot be installed is reported and its benchmark left out. On a machine with a card the
benchmark `networks` runs there too, with jax for CUDA, so that dynamax is measured on the same card.
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = ("curves", "own_text", "sequence_error", "networks")
WITH_PEERS = ("hmm_marginals", "entropy_bound")
PEERS = ROOT / "build" / "bench-venv"
ON_A_CARD = ("networks",)


def has_card() -> bool:
    return shutil.which("nvidia-smi") is not None


def peers_python() -> Path | None:
    """The interpreter of the peers' environment, or None when it cannot be made."""
    python = PEERS / "bin" / "python"
    if not (PEERS / "ready").exists():
        venv.create(PEERS, with_pip=True)
        wanted = ["jax[cuda12]"] if has_card() else []  # its version is fixed by peers.txt
        wanted += ["-r", str(ROOT / "benchmarks" / "peers.txt"), "-e", str(ROOT)]
        made = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "torch==2.13.0", *wanted], check=False)
        if made.returncode:
            return None
        (PEERS / "ready").touch()
    return python


def interpreter(name: str, peers: Path | None) -> str:
    """The environment of a benchmark without peers: this one, or the peers' where a card is to be shared with them."""
    return str(peers) if peers is not None and name in ON_A_CARD and has_card() else sys.executable


def main() -> int:
    failed, python = [], peers_python()
    for name in OWN:
        print(f"== {name}", flush=True)
        command = [interpreter(name, python), "-m", f"benchmarks.{name}"]
        failed += [name] * bool(subprocess.run(command, cwd=ROOT).returncode)
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
