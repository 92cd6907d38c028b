"""Rules of one bucket -> a decision tree: what several rules have in common is tested once, where that saves time."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ruleng.engine.nodes import TRUE, Group, Node

DEEPEST = 12
"""Levels of `if` in a tree; Python takes 100 levels of indentation."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The rule matches, if what is left of its condition holds."""

    rule: int
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """What its rules have in common, and then each of them."""

    tests: tuple[Node, ...]
    then: Tree


Tree = tuple[Branch | Hit, ...]


def tree(rules: Sequence[tuple[int, Node]]) -> Tree:
    """The decision tree of a bucket."""
    return _tree([(number, _conjuncts(node)) for number, node in rules], 1)


def _conjuncts(node: Node) -> tuple[Node, ...]:
    if node is TRUE:
        return ()
    return node.children if isinstance(node, Group) and node.kind == "and" else (node,)


_Rules = Sequence[tuple[int, tuple[Node, ...]]]


def _tree(rules: _Rules, level: int) -> Tree:
    parts: list[Branch | Hit] = []
    taken: set[int] = set()
    if level < DEEPEST:
        for test, group in _groups(rules):
            tests, rest = _shared_by_all(test, group)
            parts.append(Branch(tests, _tree(rest, level + 1)))
            taken.update(number for number, _ in group)
    return (*parts, *(Hit(number, tests) for number, tests in rules if number not in taken))


def _shared_by_all(test: Node, group: _Rules) -> tuple[tuple[Node, ...], _Rules]:
    """The test, and what else all rules of the group want first; and what is left of the rules."""
    tests = [test]
    rest = [(number, tuple(other for other in own if other is not test)) for number, own in group]
    while (best := next(iter(_groups(rest)), None)) and len(best[1]) == len(rest):
        tests.append(best[0])
        rest = [(number, tuple(other for other in own if other is not best[0])) for number, own in rest]
    return tuple(tests), rest


def _groups(rules: _Rules) -> Iterator[tuple[Node, _Rules]]:
    """Disjoint groups of rules with the test that they share, the most rewarding first."""
    gains: dict[Node, dict[int, float]] = defaultdict(dict)  # test: place of a rule: time that it saves there
    for place, (_, tests) in enumerate(rules):
        for test, gain in zip(tests, _gains(tests), strict=True):
            gains[test][place] = gain
    heap = [(-_gain(test, places), test.id, test) for test, places in gains.items() if len(places) > 1]
    heapq.heapify(heap)
    while heap:
        rank, _, test = heapq.heappop(heap)
        places = gains[test]
        gain = _gain(test, places)
        if len(places) < 2 or gain <= 0:
            continue
        if -gain > rank:
            heapq.heappush(heap, (-gain, test.id, test))  # fewer rules than when it was ranked
            continue
        group = sorted(places)
        yield test, [rules[place] for place in group]
        for place in group:
            for used in rules[place][1]:
                gains[used].pop(place, None)


def _gain(test: Node, places: Mapping[int, float]) -> float:
    """Time that is saved by asking once, before these rules, what they all want."""
    return sum(places.values()) - test.cost


def _gains(tests: Sequence[Node]) -> list[float]:
    """For each of a rule's tests the expected time that the rule saves when the test is asked before it.

    The rule is then entered as often as the test holds, and has one test less. A dear test behind a cheap one that mostly
    fails saves less than it costs.
    """
    before, reached = [], 1.0
    total = 0.0
    for test in tests:
        before.append((total, reached))
        total += reached * test.cost
        reached *= test.chance
    gains = []
    for test, (spent, reached) in zip(tests, before, strict=True):
        behind = total - spent - reached * test.cost  # reached through the test
        without = spent + behind / max(test.chance, 1e-6)
        gains.append(total - test.chance * without)
    return gains
