"""Faults planted by hand: each must turn the line of its claim red, or change its verdict or tier.

    python tests/planted.py                all of them, small profile
    python tests/planted.py energy         those of a topic
    python tests/planted.py ISAD EMA       those whose name contains one of the words, each in a process of its own

Most were found green once: a wrong constant, a lost factor, a baseline that is another rule. They are kept so that no
line goes blind again. The mutants of mutate.py are drawn at random; these are faults that somebody could make.
"""

import ast
import importlib
import json
import sys
from dataclasses import dataclass

from mutate import PRELOADED, ROOT
from mutate_ledger import file_of, judge
from mutate_live import forked


@dataclass(frozen=True)
class Fault:
    """`old` becomes `new` in `module`, once; a line of `topic` must see it, the line of `claim` where one is named."""

    name: str
    module: str
    old: str
    new: str
    claim: str

    def tree(self) -> ast.Module:
        text = file_of(self.module).read_text(encoding="utf-8")
        if text.count(self.old) < 1:
            raise ValueError(f"{self.name}: {self.module} holds no {self.old!r}")
        return ast.parse(text.replace(self.old, self.new, 1))


SCHEDULES, LIBRARY = "toy_models.schedules.budget", "toy_models."
PLANTED = [
    Fault("treedepth: no component is split", LIBRARY + "rules.treedepth", "grown |= neighbours[v] & vertices",
          "grown |= vertices", "treedepth"),
    Fault("treedepth: two for each position", LIBRARY + "rules.treedepth", "(1 + max(", "(2 + max(", "treedepth"),
    Fault("clash: unconditional marginals", "theory.sequence_error.clashes", "powers[right + 1][y, v]", "fmpq(1)",
          "linear-steps-markov"),
    Fault("matching: a block of three holds two pairs", "theory.sequence_error.checks.linear_steps",
          "fmpq_poly([1, 3])", "fmpq_poly([1, 2])", "fixed-size-pairs-threshold"),
    Fault("game: exponent of the renewals", LIBRARY + "schedules.minimax", "exp(s - k)", "exp(s)", "game-values"),
    Fault("data energy: slope of degree L", "theory.energy.data_energy", "(len(g) - 1) * tm.reveal_curve",
          "len(g) * tm.reveal_curve", "data-aware-energy"),
    Fault("dedup: shared tokens count twice", LIBRARY + "variance.dedup", "1.0 / np.maximum(times, 1)",
          "np.ones(times.shape)", "mirror-deduplicated"),
    Fault("gap losses: no cross terms", LIBRARY + "variance.chain_loss", "2 * before * onward", "0 * before * onward",
          "variance-in-length"),
    Fault("log: the first entry stays", LIBRARY + "any_process.write_log", "for token in x[size:] if token != MASK]",
          "for token in x[size:] if token != MASK][::-1]", "write-log-layout"),
    Fault("kappa, distances beyond 1 left out", "theory.sequence_error.chain", "range(1, far):", "range(1, 2):",
          "first-order-law"),
    Fault("certificate eps_N = 0", LIBRARY + "chains.certified_error", "epsilon += _step", "epsilon += 0.0 * _step",
          "certified-any-length"),
    Fault("odds: exponent 1.3 for 2", SCHEDULES, "expm1(2 * log(", "expm1(1.3 * log(", "odds-geometric"),
    Fault("odds: half of kappa", SCHEDULES, "return float(np.expm1(", "return 0.5 * float(np.expm1(", "odds-geometric"),
    Fault("odds: no delta", SCHEDULES, "(steps - 2))), 1.0 / steps**2", "(steps - 2))), 0.0", "odds-geometric"),
    Fault("written law: extra term left out", "theory.perplexity.checks.written_law",
          "g.at(ec.drop_row(length) * half) + extra", "g.at(ec.drop_row(length) * half)", "marginal-upper-bound"),
    Fault("DTC against half of H(Z)", "theory.perplexity.checks.correlation_bounds",
          "path.at(ec.entropy_row(length)))", "path.at(ec.entropy_row(length) * fmpq(1, 2)))", "dhw-prop-1"),
    Fault("TC sizes against half of epsilon", "theory.perplexity.checks.schedules", "c * (zeta - 1) <= value",
          "2 * c * (zeta - 1) <= value", "ccl-thm-9"),
    Fault("every language: 3/4 of the constant", "theory.perplexity.checks.one_over_n",
          "ec.drop_row(length) * fmpq(1, steps)))", "ec.drop_row(length) * fmpq(3, 4 * steps)))", "ter-every-language"),
    Fault("SER from a quarter of the correlation", "theory.sequence_error.checks.from_divergence", "- t / steps)",
          "- t / (4 * steps))", "feng-thm-4-3"),
    Fault("SER without impossible mass", LIBRARY + "quantities.sequence_error", "[off].sum() + law.impossible",
          "[off].sum()", "ser-from-kl"),
    Fault("half of the impossible mass, random orders", LIBRARY + "quantities.law", "lost += mass[state]",
          "lost += 0.5 * mass[state]", "ser-from-kl"),
    Fault("half of the impossible mass, adaptive rules", LIBRARY + "quantities.law",
          "impossible += mass[here[dead]].sum()", "impossible += 0.5 * mass[here[dead]].sum()", "ser-from-kl"),
    Fault("shifted grid: tail undercounted", LIBRARY + "quantities.trajectory_kl", "+ cells * tail", "+ tail",
          "shifted-grid-halves"),
    Fault("shifted grid: rational tail undercounted", LIBRARY + "exact.curves", "(tail(fmpq(1)) - tail(last)) * cells",
          "(tail(fmpq(1)) - tail(last))", "shifted-grid-halves"),
    Fault("uniform row of one step more", LIBRARY + "exact.curves", "[fmpq(1, steps)] * steps",
          "[fmpq(1, steps + 1)] * (steps + 1)", "feng-thm-4-2"),
    Fault("pairs: no factor 2^e", LIBRARY + "targets.pair_language", "e * np.log(2.0)", "e * np.log(1.0)",
          "pair-fixed-formula"),
    Fault("bisection: the middle shifted", LIBRARY + "rules.content_free", "(low + high) // 2", "(2 * low + high) // 3",
          "bisection-exact"),
    Fault("TC sizes: one zeta too small", SCHEDULES, "sizes.append(left // zeta)", "sizes.append(left // (zeta - 1))",
          "ccl-thm-9"),
    Fault("ISAD: weight t/q^2", LIBRARY + "variance.isad", "losses @ (1.0 / rates)", "losses @ (time / rates**2)",
          "isad-unbiased"),
    Fault("EMA: noise (1 - lambda)/2", LIBRARY + "variance.ema", "(1.0 - decay) / (1.0 + decay)", "(1.0 - decay) / 2.0",
          "ema-reduces-noise"),
    Fault("released sampler: weight at the cell's left end", LIBRARY + "variance.released_sampler",
          "np.interp(inner, s, p)", "p[:-1, None]", "released-sampler-unbiased"),
    Fault("one shift: B in place of the variance between times", LIBRARY + "variance.strats",
          "parts.rate_time_first) / batch + float", "parts.rate) / batch + float", "low-discrepancy-times"),
    Fault("mirrored masks drawn independently", LIBRARY + "networks.losses", 'options.masks == "mirror"',
          'options.masks == "none"', "training-spread"),
    Fault("stratified sizes: weights of single draws", LIBRARY + "variance.decomposition",
          "(np.diag(gram - centred) if stratified else 0.0)", "0.0", "sizes-beat-times"),
    Fault("a published loss two nats off", "theory.learned_order.instances", '"Adult": (13.1524', '"Adult": (15.1524',
          "learned-schedules-lower-loss"),
    Fault("second moment of one draw: s^(w-1) for s^(w-2)", LIBRARY + "learned_order.nelbo",
          "np.exp((w[hidden].sum() - 2.0) * log_s)", "np.exp((w[hidden].sum() - 1.0) * log_s)",
          "scale-changes-variance-only"),
    Fault("pairs of masks: twice the second moment", LIBRARY + "learned_order.rloo", "second[k] += 0.25 * float((",
          "second[k] += 0.5 * float((", "estimators-unbiased"),
    Fault("variance infinite below 1, not at 1", LIBRARY + "learned_order.nelbo", "if w[l] <= 1.0 and",
          "if w[l] < 1.0 and", "scale-changes-variance-only"),
    Fault("write-once step keeps no mask", LIBRARY + "any_process.transition", "(old == MASK) & ~chosen, none",
          "none, none", "write-once-step-bound"),
    Fault("Dyck: stops with probability 1/4", LIBRARY + "any_process.dyck",
          "actions = [(share, write(p)) for p in coming]",
          "actions = [(s, write(p)) for p, s in zip(coming, (share * 3 / 2, share / 2), strict=False)]",
          "dyck-support"),
    Fault("ReMDM: sigma without 1/alpha", LIBRARY + "rules.remasking", "np.divide(1.0 - after, before, out",
          "np.divide(1.0 - after, np.ones_like(before), out", "remdm-hurts"),
    Fault("mixture certificate: low = KL", LIBRARY + "any_process.mixtures",
          "max(low, kl - float(np.log(ratio.max())))", "max(low, kl)", "two-colour-corrector"),
    Fault("redraw: 1/E[a] for E[1/a]", LIBRARY + "any_process.sudoku_oracle",
          "sum((reach[c] / accept[c] for c in accept), Fraction(0))",
          "1 / sum((reach[c] * accept[c] for c in accept), Fraction(0))", "sudoku-group-remask"),
    Fault("optimum of sizes: 1.04 of it", "theory.energy.budgets", "optimum = sizes_cost(g, tm.optimal_sizes(g, n))",
          "optimum = min(found.kl, 1.04 * sizes_cost(g, tm.optimal_sizes(g, n)))", "energy-beta-against-optimum"),
    Fault("optimum of weights: the best Beta", "theory.energy.budgets",
          "optimum = weights_cost(g, tm.optimal_weights(g, n))", "optimum = found.kl", "energy-beta-against-optimum"),
    Fault("top-k reveals the hardest", LIBRARY + "rules.confidence",
          "ranks(marginals, masked, self.proxy) < self.k",
          "masked.sum(1)[:, None] - 1 - ranks(marginals, masked, self.proxy) < self.k", "optimal-front"),
    Fault("margin is confidence", LIBRARY + "rules.proxies", "return top[..., 1] - top[..., 0]",
          "return -top[..., 0]", "eb-binary-proxies"),
    Fault("threshold ignores its value", LIBRARY + "rules.confidence", "masked & (passes |", "masked & ((passes & 0) |",
          "optimal-front"),
    Fault("averaged weights: decay swapped", LIBRARY + "networks.training", "lerp_(p, 1 - decay)", "lerp_(p, decay)",
          "averaged-weights"),
]  # fmt: skip


def topic_of(fault: Fault) -> str:
    return next(p.parent.name for p in (ROOT / "theory").glob("*/claims.toml") if f"[{fault.claim}]" in p.read_text())


def seen_alone(fault: Fault, verdicts: dict) -> str:
    """The claim whose line sees the fault, "" if none: its own claim first, then its topic, in new processes."""
    lines = {name: (line["verdict"], line["tier"], False) for name, line in verdicts.items()}
    for only in (fault.claim, None):
        kind, what = forked(judge, topic_of(fault), fault.module, fault.tree(), lines, only)
        if kind != "said" or what:
            return what or kind
    return ""


def seen_together(topic: str, faults: list[Fault]) -> list[str | None]:
    """What each fault of one topic turns, by a server of that topic; None for a fault that acts at import."""
    from mutate_live import Server

    server, found = Server([topic]), []
    for fault in faults:
        kind, what = forked(server.trial, fault.module, fault.tree())
        found.append(what if kind == "said" else kind)
    return found


def main(words: list[str]) -> int:
    sys.path.insert(0, str(ROOT))
    for name in PRELOADED:
        importlib.import_module(name)
    for fault in PLANTED:
        fault.tree()  # raises when the code has moved on
    verdicts = json.loads((ROOT / "theory" / "verdicts.json").read_text(encoding="utf-8"))
    topics = {topic_of(fault) for fault in PLANTED}
    chosen = [f for f in PLANTED if not words or topic_of(f) in words or any(word in f.name for word in words)]
    found = dict.fromkeys(chosen)
    if set(words) <= topics:
        for topic in words or sorted(topics):
            own = [fault for fault in chosen if topic_of(fault) == topic]
            found |= zip(own, forked(seen_together, topic, own)[1], strict=True)
    for fault in chosen:
        if found[fault] is None:
            found[fault] = seen_alone(fault, verdicts)
        print(f"{found[fault] or 'NOT SEEN':<60} {fault.name} ({fault.claim})", flush=True)
    missed = sum(not what for what in found.values())
    print(f"{len(chosen) - missed} of {len(chosen)} seen")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
