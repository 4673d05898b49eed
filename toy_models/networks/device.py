"""Where tensors live, and on how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
import torch


def resolve(device: str | torch.device) -> torch.device:
    """The device named; "auto" takes CUDA where there is one, else the CPU. ValueError for CUDA that is not there."""
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as problem:
        raise ValueError(f'device = {device!r}, allowed: "auto", "cpu", "cuda", "cuda:0", ...') from problem
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            f'device = {str(device)!r}, but torch {torch.__version__} finds no CUDA here; use "cpu" or "auto"'
        )
    if found.type == "cuda" and found.index is not None and found.index >= torch.cuda.device_count():
        raise ValueError(f"device = {str(device)!r}, but there are {torch.cuda.device_count()} CUDA devices")
    return found


def float32_products(device: torch.device) -> str:
    """How float32 matrix products are computed there: "ieee" (full float32), "tf32" or "bf16".

    Read from the backend, which both ways of choosing (torch.set_float32_matmul_precision and fp32_precision) reach;
    torch.get_float32_matmul_precision raises once the second was used. "none" leaves torch's default, full float32.
    """
    backend: Any = torch.backends.cuda if device.type == "cuda" else torch.backends.mkldnn
    found = backend.matmul.fp32_precision
    return "ieee" if found == "none" else found


def describe(device: torch.device) -> dict[str, str]:
    """Name of the device and the versions that results carry."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {"device": name, "torch": torch.__version__.split("+")[0], "cuda": str(torch.version.cuda or "none")}


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and for numba: small networks repeat themselves bit by bit, and gain nothing from more.

    A parallel numba kernel hands its thread count to the OpenMP runtime that torch uses, hence both.
    """
    threads, compiled = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(compiled)
        torch.set_num_threads(threads)
