"""Sizes of the networks topic, by profile."""

from dataclasses import dataclass

CONFIDENCE = 0.99
FRACTIONS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class Plan:
    """Sizes of one profile. The gpu profile is written down, and measured nowhere yet."""

    length: int
    width: int
    layers: int
    steps: int
    batch: int
    rate: float
    small_width: int
    small_steps: int
    judged: int  # sequences for learning errors and path costs
    written: int  # sequences for sequence errors
    oracle_written: int
    noisy: int  # sequences for the variance of the loss
    enclosure: float  # width of certified token errors, nats per token
    grid: tuple[int, ...]
    bf16: bool = False


PLANS = {
    "smoke": Plan(12, 32, 2, 24, 32, 3e-3, 32, 40, 32, 48, 96, 16, 0.01, (1, 2, 4, 12)),
    "full": Plan(64, 48, 2, 320, 16, 4e-3, 48, 300, 64, 128, 600, 40, 2e-4, (1, 2, 4, 8, 16, 32, 64)),
    "gpu": Plan(
        512, 512, 8, 20000, 256, 3e-4, 48, 300, 1000, 2000, 4000, 200, 2e-4, (8, 16, 32, 64, 128, 256, 512), True
    ),
}


def plan_of(profile: str) -> Plan:
    """The plan of smoke | full | gpu; ValueError otherwise."""
    if profile not in PLANS:
        raise ValueError(f"profile = {profile!r}, allowed: {', '.join(PLANS)}")
    return PLANS[profile]
