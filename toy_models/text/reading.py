"""A file as token sequences: any UTF-8 text, one sequence per line, or a `.npy` array of tokens.

Alphabets:
letters   a-z and space (`corpus.fold`); digits, punctuation and other scripts become spaces
bytes     the UTF-8 bytes that occur, numbered in their order
words     runs of word characters, lower case: the most frequent V - 1, all others one symbol
tokens    integers as given: a `.npy` array (n,) or (rows, n), or a text of integers, one sequence per line
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from toy_models.targets import corpus
from toy_models.validation import positive_int

ALPHABETS = ("letters", "bytes", "words", "tokens")
MAX_TOKENS = 2**26
MAX_VOCABULARY = 512  # V^2 pairs and the powers of their matrix
REST = "(any other word)"


@dataclass(frozen=True, eq=False)
class Text:
    """Token sequences with the symbols they stand for.

    rows: one array per sequence; kept: the share of the text that its tokens still tell apart (letters: of the
    characters; words: of the words; else 1); source: the file's name.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> path.write_text("Ab a1")
    5
    >>> text = tm.text.read(path)
    >>> text.size, text.vocab_size, text.kept
    (5, 27, 0.8)
    """

    rows: tuple[Int[np.ndarray, "_"], ...]
    symbols: tuple[str, ...]
    alphabet: str
    kept: float
    source: str

    @property
    def size(self) -> int:
        return sum(map(len, self.rows))

    @property
    def vocab_size(self) -> int:
        return len(self.symbols)

    @property
    def used(self) -> int:
        """How many symbols occur."""
        return int(np.count_nonzero(sum(np.bincount(row, minlength=self.vocab_size) for row in self.rows)))


def read(path: str | Path, alphabet: str | None = None, lines: bool = False, words: int = 256) -> Text:
    """The token sequences of a file; ValueError, one line, where it holds none.

    alphabet None: tokens for `.npy`, else letters. `lines`: each line is a sequence of its own. `words`: the size V of
    the alphabet "words". A text may have 64 MiB, an array 2^26 tokens and V <= 512.

    >>> tm.text.read("no such file")
    Traceback (most recent call last):
        ...
    ValueError: corpus no such file cannot be read: No such file or directory
    """
    file = Path(path)
    if alphabet is not None and alphabet not in ALPHABETS:
        raise ValueError(f"alphabet = {alphabet!r}, allowed: {', '.join(ALPHABETS)}")
    if file.suffix == ".npy":
        if alphabet not in (None, "tokens"):
            raise ValueError(f"{file} is an array of tokens, its alphabet is tokens, not {alphabet}")
        return _as_tokens(_array_rows(file), file)
    content = corpus.read_utf8(file)
    if not content.strip():
        raise ValueError(f"{file} is empty" if not content else f"{file} holds nothing but white space")
    if alphabet == "tokens":
        return _as_tokens(
            [_integers(file, n, line) for n, line in enumerate(content.splitlines(), 1) if line.split()], file
        )
    parts = [line for line in content.splitlines() if line.strip()] if lines else [content]
    if alphabet == "bytes":
        return _as_bytes(parts, file)
    return (
        _as_words(parts, file, positive_int("words", words, 3))
        if alphabet == "words"
        else _as_letters(parts, content, file)
    )


def _as_letters(parts: list[str], content: str, file: Path) -> Text:
    rows = [row for row in map(corpus.fold, parts) if len(row)]
    if not any((row < 26).any() for row in rows):
        raise ValueError(f"{file} holds no letter a-z ({len(content)} characters read); take --alphabet bytes or words")
    return Text(tuple(rows), tuple(corpus.ALPHABET), "letters", corpus.kept_share(content), file.name)


def _as_bytes(parts: list[str], file: Path) -> Text:
    raw = [np.frombuffer(part.encode("utf-8"), dtype=np.uint8) for part in parts]
    seen = np.flatnonzero(sum(np.bincount(row, minlength=256) for row in raw))
    number = np.zeros(256, dtype=np.int64)
    number[seen] = np.arange(len(seen))
    symbols = tuple(chr(b) if 32 < b < 127 else f"\\x{b:02x}" for b in seen)
    return Text(tuple(number[row] for row in raw), symbols, "bytes", 1.0, file.name)


def _as_words(parts: list[str], file: Path, size: int) -> Text:
    if size > MAX_VOCABULARY:
        raise ValueError(f"words = {size}, allowed: 3..{MAX_VOCABULARY}")
    found = [re.findall(r"\w+", part.lower()) for part in parts]
    count = Counter(word for words in found for word in words)
    if not count:
        raise ValueError(f"{file} holds no word; take --alphabet bytes")
    top = [word for word, _ in sorted(count.items(), key=lambda item: (-item[1], item[0]))]
    top = top if len(top) <= size else [*top[: size - 1], REST]
    number = {word: i for i, word in enumerate(top)}
    rest = number.get(REST, -1)
    rows = tuple(np.array([number.get(word, rest) for word in words], dtype=np.int64) for words in found if words)
    total = sum(count.values())
    kept = sum(count[word] for word in top if word != REST) / total
    return Text(rows, tuple(top), "words", kept, file.name)


def _as_tokens(rows: list[np.ndarray], file: Path) -> Text:
    if not rows or not sum(map(len, rows)):
        raise ValueError(f"{file} holds no token")
    low, high = min(int(row.min()) for row in rows if len(row)), max(int(row.max()) for row in rows if len(row))
    if low < 0 or high >= MAX_VOCABULARY:
        raise ValueError(f"{file} holds the token {low if low < 0 else high}, allowed: 0..{MAX_VOCABULARY - 1}")
    return Text(
        tuple(row.astype(np.int64) for row in rows if len(row)),
        tuple(map(str, range(high + 1))),
        "tokens",
        1.0,
        file.name,
    )


def _array_rows(file: Path) -> list[np.ndarray]:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as problem:
        raise ValueError(f"{file} cannot be read: {problem.strerror or 'no .npy array'}") from problem
    except (ValueError, EOFError) as problem:
        raise ValueError(f"{file} is no .npy array of numbers") from problem
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2):
        raise ValueError(f"{file} has dtype {array.dtype} and shape {array.shape}, allowed: integers (n,) or (rows, n)")
    if array.size > MAX_TOKENS:
        raise ValueError(f"{file} has {array.size} tokens, allowed: at most {MAX_TOKENS}; cut the array")
    return [np.array(row) for row in np.atleast_2d(array)]


def _integers(file: Path, number: int, line: str) -> np.ndarray:
    try:
        return np.array([int(part) for part in line.replace(",", " ").split()], dtype=np.int64)
    except (ValueError, OverflowError):
        bad = next(part for part in line.replace(",", " ").split() if not part.lstrip("+-").isdigit() or len(part) > 18)
        raise ValueError(
            f"{file}, line {number}: {bad[:20]!r} is no token, allowed: integers 0..{MAX_VOCABULARY - 1}"
        ) from None
