"""Smoke results of every topic, computed once per test process."""

from functools import cache
from importlib import import_module
from inspect import signature

import numpy as np


@cache
def results(topic: str):
    """theory.<topic>.results("smoke") with seed 0, on the CPU."""
    run = import_module(f"theory.{topic}.results").results
    device = {"device": "cpu"} if "device" in signature(run).parameters else {}
    return run("smoke", np.random.default_rng(0), **device)
