"""The reference interpreter: what a checked condition means for an event, said as plainly as possible.

It is the oracle of the compiler's tests and the heart of `explain`. Slow: nothing is prepared, every test is evaluated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

from ruleng.engine import operands, operators
from ruleng.engine.walk import fold
from ruleng.event import Event
from ruleng.fields.types import FieldType
from ruleng.lang.checked import All, AnyOf, Checked, FieldUse, Negate, Op, Test


def holds(checked: Checked, event: Event) -> bool:
    """Whether the condition is true of the event."""

    def combine(node: Checked, below: list[bool]) -> bool:
        match node:
            case All():
                return all(below)
            case AnyOf():
                return any(below)
            case Negate():
                return not below[0]
            case Test():
                return test_holds(node, event)
            case _:
                assert_never(node)

    return fold(checked, children, combine)


def children(checked: Checked) -> Sequence[Checked]:
    match checked:
        case All() | AnyOf():
            return checked.children
        case Negate():
            return (checked.child,)
        case Test():
            return ()
        case _:
            assert_never(checked)


def test_holds(test: Test, event: Event) -> bool:
    """Whether one comparison is true; never when a side is missing."""
    left = operands.value(test.left, event)
    if left is None:
        return False
    literals: Sequence[Any] = test.values
    if test.right is not None:
        right = operands.value(test.right, event)
        if right is None:
            return False
        literals = right if test.right.is_list else (right,)
    return compare(test, left, literals)


test_holds.__test__ = False  # type: ignore[attr-defined]  # pytest: no test of ours


def compare(test: Test, left: Any, literals: Sequence[Any]) -> bool:
    """The comparison itself: of one value, of a list, or of each of several values that the field has at once."""
    op, modifier = test.op, test.modifier

    def one(value: Any) -> bool:
        if test.left.type is FieldType.DYNAMIC and not all(operators.same_kind(value, literal) for literal in literals):
            return False
        return op is Op.EXISTS or operators.check(op, modifier, value, literals)

    match operands.quantifier(test.left) if isinstance(test.left, FieldUse) else "one":
        case "any":
            return any(one(value) for value in left if value is not None)
        case "either":
            ends = [value for value in left if value is not None]
            return bool(ends) and all(map(one, ends)) if op is Op.NE else any(map(one, ends))
        case "one" if test.left.is_list and op is not Op.EXISTS:
            return operators.check_list(op, left, literals)
        case "one":
            return one(left)
        case _ as never:
            assert_never(never)
