"""Certified enclosures of information curves of hidden Markov models and n-grams."""

from toy_models.lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bounds": ["entropy_bounds", "trajectory_kl_bounds"],
        "cells": ["Exact", "Extremal"],
        "window": ["curve_bound", "hidden_form"],
    },
)
