"""Checked condition -> normalised node: negations pushed to the tests, each test in its simplest form.

Operators become few: = and `in` are one, != is "there, and not in", modifiers turn into plain tests where they say no more,
globs without wildcards inside are prefixes and the like, and a field with two ends becomes two fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, assert_never

from ruleng.engine import globs, index, operands, operators, text
from ruleng.engine.factory import Nodes
from ruleng.engine.interpret import children
from ruleng.engine.nodes import FALSE, TRUE, Const, Leaf, Node
from ruleng.engine.subjects import EVENT_NAMES, MANY_DEEP, Subject, depth, shape
from ruleng.engine.walk import fold
from ruleng.fields.types import FieldType
from ruleng.lang.checked import All, AnyOf, Checked, FieldUse, Negate, Op, Test


def normalise(checked: Checked, nodes: Nodes) -> Node:
    """The node that says the same as the condition."""

    def below(place: tuple[Checked, bool]) -> Sequence[tuple[Checked, bool]]:
        node, negated = place
        return [(child, negated is not isinstance(node, Negate)) for child in children(node)]

    def combine(place: tuple[Checked, bool], parts: list[Node]) -> Node:
        node, negated = place
        match node:
            case All():
                return nodes.group("or" if negated else "and", parts)
            case AnyOf():
                return nodes.group("and" if negated else "or", parts)
            case Negate():
                return parts[0]
            case Test():
                return _negated(_test(node, nodes), nodes) if negated else _test(node, nodes)
            case _:
                assert_never(node)

    return fold((checked, False), below, combine)


def _negated(node: Node, nodes: Nodes) -> Node:
    """De Morgan, for the small trees that one test makes."""
    match node:
        case Const():
            return FALSE if node.value else TRUE
        case Leaf():
            return nodes.negation(node)
        case _:
            return nodes.group("or" if node.kind == "and" else "and", [_negated(child, nodes) for child in node.children])


def _test(test: Test, nodes: Nodes) -> Node:
    """A test as written, not negated."""
    left = test.left
    if isinstance(left, FieldUse) and left.field.name == "evt.num" and test.right is None and test.modifier is None:
        can_hold, can_fail = index.numbered(test)
        if not (can_hold and can_fail):
            return TRUE if can_hold else FALSE
    if any(depth(side) > MANY_DEEP for side in (left, test.right) if side and not isinstance(side, FieldUse)):
        return nodes.opaque(test)
    subject = nodes.subjects.of(left)
    if isinstance(left, FieldUse) and operands.quantifier(left) == "either":
        return _of_ends(test, subject, nodes)
    if subject.type is FieldType.DYNAMIC:
        return nodes.opaque(test) if test.right is not None else nodes.leaf(subject, test.op, test.values, modifier=test.modifier)
    if test.right is not None:
        return nodes.opaque(test) if subject.many else _comparison(test, subject, nodes.subjects.of(test.right), nodes)
    if not subject.many and not shape(subject.text).names & EVENT_NAMES:
        holds = operators.predicate(test.op, test.modifier, test.values, lists=subject.is_list)
        return TRUE if holds(operands.reader_of_type(subject.text)("")) else FALSE
    if subject.is_list:
        return nodes.leaf(subject, test.op, test.values)
    if subject.many and (test.modifier is not None or test.op is Op.NE) and test.op is not Op.EXISTS:
        return _modified(test, subject, nodes) if _is_membership(test) else nodes.opaque(test)
    return _of_values(test.op, test, subject, nodes)


def _is_membership(test: Test) -> bool:
    """`= anyof` says no more than `in`, of several values too."""
    return test.op in (Op.EQ, Op.IN) and test.modifier == "anyof"


def _of_values(op: Op, test: Test, subject: Subject, nodes: Nodes) -> Node:
    """One value against literals."""
    if test.modifier is not None:
        return _modified(test, subject, nodes)
    if op is Op.NE:
        return nodes.all([nodes.leaf(subject, Op.EXISTS), nodes.leaf(subject, Op.IN, test.values, negated=True)])
    if op in (Op.EQ, Op.IN, Op.INTERSECTS):
        return nodes.leaf(subject, Op.IN, test.values)
    if op in (Op.EXISTS, Op.PMATCH):
        return nodes.leaf(subject, op, test.values)
    return nodes.any(_simple(op, value, subject, nodes) for value in test.values)


def _of_ends(test: Test, whole: Subject, nodes: Nodes) -> Node:
    """A field with two ends: a test wants one of them to satisfy it, != wants both that are there."""
    ends = nodes.subjects.ends(whole)
    if not ends or test.right is not None or whole.type is FieldType.DYNAMIC:
        return nodes.opaque(test)
    if test.op is not Op.NE:
        return nodes.any(_of_values(test.op, test, end, nodes) for end in ends)
    there = nodes.any(nodes.leaf(end, Op.EXISTS) for end in ends)
    each = [nodes.any([nodes.leaf(end, Op.EXISTS, negated=True), _of_values(test.op, test, end, nodes)]) for end in ends]
    return nodes.all([there, *each])


def _comparison(test: Test, left: Subject, right: Subject, nodes: Nodes) -> Node:
    """Two operands. One value `in` or `intersects` one value is equality."""
    op = Op.EQ if test.op in (Op.IN, Op.INTERSECTS) and not left.is_list else test.op
    return nodes.leaf(left, op, right=right)


def _modified(test: Test, subject: Subject, nodes: Nodes) -> Node:
    """`= oneof (...)` and the like, as plain tests where one is enough."""
    op, modifier, values = test.op, test.modifier, test.values
    if not values:
        return FALSE
    if op is Op.EQ and modifier == "anyof":
        return nodes.leaf(subject, Op.IN, values)
    if op not in (Op.EQ, Op.NE):
        match modifier:
            case "anyof":
                return nodes.any(_simple(op, value, subject, nodes) for value in values)
            case "allof":
                return nodes.all(_simple(op, value, subject, nodes) for value in values)
            case _:
                return nodes.leaf(subject, op, values, modifier=modifier)
    if subject.type is FieldType.IPNET:  # an address may lie in several networks
        return nodes.leaf(subject, op, values, modifier=modifier)
    return _counted(op, modifier, values, subject, nodes)


def _counted(op: Op, modifier: str | None, values: Sequence[Any], subject: Subject, nodes: Nodes) -> Node:
    """`=` or `!=` with a modifier: a value equals as many of the literals as it occurs among them."""
    times = Counter(values)

    def wanted(equal: int) -> bool:
        matching = equal if op is Op.EQ else len(values) - equal
        return {"anyof": matching > 0, "oneof": matching == 1, "allof": matching == len(values)}[str(modifier)]

    present = nodes.leaf(subject, Op.EXISTS)
    if wanted(0):  # then a value that is not among them satisfies it
        return nodes.all([present, nodes.leaf(subject, Op.IN, [v for v, n in times.items() if not wanted(n)], negated=True)])
    return nodes.leaf(subject, Op.IN, [value for value, count in times.items() if wanted(count)])


def _glob_ends(pattern: str, subject: Subject, nodes: Nodes) -> list[Node]:
    """What a glob begins and ends with: cheap to see, and the pattern is not tried where they are not there."""
    prefix, suffix = globs.fixed_ends(pattern)
    ends = [(Op.STARTSWITH, prefix), (Op.ENDSWITH, suffix)]
    return [nodes.leaf(subject, op, [text]) for op, text in ends if text]


_GLOB_SHAPES = {"=": Op.IN, "startswith": Op.STARTSWITH, "endswith": Op.ENDSWITH, "contains": Op.CONTAINS}


def _simple(op: Op, value: Any, subject: Subject, nodes: Nodes) -> Node:
    """One operator and one literal, no modifier."""
    match op:
        case Op.GLOB if simpler := globs.plain_glob(value):
            shape_of_glob, rest = simpler
            if shape_of_glob == "exists":
                return nodes.leaf(subject, Op.EXISTS)
            return nodes.leaf(subject, _GLOB_SHAPES[shape_of_glob], [rest])
        case Op.GLOB if not subject.many:
            return nodes.all([*_glob_ends(value, subject, nodes), nodes.leaf(subject, op, [value])])
        case Op.CONTAINS | Op.ICONTAINS | Op.STARTSWITH | Op.ENDSWITH | Op.BCONTAINS | Op.BSTARTSWITH if not value:
            return nodes.leaf(subject, Op.EXISTS)
        case Op.ICONTAINS:
            return nodes.leaf(subject, op, [text.lower(value)])
        case Op.BCONTAINS:
            return nodes.leaf(subject, Op.CONTAINS, [value])
        case Op.BSTARTSWITH:
            return nodes.leaf(subject, Op.STARTSWITH, [value])
        case _:
            return nodes.leaf(subject, op, [value])
