"""What an exact network is free to say, and the objects in which it says it."""

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

CHOICES = {
    "revealed": ("one-hot", "leave-one-out"),
    "impossible": ("uniform", "prior", "raise"),
    "foreign": ("impossible", "masked"),
    "output": ("logits", "tensor", "tuple", "log-score"),
}
IGNORED = {  # arguments of released networks that cannot matter to an exact one
    "cache_position",
    "is_causal",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "sample_mode",
    "store_kv",
    "use_cache",
}


@dataclass(frozen=True)
class Policies:
    """What an exact network says where the law of the language leaves it free.

    revealed    at revealed positions: "one-hot", or "leave-one-out" q(x_i | the other revealed letters)
    impossible  after letters of probability 0: "uniform" over the letters | "prior" q(x_i) | "raise" ImpossibleContext
    foreign     an id in the text that is no letter: the context is "impossible", or the position counts as "masked"
    floor       logits are not below it; -inf keeps log 0
    output      "logits": an object with .logits | "tensor" | "tuple" (logits, None) | "log-score" (needs a time)
    """

    revealed: str = "one-hot"
    impossible: str = "uniform"
    foreign: str = "impossible"
    floor: float = -math.inf
    output: str = "logits"

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r}, allowed: {', '.join(allowed)}")
        if not self.floor < 0:
            raise ValueError(f"floor = {self.floor}, it must be a negative number, -inf for none")


@dataclass(frozen=True)
class ExactConfig:
    """What samplers read in `network.config`."""

    vocab_size: int
    mask_token_id: int
    pad_token_id: int | None = None
    eos_token_id: int | None = None
    do_x1_sc: bool = False


@dataclass(frozen=True, eq=False)
class ExactOutput:
    """logits (batch, S, vocab_size); past_key_values[0][j] (batch, 1, seen, 1) holds the token ids seen so far."""

    logits: Tensor
    past_key_values: tuple[tuple[Tensor, Tensor], ...]

    def __getitem__(self, index: int) -> Any:
        return (self.logits, self.past_key_values)[index]
