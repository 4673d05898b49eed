"""Derivations (<topic>.md), experiments and checks (<topic>.py), and the claims ledger."""
