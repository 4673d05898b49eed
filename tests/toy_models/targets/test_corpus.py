"""Real text: folding, refusals, circular counts, and languages that are exactly stationary."""

import os
import re
import socket
from pathlib import Path

import numpy as np
import pytest

import toy_models as tm
from toy_models.targets import corpus


def folded(text):
    return corpus.unfold(corpus.fold(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc xyz", "abc xyz"),
        ("Hello,  World!\n", "hello world "),
        ("  \n lead", "lead"),
        ("Ünïcödé ﬁne", "unicode fine"),
        ("word—word", "word word"),
        ("don’t don't", "don t don t"),
        ("1234", ""),
        ("", ""),
        ("a" * 3, "aaa"),
        ("Straße größer Fuß", "strasse grosser fuss"),
        ("GROẞ", "gross"),
        ("ﬃ ﬂ Æther œuvre", "ffi fl aether oeuvre"),
        ("Łódź, Øre, Þór", "lodz ore thor"),
        ("İI ı", "ii i"),
        ("com\u00adpu\u200bter\u2060s \ufeffa\u200db", "computers ab"),
        ("e\u0301a\u0308", "ea"),
        ("½ ① № ㎏", "no kg"),
        ("слово x", "x"),
        ("\ud800x", "x"),
    ],
)
def test_fold(text, expected):
    assert folded(text) == expected


def test_unfold_shows_masks():
    assert corpus.unfold(np.array([0, tm.MASK, 25, 26])) == "a_z "


def write(tmp_path, data):
    path = tmp_path / "text.txt"
    path.write_bytes(data)
    return path


def test_load_reads_utf8(tmp_path):
    path = write(tmp_path, "Éa b\r\n".encode())
    assert corpus.unfold(corpus.load(path)) == corpus.unfold(corpus.load(str(path))) == "ea b "
    assert corpus.unfold(corpus.load(write(tmp_path, b"\xef\xbb\xbfbom"))) == "bom"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no letter a-z after folding (0 characters read)"),
        (b"12 + 34 = 46\n", "holds no letter a-z after folding (13 characters read)"),
        (b"caf\xe9", "is no UTF-8 text: byte 3 cannot be decoded"),
        (b"\x89PNG\r\n\x1a\n", "is no UTF-8 text: byte 0 cannot be decoded"),
        (b"abc\x00def", "is a binary file: it holds a NUL at character 3"),
    ],
)
def test_refused_files(tmp_path, data, message):
    path = write(tmp_path, data)
    for use in (corpus.load, lambda p: corpus.counts(2, p), lambda p: corpus.language(2, 8, p)):
        with pytest.raises(ValueError, match=re.escape(f"corpus {path} {message}")):
            use(path)


def test_unreadable_files(tmp_path):
    missing = tmp_path / "missing.txt"
    with pytest.raises(ValueError, match=re.escape(f"corpus {missing} cannot be read: No such file or directory")):
        corpus.load(missing)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path, monkeypatch):
    """Before it is opened: a FIFO would wait for a writer, a device would never end."""
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the path of a socket is short
        server.bind("socket")
        refused = {fifo: "a FIFO", link: "a FIFO", tmp_path / "socket": "a socket", tmp_path: "a directory"}
        refused |= {Path("/dev/zero"): "a character device", Path("/dev/null"): "a character device"}
        for path, kind in refused.items():
            message = f"corpus {path} cannot be read: it is {kind}, allowed: a regular file"
            with pytest.raises(ValueError, match=re.escape(message)):
                corpus.load(path)


def test_texts_up_to_the_limit_are_read(tmp_path, monkeypatch):
    assert corpus.MAX_BYTES == 64 * 1024**2
    monkeypatch.setattr(corpus, "MAX_BYTES", 10)
    assert len(corpus.load(write(tmp_path, b"a" * 10))) == 10
    with pytest.raises(ValueError, match="has 11 bytes, allowed: at most 10"):
        corpus.load(write(tmp_path, b"a" * 11))


def test_a_sparse_file_of_a_terabyte_is_refused_at_once(tmp_path):
    path = write(tmp_path, b"")
    os.truncate(path, 2**40)
    with pytest.raises(ValueError, match=f"has {2**40} bytes, allowed: at most {2**26} "):
        corpus.load(path)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("all kept\n", 1.0),
        ("Straße größer Fuß", 1.0),
        ("e\u0301\u00ad\u200b", 1.0),  # an accent and what shows nothing are not counted
        ("", 1.0),
        ("ab12", 0.5),
        ("我们 a", 0.5),
        ("1234", 0.0),
        ("don't", 0.8),
        ("\ud800x", 0.5),
    ],
)
def test_share_that_folding_keeps(text, share):
    assert corpus.kept_share(text) == share


def test_a_text_of_which_much_is_lost_is_loaded_with_a_warning(tmp_path):
    path = write(tmp_path, "我们 a".encode() * 500)
    said = re.escape(f"corpus {path}: 50.0 % of the characters are letters a-z or white space; the others ")
    with pytest.warns(corpus.CorpusWarning, match=said):
        assert len(corpus.load(path)) == 999
    corpus.load(write(tmp_path, b"don't"))  # at 80 % nothing is said: warnings are errors here


def test_a_text_shorter_than_the_order(tmp_path):
    path = write(tmp_path, b"ab")
    assert corpus.counts(2, path).sum() == 2
    with pytest.raises(ValueError, match="the text has 2 tokens after folding, order 3 needs at least 3"):
        corpus.counts(3, path)


def test_orders_beyond_the_counts(tmp_path):
    with pytest.raises(ValueError, match="order = 5, the shipped counts go up to 4; pass a text file"):
        corpus.counts(5)
    with pytest.raises(ValueError, match="order = 0, it must be an integer >= 1"):
        corpus.counts(0)
    with pytest.raises(tm.IntractableError, match=re.escape("order = 6, hence 27^6 entries is beyond the exact limit")):
        corpus.counts(6, write(tmp_path, b"long enough text"))


def test_a_length_shorter_than_a_context():
    with pytest.raises(ValueError, match="length = 2 is shorter than the 3 tokens of a context of order 4"):
        corpus.language(4, 2)


def test_circular_counts_of_a_word():
    """'abab ' read as a circle: ab twice, ba, 'b ', ' a' once."""
    table = corpus.circular_counts(corpus.fold("abab "), 2)
    assert {(i, j): int(n) for (i, j), n in np.ndenumerate(table) if n} == {
        (0, 1): 2,
        (1, 0): 1,
        (1, 26): 1,
        (26, 0): 1,
    }
    thrice = corpus.circular_counts(corpus.fold("abab "), 3)
    np.testing.assert_array_equal(thrice.sum(axis=0), table)
    np.testing.assert_array_equal(thrice.sum(axis=2), table)


def test_shipped_text_reproduces_the_counts_exactly():
    """An Eulerian circuit of the 4-gram counts has those counts, and so those of every lower order."""
    tokens = corpus.load()
    assert f"of {len(tokens)} tokens" in corpus.description()
    for order in (1, 2, 3, 4):
        np.testing.assert_array_equal(corpus.circular_counts(tokens, order), corpus.counts(order))
    assert corpus.counts(4).sum() == len(tokens) > 300_000
    assert corpus.counts(2)[26, 26] == 0
    np.testing.assert_array_equal(corpus.load(""), tokens)


def test_eulerian_tokens_need_one_connected_circle():
    pieces = corpus.circular_counts(corpus.fold("ab"), 2) + corpus.circular_counts(corpus.fold("cd"), 2)
    with pytest.raises(ValueError, match="the graph of their tuples is not connected"):
        corpus.eulerian_tokens(pieces)
    small = corpus.circular_counts(corpus.fold("the cat sat on the mat "), 3)
    np.testing.assert_array_equal(corpus.circular_counts(corpus.eulerian_tokens(small), 3), small)


def test_shipped_counts_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        corpus.shipped_counts()[0, 0, 0, 0] = 1


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_languages_are_stationary_with_the_right_letters(order):
    """Every window has the law of the text: the marginal of any position is the share of its letter."""
    language = corpus.language(order, 9)
    assert (language.vocab_size, language.length) == (27, 9)
    assert type(language) is (tm.MarkovChain if order == 2 else tm.NGram)
    assert language.is_stationary
    share = corpus.counts(1) / corpus.counts(1).sum()
    marginals = language.marginals(np.full((1, 9), tm.MASK))[0]
    np.testing.assert_allclose(marginals, np.broadcast_to(share, (9, 27)), rtol=0, atol=1e-13)
    if order > 1:
        pairs = corpus.counts(2) / corpus.counts(2).sum()
        y = np.full((27, 9), tm.MASK)
        y[:, 4] = np.arange(27)
        after = language.marginals(y)[:, 5]
        np.testing.assert_allclose(share[:, None] * after, pairs, rtol=0, atol=1e-13)


def test_the_language_of_a_file_is_its_maximum_likelihood_fit(tmp_path):
    """Relative frequencies; a letter that never occurs has probability zero and leaves no nan behind."""
    language = corpus.language(2, 5, write(tmp_path, b"abab "))
    np.testing.assert_allclose(language.initial[[0, 1, 2, 26]], [0.4, 0.4, 0.0, 0.2], atol=1e-15)
    np.testing.assert_allclose(language.transition[1, [0, 26]], [0.5, 0.5], atol=1e-15)
    assert np.isneginf(language.log_prob(np.array([[0, 2, 0, 1, 0]])))[0]
    assert language.log_prob(corpus.fold("abab ")[None])[0] == pytest.approx(np.log(0.4 * 0.5 * 0.5), abs=1e-14)


def test_higher_orders_predict_better():
    """Entropy rate in nats per letter falls with the order, and a wrong order is told apart."""
    rate = [corpus.language(n, 10).entropy() - corpus.language(n, 9).entropy() for n in (1, 2, 3, 4)]
    assert rate == sorted(rate, reverse=True)
    assert min(np.diff(rate[::-1])) > 0.1
