"""Walks through a state machine of Hypothesis at random, with nothing remembered from one to the next: some ten times
as many in the same time. What fails is told as the calls that Hypothesis prints, and is then made a test of its own.

Each walk leaves out some of the rules (swarm testing), so that what needs many steps of few kinds is met too.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.strategies import SearchStrategy
from hypothesis.strategies._internal.core import BooleansStrategy
from hypothesis.strategies._internal.lazy import unwrap_strategies
from hypothesis.strategies._internal.numbers import IntegersStrategy
from hypothesis.strategies._internal.strategies import SampledFromStrategy

MOST_LEFT_OUT = 0.8  # share of the rules

MANY_WALKS = pytest.mark.parametrize(
    "walks", [pytest.param(2_000, marks=pytest.mark.slow), pytest.param(100_000, marks=pytest.mark.nightly)]
)


def walk(machine: RuleBasedStateMachine, seed: str, steps: int = 50) -> None:
    """A run of so many steps, to its end. What it raises has the calls in its notes. The same `seed`, the same walk."""
    random, calls = Random(seed), []
    share = random.random() * MOST_LEFT_OUT
    rules = [(rule, _draws(rule.arguments_strategies)) for rule in machine.rules]
    wanted = {rule.function for rule, _ in rules if random.random() >= share}
    try:
        for _ in range(steps):
            able = [one for one in rules if all(holds(machine) for holds in one[0].preconditions)]
            rule, draws = random.choice([one for one in able if one[0].function in wanted] or able)
            values = {name: draw(random) for name, draw in draws.items()}
            arguments = ", ".join(f"{name}={value!r}" for name, value in values.items())
            calls.append(f"state.{rule.function.__name__}({arguments})")
            rule.function(machine, **values)
            for invariant in machine.invariants:
                invariant.function(machine)
        machine.teardown()
    except BaseException as problem:
        problem.add_note("\n".join([f"walk {seed}:", *calls]))
        raise


def _draws(strategies: dict[str, SearchStrategy[Any]]) -> dict[str, Callable[[Random], Any]]:
    return {name: _draw(unwrap_strategies(strategy)) for name, strategy in strategies.items()}


def _draw(strategy: SearchStrategy[Any]) -> Callable[[Random], Any]:
    match strategy:
        case IntegersStrategy():
            return lambda random: random.randint(strategy.start, strategy.end)
        case SampledFromStrategy():
            return lambda random: random.choice(strategy.elements)
        case BooleansStrategy():
            return lambda random: random.random() < 0.5
    raise TypeError(f"nobody has walked with {strategy!r} yet")
