"""The checks at the door of every public quantity, once: target, denoiser, rule, method, generator, tokens.

Each refusal is one line with the argument, the value and what is allowed. Something of the wrong kind is a TypeError,
something of the right kind that does not fit is a ValueError.
"""

from collections.abc import Callable, Iterable
from typing import Literal, overload

import numpy as np

from toy_models.rules.kinds import ADAPTIVE, CONTENT_FREE, DRAWN, SAMPLER, kind_of
from toy_models.rules.protocol import Adaptive, ContentFree, Rule
from toy_models.targets.protocol import Denoiser, Target
from toy_models.validation import shown


def require_target(target, name: str = "target") -> Target:
    """TypeError unless `target` is a law with exact conditionals."""
    _require_instance(name, target, Target, "vocab_size, length, log_prob, sample, entropy and marginals")
    return target


def require_denoiser(denoiser, name: str = "denoiser") -> Denoiser:
    """TypeError unless `denoiser` gives marginals."""
    _require_instance(name, denoiser, Denoiser, "vocab_size, length and marginals")
    return denoiser


def _require_instance(name: str, value, protocol: type, members: str) -> None:
    if isinstance(value, type):
        raise TypeError(f"{name} = {value.__name__} is a class, it must be an instance: {value.__name__}(...)")
    if not isinstance(value, protocol):
        raise TypeError(f"{name} = {shown(value)}, it must be an object with {members}")


def require_pair(target, denoiser=None) -> Denoiser:
    """The denoiser (None: the target, its own oracle), if it reads the target's alphabet at the target's length."""
    require_target(target)
    if denoiser is None or denoiser is target:
        return target
    require_denoiser(denoiser)
    for name in ("vocab_size", "length"):
        got, wanted = getattr(denoiser, name), getattr(target, name)
        if got != wanted:
            raise ValueError(f"denoiser.{name} = {got}, it must be the target's, {wanted}")
    return denoiser


@overload
def require_rule(rule, length: int, kinds: tuple[Literal["content-free"]]) -> ContentFree: ...


@overload
def require_rule(rule, length: int, kinds: tuple[Literal["adaptive"]]) -> Adaptive: ...


@overload
def require_rule(
    rule, length: int, kinds: tuple[Literal["content-free"], Literal["adaptive"]] = ...
) -> ContentFree | Adaptive: ...


@overload
def require_rule(rule, length: int, kinds: Iterable[str]) -> Rule: ...


def require_rule(rule, length: int, kinds: Iterable[str] = (CONTENT_FREE, ADAPTIVE)) -> Rule:
    """The rule, if it is of one of the kinds and serves the length."""
    kind, kinds = kind_of(rule), tuple(kinds)
    if kind not in kinds:
        allowed = " or ".join(kinds)
        hint = "; use sample and the estimate_ functions" if kind in (DRAWN, SAMPLER) else ""
        raise ValueError(f"rule = {shown(rule)} is {kind}, it must be {allowed}{hint}")
    check = getattr(rule, "require_length", None)
    if check is not None:
        check(length)
    return rule


def by_route(method: str | None, routes: dict[str, Callable], what: str):
    """The answer of the route `method`; None takes the first route whose answer is not None.

    ValueError, listing the routes, for a method that is none of them or does not serve.
    """
    if method is not None and (not isinstance(method, str) or method not in routes):
        raise ValueError(f"method = {shown(method)} does not serve {what}, allowed: None, {', '.join(routes)}")
    for name in routes if method is None else (method,):
        value = routes[name]()
        if value is not None:
            return value
    others = ", ".join(name for name in routes if name != method)
    raise ValueError(f"method = {shown(method)} does not serve {what}, allowed: None, {others}")


def own_routes(target: Denoiser, name: str, *arguments) -> dict[str, Callable]:
    """{"own": the target's optional method applied to the arguments}, or nothing where it has none."""
    method = getattr(target, name, None)
    return {} if method is None else {"own": lambda: method(*arguments)}


def require_generator(rng) -> np.random.Generator:
    """TypeError unless `rng` is a numpy Generator."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng = {shown(rng)}, it must be a numpy Generator, for example numpy.random.default_rng(0)")
    return rng
