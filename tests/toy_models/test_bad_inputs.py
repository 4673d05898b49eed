"""Two hundred wrong inputs: each is refused with one of our exceptions, in one line that says what, which and why."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from theory.ledger.refused import CASES

ROOT = Path(__file__).resolve().parents[2]
OURS = {"ValueError", "TypeError", "IntractableError", "ImpossibleContext"}
FOREIGN = {"LinAlgError", "TypeCheckError", "BeartypeException", "UnicodeError"}  # subclasses that are not ours


@cache
def answers():
    """{case: (kinds of the exception, message)}, from a process without the type checks of the tests."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "theory.ledger.refused"]
    done = subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name: (kinds, message) for name, kinds, message in json.loads(done.stdout)}


def test_there_are_at_least_two_hundred():
    assert len(CASES) >= 200
    assert set(answers()) == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_refused_in_one_line(name):
    kinds, message = answers()[name]
    assert kinds, f"accepted: {message}"
    assert OURS & set(kinds), (kinds, message)
    assert not FOREIGN & set(kinds), (kinds, message)
    assert "\n" not in message
    for word in CASES[name][1]:
        assert word in message, (word, message)
