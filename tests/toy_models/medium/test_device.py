"""Devices by name, and what is said when there is none."""

import subprocess
import sys

import pytest
import torch

from toy_models import medium


def test_names():
    assert medium.resolve("cpu") == torch.device("cpu")
    assert medium.resolve("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ValueError, match="allowed"):
        medium.resolve("abacus")


def test_cuda_asked_for_in_vain(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no CUDA"):
        medium.resolve("cuda")


def test_the_library_does_not_import_torch():
    code = "import sys, toy_models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
