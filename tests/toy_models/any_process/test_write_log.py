"""A log of writes against a stored memory."""

from toy_models.any_process import run, write_log
from toy_models.validation import MASK


def shared_counter(processors):
    """Every processor adds one to cell 0 of what it saw; the last one stays."""
    return write_log.Pram((0,) * processors, 1, 1, 8, lambda s: 0, lambda s, seen: (0, (0, min(seen + 1, 7))))


def test_conflicts_leave_the_last_write():
    machine = shared_counter(3)
    done = run(write_log.program(machine, 1), write_log.start(machine, (2,), 4))
    assert write_log.contents(machine, done.final, 1) == write_log.direct(machine, (2,), 4) == ((0, 0, 0), (6,))
    assert (done.steps, done.peak) == (4, 1 + 3 * 4)


def test_nothing_written_twice():
    machine = write_log.binary_search(9)
    done = run(write_log.program(machine, 9), write_log.start(machine, (0,) * 4 + (1,) * 5, 5))
    for before, after in zip(done.trace[:-1], done.trace[1:], strict=True):
        assert all(a == b for a, b in zip(before, after, strict=True) if a != MASK)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    assert write_log.contents(machine, done.final, 9)[1][9] == 4


def test_no_round_stands_for_the_input():
    machine = shared_counter(2)
    assert write_log.contents(machine, write_log.start(machine, (5,), 0), 1) == ((0, 0), (5,))


def test_tokens_and_entries_are_one_to_one():
    machine = write_log.Pram((0,), 3, 2, 2, lambda s: None, lambda s, seen: (s, None))
    entries = [(s, w) for s in range(3) for w in (None, *((a, v) for a in range(2) for v in range(2)))]
    tokens = [write_log.encode(machine, *entry) for entry in entries]
    assert tokens == list(range(2, 2 + 3 * 5))
    assert [write_log.decode(machine, token) for token in tokens] == entries
