"""What a sampler owes: (size, L) integer ids, from a finite number of calls, and a network left as it was.

A breach is one line: which contract, the first row, what is allowed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Int

from toy_models.networks.exact_network import CallBudgetExceeded, ExactNetwork

FIXED = ("mask_id", "vocab_size", "shift", "prompt", "ids", "policies", "target", "dtype", "budget")


class ContractError(ValueError):
    """A sampler returned something that is no sample, raised, or did not end."""


def default_budget(length: int) -> int:
    """Forward passes per text: thousand-step grids and twenty passes for each letter fit."""
    return 1100 + 20 * length


def run_sampler(sampler: Callable, network: ExactNetwork, size: int) -> Int[np.ndarray, "size L"]:
    """sampler(network, size) as ids of the text; a prompt before it may be returned too and is cut off."""
    if not callable(sampler):
        raise TypeError(f"sampler = {type(sampler).__name__}, it must be a function sampler(network, size) -> tokens")
    before = {name: getattr(network, name) for name in FIXED}
    limit = network.budget
    try:
        with torch.no_grad():
            result = sampler(network, size)
    except CallBudgetExceeded:
        raise ContractError(
            f"the sampler does not end: more than {limit} rows were passed to the network for {size} texts "
            f"({(limit or 0) // size} calls each)"
        ) from None
    except (Exception, SystemExit) as problem:
        where = f"after {network.record.calls} calls"
        raise ContractError(f"the sampler raised {type(problem).__name__} {where}: {_line(problem)}") from problem
    for name, value in before.items():
        if getattr(network, name) is not value and getattr(network, name) != value:
            raise ContractError(f"the sampler changed network.{name} from {value!r} to {getattr(network, name)!r}")
    return _ids(result, network, size)


def _line(problem: BaseException) -> str:
    return " ".join(str(problem).split())[:200] or "without a word"


def _ids(result: Any, network: ExactNetwork, size: int) -> Int[np.ndarray, "size L"]:
    length, prompt = network.length, network.prompt
    allowed = f"({size}, {length})" + (f" or ({size}, {prompt + length})" if prompt else "")
    if isinstance(result, torch.Tensor):
        result = result.detach().cpu().numpy() if result.dtype != torch.bfloat16 else result.float().cpu().numpy()
    if result is None:
        raise ContractError(f"the sampler returned None, it must return token ids of shape {allowed}")
    rows = list(result) if isinstance(result, list | tuple) else None
    if rows is not None:
        widths = [len(row) if hasattr(row, "__len__") and getattr(row, "ndim", 1) else -1 for row in rows]
        odd = next((k for k, w in enumerate(widths) if w != widths[0]), None)
        if odd is not None:
            raise ContractError(f"row {odd} has {widths[odd]} tokens, row 0 has {widths[0]}: texts have {length}")
        result = np.array([np.asarray(row) for row in rows])
    array = np.asarray(result)
    if array.ndim != 2:
        raise ContractError(f"the sampler returned shape {array.shape}, it must return token ids of shape {allowed}")
    if len(array) < size:
        raise ContractError(
            f"the sampler returned {len(array)} rows, row {len(array)} is missing: {size} were asked for"
        )
    if len(array) > size or array.shape[1] not in (length, prompt + length):
        raise ContractError(f"the sampler returned shape {array.shape}, it must return token ids of shape {allowed}")
    if array.dtype.kind not in "iu":
        bad = next((k for k, row in enumerate(array) if array.dtype.kind != "f" or (row != np.floor(row)).any()), 0)
        raise ContractError(
            f"the sampler returned dtype {array.dtype}, row {bad}: {array[bad].tolist()}, ids are integers"
        )
    return array[:, -length:].astype(np.int64)
