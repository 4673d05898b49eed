"""A few faults planted by hand turn their line red; the whole list is tests/planted.py, run on demand."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ("kappa, distances", "odds: no delta", "pairs: no factor", "EMA: noise")


def test_planted_faults_are_seen():
    told = subprocess.run(
        [sys.executable, "tests/planted.py", *SAMPLE], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.splitlines()[-1] == f"{len(SAMPLE)} of {len(SAMPLE)} seen"
