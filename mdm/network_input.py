"""What `mdm network` is given: the denoiser that make() returns, and held-out texts as letters."""

from pathlib import Path

import numpy as np

from mdm.audit import load
from toy_models.door import require_denoiser
from toy_models.targets.protocol import Denoiser
from toy_models.validation import tokens


def made(name: str) -> Denoiser:
    """make() of the module, refused unless it returns a denoiser."""
    try:
        found = load(name)()
    except (ModuleNotFoundError, ValueError, TypeError):
        raise
    except Exception as problem:
        raise ValueError(f"{name} raised {type(problem).__name__}: {' '.join(str(problem).split())[:200]}") from problem
    try:
        return require_denoiser(found)
    except TypeError:
        kind = type(found).__name__
        raise ValueError(
            f"{name} returned {kind}, it must return a denoiser, such as "
            "toy_models.networks.NetworkDenoiser(model, mask_id, tokens, length)"
        ) from None


def read(path: Path) -> np.ndarray:
    """The array in `path`."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)  # a huge file is read as far as it is used
    except (ValueError, EOFError) as problem:
        raise ValueError(f"--data {path} is no .npy array of numbers: {problem}") from problem
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iu" or found.ndim not in (1, 2) or not found.size:
        what = f"{found.dtype} {found.shape}" if isinstance(found, np.ndarray) else type(found).__name__
        raise ValueError(f"--data {path} holds {what}, allowed: integers, rows of L tokens or one long row")
    return found


def texts(given: np.ndarray, denoiser: Denoiser, ids: bool, path: Path, rows: int) -> np.ndarray:
    """The first `rows` rows of L letters."""
    length = denoiser.length
    if given.ndim == 1:
        if len(given) < 4 * length:
            raise ValueError(f"--data {path} has {len(given)} tokens, at least four texts of {length} are needed")
        given = given[: len(given) // length * length].reshape(-1, length)
    if given.shape[1] != length:
        raise ValueError(f"--data {path} has rows of {given.shape[1]} tokens, the network has length {length}")
    if len(given) < 4:
        raise ValueError(f"--data {path} has {len(given)} rows, at least 4 are needed for intervals")
    given = np.array(given[:rows])
    if ids:
        known = getattr(denoiser, "tokens", None)
        if known is None:
            raise ValueError("--ids needs a NetworkDenoiser, which knows the id of each letter")
        letter = {int(t): k for k, t in enumerate(np.asarray(known))}
        wrong = np.argwhere(~np.isin(given, np.asarray(known)))
        if len(wrong):
            r, c = wrong[0]
            raise ValueError(
                f"--data {path}, row {r}, column {c}: id {given[r, c]} is none of the {len(letter)} letters"
            )
        return np.vectorize(letter.__getitem__, otypes=[np.int64])(given)
    try:
        return tokens(given, denoiser.vocab_size, length, masks=False)
    except ValueError as problem:
        raise ValueError(f"--data {path}: {problem}; letters are 0..V-1, --ids reads ids of the network") from None
