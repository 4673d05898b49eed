"""A compact notation for local rewriting rules.

    Rules("<01", ["01 -> M.", "11 -> MM", "M1 -> x."], first=1, stride=2)

Left of the arrow: a block of symbols, `M` a mask. Right: one code per symbol of the block,
    .  leave as it is     M  remask     x  delete (the symbol must be M)     other  unmask to that symbol (ditto)
and a `+` after a code adds the insert bit. Blocks start at position `first`; with stride = None only that one block is
rewritten, else one block per stride, and a shorter block may be left over at the end. What no rule names stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from toy_models.any_process.programs import Site, String, stay_all, sure
from toy_models.any_process.transition import DELETE, HOLD, KEEP, REMASK, Action, write
from toy_models.validation import MASK


@dataclass(frozen=True)
class Rules:
    """A deterministic program made of block rules; it stops when no block matches a rule that changes something.

    >>> flip = tm.any_process.Rules("ab", ["M -> b"])
    >>> tm.any_process.run(flip, (-1, 0)).trace
    ((-1, 0), (1, 0))
    """

    symbols: str  # symbol v is symbols[v]; no M, no "."
    rules: Sequence[str]
    first: int = 0
    stride: int | None = None
    table: dict[String, tuple[Action, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self):
        object.__setattr__(self, "table", dict(parse(self.symbols, rule) for rule in self.rules))

    @property
    def size(self) -> int:
        return max(map(len, self.table))

    def __call__(self, x: String) -> list[Site] | None:
        sites = stay_all(x)
        starts = [self.first] if self.stride is None else range(self.first, len(x), self.stride)
        matched = False
        for start in starts:
            actions = self.table.get(x[start : start + self.size])
            if actions is not None:
                matched = True
                sites[start : start + len(actions)] = [sure(action) for action in actions]
        return sites if matched else None

    def encode(self, text: str) -> String:
        """The sequence of a text over the symbols and M."""
        return tuple(MASK if s == "M" else self.symbols.index(s) for s in text)

    def decode(self, x: String) -> str:
        return "".join("M" if v == MASK else self.symbols[v] for v in x)


def parse(symbols: str, rule: str) -> tuple[String, tuple[Action, ...]]:
    """(block, one action per position) of one rule; ValueError naming the rule."""
    left, arrow, right = (part.strip() for part in rule.partition("->"))
    codes = [code for code in right.replace("+", "") if code != " "]
    if not arrow or len(codes) != len(left) or not left:
        raise ValueError(f"rule {rule!r} must read 'block -> codes' with one code per symbol")
    unknown = [s for s in left if s != "M" and s not in symbols]
    if unknown:
        raise ValueError(f"rule {rule!r} uses {unknown[0]!r}, allowed: M and {', '.join(symbols)}")
    plus = [right[k + 1 : k + 2] == "+" for k, s in enumerate(right) if s not in "+ "]
    actions = [_action(symbols, rule, *item) for item in zip(left, codes, plus, strict=True)]
    return tuple(MASK if s == "M" else symbols.index(s) for s in left), tuple(actions)


def _action(symbols: str, rule: str, symbol: str, code: str, insert: bool) -> Action:
    if code == ".":
        action = HOLD if symbol == "M" else KEEP
    elif code == "M":
        action = REMASK
    elif symbol != "M":
        raise ValueError(f"rule {rule!r}: code {code!r} needs a mask, the block has {symbol!r} there")
    elif code == "x":
        action = DELETE
    elif code in symbols:
        action = write(symbols.index(code))
    else:
        raise ValueError(f"rule {rule!r} has code {code!r}, allowed: . M x and {', '.join(symbols)}")
    if insert and code == "x":
        raise ValueError(f"rule {rule!r}: a deleted position cannot insert")
    return (action[0], action[1], int(insert), action[3])
