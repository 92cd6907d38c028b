"""Which event types can a condition be true of: set algebra over evt.type, as Falco's index of rules does it.

Never drops a match: a type that is not in the set has no event for which the condition holds. Everything but evt.type,
syscall.type and the invariant evt.num >= 1 counts as possible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from ruleng.engine.interpret import children
from ruleng.engine.walk import fold
from ruleng.lang.checked import All, AnyOf, Checked, FieldUse, Negate, Op, Test

TYPE_FIELDS = frozenset({"evt.type", "syscall.type"})

_Types = frozenset[str]
_Both = tuple[_Types, _Types]
"""The types for which a condition can be true, and those for which it can be false."""


def event_types(checked: Checked, universe: frozenset[str]) -> frozenset[str]:
    """The event types of `universe` for which the condition can be true."""

    def combine(node: Checked, below: list[_Both]) -> _Both:
        match node:
            case All():
                return _every(below, 0), _some(below, 1)
            case AnyOf():
                return _some(below, 0), _every(below, 1)
            case Negate():
                true, false = below[0]
                return false, true
            case Test():
                return _of_test(node, universe)
            case _:
                assert_never(node)

    def _every(below: list[_Both], side: int) -> _Types:
        return universe.intersection(*[both[side] for both in below])

    def _some(below: list[_Both], side: int) -> _Types:
        return frozenset().union(*[both[side] for both in below])

    return fold(checked, children, combine)[0]


def _of_test(test: Test, universe: _Types) -> _Both:
    if not isinstance(test.left, FieldUse) or test.right is not None or test.modifier is not None:
        return universe, universe
    if test.left.field.name in TYPE_FIELDS:
        return _of_type_test(test, universe)
    if test.left.field.name == "evt.num":
        can_hold, can_fail = numbered(test)
        return universe if can_hold else frozenset(), universe if can_fail else frozenset()
    return universe, universe


def _of_type_test(test: Test, universe: _Types) -> _Both:
    named = universe.intersection(value for value in test.values if isinstance(value, str))
    match test.op:
        case Op.EQ | Op.IN | Op.INTERSECTS:
            return named, universe - named
        case Op.NE:
            return universe - named, named
        case _:
            return universe, universe


def numbered(test: Test) -> tuple[bool, bool]:
    """Whether some number from 1 on satisfies the test of evt.num, and whether some does not."""
    values = [value for value in test.values if isinstance(value, int)]
    limits: dict[Op, Callable[[int], tuple[bool, bool]]] = {
        Op.EQ: lambda value: (value >= 1, True),
        Op.NE: lambda value: (True, value >= 1),
        Op.LT: lambda value: (value > 1, True),
        Op.LE: lambda value: (value >= 1, True),
        Op.GT: lambda value: (True, value >= 1),
        Op.GE: lambda value: (True, value > 1),
    }
    if test.op in (Op.IN, Op.INTERSECTS):
        return any(value >= 1 for value in values), True
    return limits[test.op](values[0]) if test.op in limits and values else (True, True)
