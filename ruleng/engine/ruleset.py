"""A RuleSet: rules compiled, immutable, swapped whole on reload."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ruleng.engine import operands
from ruleng.engine.interpret import children
from ruleng.engine.plan import Bucket
from ruleng.event import Event
from ruleng.fields.types import Catalogue
from ruleng.lang.checked import Checked, Operand, OutputField, Rule, Test
from ruleng.ports import Demand, Filter

Match = Callable[[Event], Sequence[int]]
"""The numbers of the rules that an event matches, ascending."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one rule needs of the sources, and what it costs."""

    event_types: frozenset[str]  # for which it can match
    fields: frozenset[str]  # names of the catalogue, of its condition, output and throttle
    cost: float  # expected, for an event of these types, in attribute look-ups (about 10 ns)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """`match(event)` gives the numbers of the rules that hold; `rules[number]` is the rule."""

    rules: tuple[Rule, ...]
    match: Match = field(repr=False)
    source: str = field(repr=False)  # the generated Python
    needs: tuple[Need, ...] = field(repr=False)  # of each rule; nothing for one that is disabled or can never match
    filters: Mapping[str, Filter] = field(repr=False)  # by event type, see `ports.Demand`
    tested: Sequence[int] = field(default=(), repr=False)  # counters of each rule, where they were asked for
    matched: Sequence[int] = field(default=(), repr=False)

    @property
    def demand(self) -> Demand:
        """What the rules need all together."""
        return Demand(
            event_types=frozenset().union(*(need.event_types for need in self.needs)),
            fields=frozenset().union(*(need.fields for need in self.needs)),
            filters=self.filters,
        )


def needs_of(rules: Sequence[Rule], kinds: Sequence[Bucket], catalogue: Catalogue) -> tuple[Need, ...]:
    """From what the planner found: per kind of event, what is left of each rule."""
    types: dict[int, set[str]] = {}
    costs: dict[int, list[float]] = {}
    for kind in kinds:
        for number, node in kind.rules:
            types.setdefault(number, set()).update(kind.types)
            costs.setdefault(number, []).append(node.cost)
    return tuple(
        Need(
            event_types=catalogue.event_types & types[number],
            fields=frozenset(fields_of(rule)),
            cost=max(costs[number]),
        )
        if number in types
        else Need(frozenset(), frozenset(), 0.0)
        for number, rule in enumerate(rules)
    )


def fields_of(rule: Rule) -> Iterator[str]:
    """Names of all fields that a rule reads."""
    for operand in _operands(rule):
        for use in operands.fields(operand):
            yield use.field.name


def _operands(rule: Rule) -> Iterator[Operand]:
    waiting: list[Checked] = [rule.condition]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Test):
            yield node.left
            if node.right is not None:
                yield node.right
        else:
            waiting.extend(children(node))
    yield from (part.operand for part in rule.output.parts if isinstance(part, OutputField))
    if rule.throttle is not None:
        yield from rule.throttle.by
