"""What a file becomes: every alphabet, every refusal in one line."""

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import corpus
from toy_models.text import reading


def written(tmp_path, content: bytes | str, name: str = "a.txt"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_letters_bytes_words_and_what_is_kept(tmp_path):
    path = written(tmp_path, "Déjà vu, 12!\nvu")
    letters = tm.text.read(path)
    assert corpus.unfold(letters.rows[0]) == "deja vu vu"
    assert letters.kept == pytest.approx(11 / 15)  # of 15 characters 8 letters and 3 of white space
    raw = tm.text.read(path, "bytes")
    assert raw.size == len("Déjà vu, 12!\nvu".encode())
    assert raw.kept == 1.0
    assert raw.vocab_size == len(set("Déjà vu, 12!\nvu".encode())) == raw.used
    assert tm.text.read(path, "words").symbols == ("vu", "12", "déjà")
    words = tm.text.read(written(tmp_path, "Une vu, 12 é vu", "b.txt"), "words", words=3)
    assert words.symbols == ("vu", "12", reading.REST)
    assert words.rows[0].tolist() == [2, 0, 1, 2, 0]
    assert words.kept == 3 / 5


def test_lines_are_sequences(tmp_path):
    path = written(tmp_path, "ab\n\nba\n")
    assert [row.tolist() for row in tm.text.read(path, lines=True).rows] == [[0, 1], [1, 0]]
    assert [row.tolist() for row in tm.text.read(path).rows] == [[0, 1, 26, 1, 0, 26]]


def test_tokens_as_given(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[0, 2], [1, 1]], dtype=np.uint16))
    found = tm.text.read(tmp_path / "a.npy")
    assert [row.tolist() for row in found.rows] == [[0, 2], [1, 1]]
    assert (found.vocab_size, found.used, found.alphabet) == (3, 3, "tokens")
    np.save(tmp_path / "b.npy", np.array([0, 3]))
    assert (tm.text.read(tmp_path / "b.npy").vocab_size, tm.text.read(tmp_path / "b.npy").used) == (4, 2)
    assert [row.tolist() for row in tm.text.read(written(tmp_path, "0 2\n1,1\n"), "tokens").rows] == [[0, 2], [1, 1]]


BAD = [
    ("empty.txt", b"", {}, "empty.txt is empty"),
    ("space.txt", b" \n ", {}, "holds nothing but white space"),
    ("binary.txt", b"ab\x00cd", {}, "binary file: it holds a NUL at character 2"),
    ("latin.txt", b"ab\xe9 c", {}, "no UTF-8 text: byte 2 cannot be decoded"),
    ("greek.txt", "αβγ".encode(), {}, "holds no letter a-z .* take --alphabet bytes or words"),
    ("dots.txt", b"... !", {"alphabet": "words"}, "holds no word; take --alphabet bytes"),
    ("a.txt", b"ab", {"alphabet": "runes"}, "alphabet = 'runes', allowed: letters, bytes, words, tokens"),
    ("a.txt", b"ab", {"alphabet": "words", "words": 5000}, r"words = 5000, allowed: 3..512"),
    ("t.txt", b"0 1\n2 x\n", {"alphabet": "tokens"}, "line 2: 'x' is no token, allowed: integers 0..511"),
    ("t.txt", b"0 -1\n", {"alphabet": "tokens"}, "holds the token -1, allowed: 0..511"),
    ("t.txt", b"0 512\n", {"alphabet": "tokens"}, "holds the token 512, allowed: 0..511"),
    ("t.txt", b"0 99999999999999999999\n", {"alphabet": "tokens"}, "line 1: '99999999999999999999' is no token"),
    ("a.npy", b"no array", {}, "is no .npy array of numbers"),
    ("a.npy", b"", {}, "is no .npy array of numbers"),
]


@pytest.mark.parametrize(("name", "content", "options", "message"), BAD)
def test_refusals_are_one_line(tmp_path, name, content, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        tm.text.read(written(tmp_path, content, name), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("array", [np.array([0.5]), np.array(3), np.zeros((1, 1, 1), dtype=int), np.array(["a"])])
def test_arrays_that_are_no_tokens(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=r"allowed: integers \(n,\) or \(rows, n\)"):
        tm.text.read(tmp_path / "a.npy")


def test_files_that_are_too_big_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "MAX_BYTES", 4)
    with pytest.raises(ValueError, match="has 5 bytes, allowed: at most 4"):
        tm.text.read(written(tmp_path, "abcde"))
    monkeypatch.setattr(reading, "MAX_TOKENS", 3)
    np.save(tmp_path / "a.npy", np.arange(4))
    with pytest.raises(ValueError, match="has 4 tokens, allowed: at most 3; cut the array"):
        tm.text.read(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"no\.npy cannot be read: No such file"):
        tm.text.read(tmp_path / "no.npy")
    with pytest.raises(ValueError, match="is an array of tokens, its alphabet is tokens, not words"):
        tm.text.read(tmp_path / "a.npy", "words")
    with pytest.raises(ValueError, match="cannot be read: it is a directory"):
        tm.text.read(tmp_path)
