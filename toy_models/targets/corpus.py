"""Real text as an exactly known language: 27 symbols, a-z and space.

The default language is a table of circular 4-gram counts made by data/make_counts.py from the English documentation
text inside Python; DESCRIPTION holds the release. Counts are shipped, not prose, so results do not move with the
Python version. Any UTF-8 file replaces it.
"""

import stat
import unicodedata
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int

from toy_models.errors import IntractableError
from toy_models.targets.markov import MarkovChain
from toy_models.targets.ngram import NGram
from toy_models.validation import positive_int

ALPHABET = "abcdefghijklmnopqrstuvwxyz "
SHIPPED = Path(__file__).with_name("data") / "english_4gram.npz"
SHIPPED_ORDER = 4
MAX_ORDER = 5  # 27^5 counts: 115 MB
MAX_BYTES = 2**26  # 64 MiB of text: tokens and their folding take some 2 GB
LEAST_SHARE = 0.8  # of the characters kept, below which `load` warns
# letters that Unicode does not decompose, spelled as in CLDR's transform Latin-ASCII (casefold spells out ß itself)
SPELLED = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "ħ": "h", "ı": "i"})
NO_FILES = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


def fold(text: str) -> Int[np.ndarray, " tokens"]:
    """Tokens 0..26 of a text: accents dropped, letters lower-cased and spelled out, other runs of characters one space.

    "Straße" is strasse, ligatures are their letters; what shows nothing (soft hyphen, zero-width space) vanishes.
    A leading run is dropped: on the circle it meets the one at the end. `kept_share` tells how much became a space.

    >>> tm.corpus.unfold(tm.corpus.fold("Déjà vu, 1984!"))
    'deja vu '
    """
    codes = np.frombuffer(text.translate(_spellings(text)).encode("ascii"), dtype=np.uint8).astype(np.int64) - ord("a")
    codes[codes < 0] = 26
    space = codes == 26
    after_space = np.concatenate([[True], space[:-1]])[: len(codes)]
    return codes[~(space & after_space)]


def kept_share(text: str) -> float:
    """Share of the characters of a text that `fold` keeps: those with a letter a-z, and white space.

    Lost are digits, punctuation and other scripts. Accents and characters that show nothing are not counted; without
    any other character the share is 1.

    >>> tm.corpus.kept_share("ab1!")
    0.5
    """
    numbers, spellings = _occurrences(text), _spellings(text)
    shown = {code: n for code, n in numbers.items() if spellings[code]}
    kept = sum(n for code, n in shown.items() if spellings[code].strip() or chr(code).isspace())
    return kept / sum(shown.values()) if shown else 1.0


def _occurrences(text: str) -> dict[int, int]:
    """How often each code point occurs."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    seen = np.bincount(codes)
    return {int(code): int(seen[code]) for code in np.flatnonzero(seen)}


def _spellings(text: str) -> dict[int, str]:
    return {ord(c): _spelling(c) for c in set(text)}


@lru_cache(maxsize=4096)
def _spelling(c: str) -> str:
    """What one character folds to: letters a-z, a space, or nothing for accents and format characters."""
    if unicodedata.combining(c) or unicodedata.category(c) == "Cf":
        return ""
    spelled = unicodedata.normalize("NFKD", c).casefold().translate(SPELLED)
    return "".join(a if "a" <= a <= "z" else " " for a in spelled if not unicodedata.combining(a))


def unfold(tokens: Int[np.ndarray, " tokens"]) -> str:
    """Readable text of tokens 0..26; MASK shows as an underscore.

    >>> tm.corpus.unfold(np.array([0, 1, 26, -1]))
    'ab _'
    """
    return "".join("_" if t < 0 else ALPHABET[t] for t in np.asarray(tokens))


class CorpusWarning(UserWarning):
    """A text of which folding lost more than a fifth.

    >>> issubclass(tm.corpus.CorpusWarning, UserWarning)
    True
    """


def load(path: str | Path | None = None) -> Int[np.ndarray, " tokens"]:
    """Tokens of a UTF-8 text folded to a-z and space. ValueError unless it is a regular file of at most MAX_BYTES.

    Below a kept share of 80 % a CorpusWarning says how much was lost. Without a path: one closed token sequence whose
    circular 4-gram counts are exactly the shipped ones (an Eulerian circuit), so every n-gram language with n <= 4
    fitted to it is the one of the original text.

    >>> int(tm.corpus.load().size)  # the shipped counts, as one circular text
    375757
    """
    if path is None or str(path) == "":
        return eulerian_tokens(shipped_counts())
    file = Path(path)
    text = read_utf8(file)
    tokens = fold(text)
    if (tokens < 26).sum() == 0:
        raise ValueError(f"corpus {file} holds no letter a-z after folding ({len(text)} characters read)")
    share = kept_share(text)
    if share < LEAST_SHARE:
        lost = "the others (digits, punctuation, other scripts) became spaces"
        message = f"corpus {file}: {100 * share:.1f} % of the characters are letters a-z or white space; {lost}"
        warnings.warn(message, CorpusWarning, stacklevel=2)
    return tokens


def read_utf8(file: Path) -> str:
    """The text of a regular file; a FIFO would make us wait and a device would never end."""
    try:
        kind = file.stat().st_mode
        if not stat.S_ISREG(kind):
            name = next((name for test, name in NO_FILES if test(kind)), "no regular file")
            raise ValueError(f"corpus {file} cannot be read: it is {name}, allowed: a regular file")
        with open(file, "rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except OSError as problem:
        raise ValueError(f"corpus {file} cannot be read: {problem.strerror or problem}") from problem
    if len(data) > MAX_BYTES:
        size = max(file.stat().st_size, len(data))
        raise ValueError(f"corpus {file} has {size} bytes, allowed: at most {MAX_BYTES} (64 MiB); cut the text")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise ValueError(f"corpus {file} is no UTF-8 text: byte {problem.start} cannot be decoded") from problem
    if "\x00" in text:
        raise ValueError(f"corpus {file} is a binary file: it holds a NUL at character {text.index(chr(0))}")
    return text


def counts(order: int = SHIPPED_ORDER, path: str | Path | None = None) -> Int[np.ndarray, "..."]:
    """Circular counts of the n-grams of the language, shape (27,)*order.

    >>> bool(tm.corpus.counts(1).sum() == tm.corpus.counts(2).sum())
    True
    """
    positive_int("order", order)
    if path is None or str(path) == "":
        if order > SHIPPED_ORDER:
            raise ValueError(f"order = {order}, the shipped counts go up to {SHIPPED_ORDER}; pass a text file")
        table = shipped_counts()
        return table.sum(axis=tuple(range(SHIPPED_ORDER - order)))
    return circular_counts(load(path), order)


def language(order: int, length: int, path: str | Path | None = None) -> NGram | MarkovChain:
    """The n-gram language of the text with maximum-likelihood conditionals, started from its exact stationary law.

    >>> tm.corpus.language(2, 8).vocab_size
    27
    """
    if order == 2:
        table = counts(2, path).astype(np.float64)
        seen = table.sum(axis=1)
        rows = np.divide(table, seen[:, None], out=np.full_like(table, 1 / len(ALPHABET)), where=seen[:, None] > 0)
        return MarkovChain(rows, length, initial=seen / seen.sum())
    return NGram.from_counts(counts(order, path), length)


def circular_counts(tokens: Int[np.ndarray, " tokens"], order: int) -> Int[np.ndarray, "..."]:
    """Counts of (x_t, ..., x_{t+n-1}) with the end joined to the beginning.

    >>> tm.corpus.circular_counts(np.array([0, 1, 0]), 2)[:2, :2].tolist()
    [[1, 1], [1, 0]]
    """
    if len(tokens) < order:
        raise ValueError(f"the text has {len(tokens)} tokens after folding, order {order} needs at least {order}")
    size = len(ALPHABET)
    if order > MAX_ORDER:
        raise IntractableError(
            "the table of n-gram counts",
            f"order = {order}, hence {size}^{order} entries",
            f"order <= {MAX_ORDER}",
            "lower the order",
        )
    code = np.zeros(len(tokens), dtype=np.int64)
    for shift in range(order):
        code = code * size + np.roll(tokens, -shift)
    return np.bincount(code, minlength=size**order).reshape((size,) * order)


@lru_cache(maxsize=1)
def shipped_counts() -> Int[np.ndarray, "27 27 27 27"]:
    """The shipped circular 4-gram counts (read-only).

    >>> tm.corpus.shipped_counts().shape
    (27, 27, 27, 27)
    """
    with np.load(SHIPPED) as file:
        table = np.zeros(len(ALPHABET) ** SHIPPED_ORDER, dtype=np.int64)
        table[file["index"]] = file["count"]
    table = table.reshape((len(ALPHABET),) * SHIPPED_ORDER)
    table.setflags(write=False)
    return table


def description() -> str:
    """Where the shipped counts come from.

    >>> "Python" in tm.corpus.description()
    True
    """
    with np.load(SHIPPED) as file:
        return str(file["description"])


def eulerian_tokens(table: Int[np.ndarray, "..."]) -> Int[np.ndarray, " tokens"]:
    """A closed token sequence whose circular n-gram counts are `table` (Hierholzer's circuit on (n-1)-tuples).

    >>> tokens = tm.corpus.eulerian_tokens(np.array([[1, 1], [1, 0]]))
    >>> tokens.size  # one token per count
    3
    """
    size, order = table.shape[0], table.ndim
    nodes = size ** (order - 1)
    remaining = table.reshape(nodes, size).tolist()
    stack = [int(np.argmax(table.reshape(nodes, size).sum(axis=1)))]
    circuit = []
    pointer = [0] * nodes
    while stack:
        node = stack[-1]
        row = remaining[node]
        while pointer[node] < size and row[pointer[node]] == 0:
            pointer[node] += 1
        if pointer[node] == size:
            circuit.append(stack.pop() % size)
        else:
            token = pointer[node]
            row[token] -= 1
            stack.append((node * size + token) % nodes)
    if len(circuit) - 1 != int(table.sum()):
        raise ValueError("the counts are not those of one closed text: the graph of their tuples is not connected")
    return np.array(circuit[:0:-1], dtype=np.int64)
