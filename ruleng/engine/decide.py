"""Decisions: which matches of an event become alerts, and what is done about the event, strongest first.

`first` and `all` are Falco's rule_matching: the first rule that matches, in the order of the files, or every one. A rule that
enforces (deny, kill, stop, freeze) is never hidden by an earlier one, and no throttle holds its enforcement back, only its
alert.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ruleng.engine import operands
from ruleng.engine.ruleset import RuleSet
from ruleng.engine.throttle import Throttles
from ruleng.event import Event
from ruleng.lang.checked import Action, ActionName, Rule

Matching = Literal["first", "all"]

PRECEDENCE: tuple[ActionName, ...] = ("deny", "kill", "freeze", "stop", "alert", "log")
"""Strongest first: what is done first."""

_STRENGTH: Mapping[ActionName, int] = {"kill": 3, "freeze": 2, "stop": 1}
_SCOPES = ("process", "tree", "container")  # from narrow to wide


@dataclass(frozen=True, slots=True)
class Order:
    """Something to do to the event's process, or the answer to who asked, once per event."""

    action: Action
    number: int  # of the rule that wants it


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that says something: `notices` are its alert and log actions."""

    number: int
    rule: Rule
    notices: tuple[Action, ...]
    suppressed: int  # alerts of this rule and key that the throttle held back since the last one
    covered: tuple[tuple[Action, Order], ...]  # its own enforcement that an order of another rule includes


@dataclass(frozen=True, slots=True)
class Decision:
    orders: tuple[Order, ...]  # strongest first
    fired: tuple[Fired, ...]  # in the order of the rules


class Decider:
    """Holds what deciding needs between events: throttles, which outlive a reload of the rules."""

    def __init__(
        self,
        ruleset: RuleSet,
        throttles: Throttles | None = None,
        *,
        matching: Matching = "first",
        by_source: Mapping[str, Matching] | None = None,
    ) -> None:
        self.throttles = throttles if throttles is not None else Throttles()
        self._rules = ruleset.rules
        self._matching = matching
        self._by_source = dict(by_source or {})
        self._keys = [_key_reader(rule) for rule in ruleset.rules]
        self._enforces = [
            any(action.name in _STRENGTH or action.name == "deny" for action in rule.actions) for rule in ruleset.rules
        ]

    def decide(self, event: Event, matches: Sequence[int]) -> Decision:
        """What to do about an event that matches these rules."""
        if len(matches) > 1 and self._by_source.get(event.source, self._matching) == "first":
            matches = [number for place, number in enumerate(matches) if place == 0 or self._enforces[number]]
        wanted = [Order(action, number) for number in matches for action in self._rules[number].actions if _enforcing(action)]
        orders, covered = _strongest(wanted)
        fired = []
        for number in matches:
            held_back = self._admit(number, event)
            if held_back is not None:
                rule = self._rules[number]
                notices = tuple(action for action in rule.actions if not _enforcing(action))
                mine = tuple((order.action, by) for order, by in covered if order.number == number)
                fired.append(Fired(number, rule, notices, held_back, mine))
        return Decision(orders, tuple(fired))

    def _admit(self, number: int, event: Event) -> int | None:
        rule = self._rules[number]
        if rule.throttle is None:
            return 0
        return self.throttles.admit(rule.name, rule.throttle, self._keys[number](event), event.time_ns)


def _enforcing(action: Action) -> bool:
    return action.name not in ("alert", "log")


def _key_reader(rule: Rule) -> Callable[[Event], tuple[Any, ...]]:
    uses = rule.throttle.by if rule.throttle is not None else ()
    return lambda event: tuple([_hashable(operands.value(use, event)) for use in uses])


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _strongest(wanted: Sequence[Order]) -> tuple[tuple[Order, ...], list[tuple[Order, Order]]]:
    """(what is to be done, what one of these does already with the order that does it)."""
    done: list[Order] = []
    covered: list[tuple[Order, Order]] = []
    for order in sorted(wanted, key=_rank):
        stronger = next((other for other in done if _covers(other.action, order.action)), None)
        if stronger is None:
            done.append(order)
        else:
            covered.append((order, stronger))
    return tuple(done), covered


def _rank(order: Order) -> tuple[int, int, bool, int]:
    action = order.action
    return PRECEDENCE.index(action.name), -_SCOPES.index(action.scope), not _kills_surely(action), order.number


def _covers(one: Action, other: Action) -> bool:
    """Whether doing the one leaves nothing to do for the other."""
    if one.name == "deny" or other.name == "deny":
        return one.name == other.name  # one answer
    reaches = _SCOPES.index(one.scope) >= _SCOPES.index(other.scope)
    if one.name == "kill" and not _kills_surely(one):
        return reaches and other.name == "kill" and one.signal == other.signal
    return reaches and _STRENGTH[one.name] >= _STRENGTH[other.name]


def _kills_surely(action: Action) -> bool:
    return action.name == "kill" and action.signal in (None, signal.SIGKILL)
