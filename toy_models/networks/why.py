"""Why a sampler errs, as far as its calls tell: draws, choice of positions, letters at once, rewriting.

A letter written where one mask was left leaves no choice of positions: its draw alone is judged (temperature,
truncation, rounding). If the others deviate by more than these can, positions were chosen by what was drawn. If both
are faithful, what remains is that several letters of a text were drawn independently. This explains a difference that
was found; it is no test of the law: a sampler may redraw and still be exact.
"""

from toy_models.networks.call_record import CallRecord
from toy_models.networks.draw_record import RARE, Tally

FEWEST = 20.0  # rare letters promised, of which none came, before truncation is named


def why(record: CallRecord, alpha: float) -> tuple[str, ...]:
    """Sentences; the four tests of the draws share `alpha`."""
    draws, told = record.draws, []
    part = alpha / 4
    forced, chosen = draws.likeliest["forced"], draws.likeliest["chosen"]
    rare, rare_chosen = draws.rare["forced"], draws.rare["chosen"]
    bent = forced.surprising(part) or rare.surprising(part)
    picked = chosen.surprising(part) or rare_chosen.surprising(part)
    if bent:
        if rare.observed == 0 and rare.promised >= FEWEST:
            told.append(
                f"truncation: letters of probability <= {RARE} were never written where one mask was left, "
                f"{rare.promised:.0f} were due in {rare.draws} draws"
            )
        told.append(f"temperature, truncation or rounding: {_share(forced)} where one mask was left")
    if picked and not bent:
        apart = chosen.excess(part)[0] > forced.excess(part)[1] or chosen.excess(part)[1] < forced.excess(part)[0]
        if apart:
            told.append(f"choice of positions: {_share(chosen)} where several masks were left, more than draws explain")
        else:
            told.append(
                f"draws or choice of positions: {_share(chosen)} where several masks were left; the {forced.draws} "
                "draws of a last mask are too few to tell the two apart"
            )
    elif picked:
        told.append(
            f"where several masks were left {_share(chosen)}: the same cause, or the choice of positions as well"
        )
    total = forced.draws + chosen.draws
    if draws.several and total:
        told.append(
            f"parallelism: {draws.several / total:.1%} of the letters were written together with others of their text"
        )
    if record.rewritten:
        told.append(f"rewriting: {record.rewritten} letters were masked again or changed")
    if record.impossible_rows:
        told.append(
            f"{record.impossible_rows} rows of {record.rows} asked for a law after letters of probability 0; "
            "what is written there follows the network's policy"
        )
    if not told and total:
        told.append(f"nothing in {total} draws speaks against draws from the marginals, one at a time")
    return tuple(told)


def _share(tally: Tally) -> str:
    observed, promised = tally.shares
    return f"the most likely letter was written in {observed:.4f} of {tally.draws} draws, marginals say {promised:.4f}"
