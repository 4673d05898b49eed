"""Local programs found by exhaustive search: right on all inputs, and none below the light cone."""

from itertools import product

import pytest

from toy_models.any_process import local_programs
from toy_models.errors import IntractableError
from toy_models.validation import MASK


@pytest.mark.parametrize("size", [(1, 1, 1), (2, 2, 1), (2, 1, 2), (2, 1, 3)])
def test_found_programs_decide_every_input(size):
    n, radius, steps = size
    program = local_programs.parity_program(n, radius, steps)
    assert len(program) == steps
    for bits in product((0, 1), repeat=n):
        x = (*bits, MASK)
        for step in program:
            x, before = local_programs.after(x, step, radius), x
            assert len(x) == n + 1
            assert all(MASK in (a, b) for a, b in zip(before, x, strict=True) if a != b)  # no bit becomes the other
        assert x[-1] == sum(bits) % 2


@pytest.mark.parametrize("size", [(2, 1, 1), (3, 1, 2), (3, 2, 1)])
def test_none_sees_beyond_its_cone(size):
    assert local_programs.parity_program(*size) is None


def test_cells_are_functions_of_what_is_within_the_radius():
    program = local_programs.parity_program(2, 1, 2)
    for step in program:
        assert all(len(view) <= 3 for function in step for view in function)


def test_limits():
    with pytest.raises(IntractableError, match="all local programs"):
        local_programs.parity_program(4, 2, 2)
    with pytest.raises(ValueError, match="steps"):
        local_programs.parity_program(2, 1, 0)
