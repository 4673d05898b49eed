"""Devices by name, and what is said when there is none."""

import subprocess
import sys

import numba
import numpy as np
import pytest
import torch

import toy_models as tm
from toy_models import networks
from toy_models.networks.device import one_thread


def test_names():
    assert networks.resolve("cpu") == torch.device("cpu")
    assert networks.resolve("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(ValueError, match="allowed"):
        networks.resolve("abacus")


def test_cuda_asked_for_in_vain(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="finds no CUDA"):
        networks.resolve("cuda")


def test_the_library_does_not_import_torch():
    code = "import sys, toy_models; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_one_thread_holds_through_compiled_kernels():
    """A parallel kernel would hand numba's threads to torch; both counts come back afterwards."""
    chain = tm.MarkovChain([[0.5, 0.5], [0.2, 0.8]], 16)
    before = torch.get_num_threads(), numba.get_num_threads()
    with one_thread():
        chain.marginals(np.full((200, 16), tm.MASK))
        assert (torch.get_num_threads(), numba.get_num_threads()) == (1, 1)
    assert (torch.get_num_threads(), numba.get_num_threads()) == before
