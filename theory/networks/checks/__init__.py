"""Checks of the networks claims, one module per subject. The network is trained, then enumerated on all its contexts.

The numbers depend on the training run; the verdicts must not: the statements hold for every network.
"""
