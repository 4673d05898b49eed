"""Machine-checked proofs: Coq sources, what they state beside the claims, and the check that compiles them."""

from pathlib import Path

FORMAL = Path(__file__).resolve().parent
