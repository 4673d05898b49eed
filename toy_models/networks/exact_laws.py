"""The laws of all positions given what a text shows, and what stands where the language has no law."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toy_models.errors import ImpossibleContext
from toy_models.networks.framing import FOREIGN
from toy_models.networks.policies import Policies
from toy_models.networks.posterior import marginals
from toy_models.targets import HMM, Blocks, MarkovChain, NGram, Table
from toy_models.targets.protocol import Target
from toy_models.validation import MASK

CELLS = 2**27  # numbers of laws computed at once


def exact_laws(
    target: Target, text: Int[Tensor, "batch L"], policies: Policies, device: torch.device
) -> tuple[Float[Tensor, "batch L V"], Bool[Tensor, " batch"]]:
    """q(x_i | revealed letters), and which rows have none; there, and at revealed positions, by the policies."""
    y = torch.where(text == FOREIGN, MASK, text)
    laws, lost = _laws(target, y, device)
    if policies.foreign == "impossible":
        lost |= (text == FOREIGN).any(dim=1)
    filling = _filling(target, policies, device)
    if policies.revealed == "leave-one-out":
        _leave_one_out(target, y, laws, lost, filling)
    if bool(lost.any()):
        if policies.impossible == "raise" and bool((lost & (text < 0).any(dim=1)).any()):
            raise ImpossibleContext(lost.nonzero()[:, 0].tolist())
        empty = lost[:, None] & ((text < 0) | laws[:, :, 0].isnan())
        laws[empty] = filling.expand(len(laws), -1, -1)[empty]
    return laws, lost


def _laws(target: Target, y: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Marginals, one-hot where revealed, and which rows have a masked position and no law."""
    size = max(1, CELLS // (target.length * target.vocab_size))
    parts = [posterior(target, part, device) for part in y.split(size)]
    laws = parts[0] if len(parts) == 1 else torch.cat(parts)
    return laws, laws[:, :, 0].isnan().any(dim=1)


def _leave_one_out(target: Target, y: Tensor, laws: Tensor, lost: Tensor, filling: Tensor) -> None:
    """q(x_i | the other revealed letters) at revealed positions, in place; L posteriors.

    The filling where the others alone are impossible. Rows that are lost keep their letters.
    """
    for i in range(target.length):
        rows = ((y[:, i] != MASK) & ~lost).nonzero()[:, 0]
        if len(rows):
            without = y[rows]
            without[:, i] = MASK
            found = _laws(target, without, y.device)[0][:, i]
            laws[rows, i] = torch.where(found[:, :1].isnan(), filling[i], found)


def _filling(target: Target, policies: Policies, device: torch.device) -> Float[Tensor, "L V"]:
    """What is said where the language has no law: uniform over the letters, or the law of a text that shows nothing."""
    if policies.impossible == "prior":
        return posterior(target, torch.full((1, target.length), MASK, device=device), device)[0]
    vocab = target.vocab_size
    return torch.full((target.length, vocab), 1.0 / vocab, dtype=torch.float64, device=device)


def posterior(target: Target, y: Int[Tensor, "batch L"], device: torch.device) -> Float[Tensor, "batch L V"]:
    """q(x_i | revealed letters of y), nan in rows without a law: the target's own, on a GPU their twin; 40 bits."""
    if device.type != "cpu" and isinstance(target, HMM | MarkovChain | NGram | Table | Blocks):
        return forty_bits(marginals(target, y, device, on_impossible="nan"))
    return forty_bits(torch.as_tensor(target.marginals(y.cpu().numpy(), on_impossible="nan"), device=device))


def forty_bits(laws: Float[Tensor, "batch L V"]) -> Float[Tensor, "batch L V"]:
    """Each number to the nearest of 40 significant bits, relative error <= 2^-41, 0 and 1 kept (Veltkamp's splitting).

    Positions whose laws are equal as mathematics differ in the last of 53 bits, by the order of the sums. A sampler
    that compares them with == or argmax would follow the rounding; of 40 bits they are equal.

    >>> from toy_models.networks.exact_laws import forty_bits
    >>> third = torch.tensor([[[1 / 3, 1 / 3 + 2e-16, 1.0, 0.0]]], dtype=torch.float64)
    >>> (third[0, 0, 0] == third[0, 0, 1]).item(), (forty_bits(third)[0, 0, 0] == forty_bits(third)[0, 0, 1]).item()
    (False, True)
    """
    scaled = laws * 8193.0  # 2^13 + 1
    return scaled - (scaled - laws)
