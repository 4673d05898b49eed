"""One transition: remask, insert, delete."""

from collections.abc import Iterator
from itertools import product

from theory.any_process.results import Results
from theory.ledger.registry import Outcome, check, control, decide, definition, not_claimed_tight
from toy_models.any_process.transition import Action, apply, emit
from toy_models.validation import MASK

CONTROLS = tuple(product((0, 1), repeat=3))


def transition_inputs(longest: int) -> Iterator[tuple[tuple[int, ...], tuple[Action, ...]]]:
    """All (x, y, c) over {M, 0, 1} with at most `longest` positions."""
    site = tuple(product((MASK, 0, 1), (0, 1), CONTROLS))
    for n in range(longest + 1):
        for choice in product(site, repeat=n):
            yield tuple(s[0] for s in choice), tuple((s[1], s[2][0], s[2][1], s[2][2]) for s in choice)


def length_law(x, actions) -> int:
    fired = [a[3] and v == MASK for v, a in zip(x, actions, strict=True)]
    return len(x) - sum(map(bool, fired)) + sum(a[2] for a, f in zip(actions, fired, strict=True) if not f)


@check("edit-transition", tier="rational")
def transition_is_local(results: Results) -> Outcome:
    """g(x, y, c) is the concatenation of one-position maps, of the stated length, for all |x| <= 2 and actions."""
    count, wrong = 0, 0
    for x, actions in transition_inputs(2):
        columns = list(zip(*actions, strict=True)) or [()] * 4
        new = tuple(apply(x, *columns).tolist())
        pieces = tuple(v for token, a in zip(x, actions, strict=True) for v in emit(token, a))
        wrong += new != pieces or len(new) != length_law(x, actions)
        count += 1
    return decide(wrong == 0, count, wrong, "g = concatenation of one-position maps, |x| <= 2 over {M, 0, 1}")


@definition("edit-transition", tier="rational")
def transition_by_its_cases(results: Results) -> Outcome:
    """g(x, y, c) of the library = s_1 .. s_n with s_i and u_i written out by their cases, |x| <= 2."""
    count, wrong = 0, 0
    for x, actions in transition_inputs(2):
        new = []
        for token, (candidate, remask, insert, delete) in zip(x, actions, strict=True):
            if delete == 1 and token == MASK:
                continue
            kept = MASK if remask == 1 else candidate if token == MASK else token
            new += [kept, MASK] if insert == 1 else [kept]
        wrong += apply(x, *(list(zip(*actions, strict=True)) or [()] * 4)).tolist() != new
        count += 1
    return decide(wrong == 0, count, wrong)


@control("edit-transition", tier="rational")
def delete_then_insert(results: Results) -> Outcome:
    """The literal reading insert(delete(.)) leaves one mask; it breaks the length law."""
    wrong = sum(
        length_law(x, actions) != sum(len(emit(v, a)) + (a[3] and v == MASK and a[2]) for v, a in pairs(x, actions))
        for x, actions in transition_inputs(1)
    )
    return decide(wrong == 0, 49, wrong, "delete + insert on one mask would leave a mask")


@control("edit-transition", tier="rational")
def delete_reads_new_token(results: Results) -> Outcome:
    """If delete were tested on the rewritten token, remask + delete would remove a written token in one step."""
    wrong = sum(
        emit(v, a) != (() if a[3] and (a[1] or v == MASK) else emit(v, a))
        for x, c in transition_inputs(1)
        for v, a in pairs(x, c)
    )
    return decide(wrong == 0, 48, wrong, "token 0 with remask and delete: M, not the empty string")


def pairs(x, actions):
    return list(zip(x, actions, strict=True))


not_claimed_tight("edit-transition", "an identity")
