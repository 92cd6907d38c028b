"""Estimates that order tests: how long one takes, in attribute look-ups (about 10 ns), and how often it is true.

Wrong guesses cost time, never meaning. Measured profiles instead of these guesses gained nothing on real rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ruleng.fields.types import FieldType
from ruleng.lang.checked import Op

if TYPE_CHECKING:
    from ruleng.engine.nodes import Kind, Node

CALL = 4.0
"""A call of a Python function."""

OPAQUE = 300.0
"""A test that the interpreter does."""

CHAIN = 16
"""Substrings looked for one after the other; more of them are one search by RE2, whose call costs as much as these do."""

_FIXED = MappingProxyType(
    {
        Op.EXISTS: 0.7,
        Op.EQ: 1.0,
        Op.NE: 1.0,
        Op.LT: 1.0,
        Op.LE: 1.0,
        Op.GT: 1.0,
        Op.GE: 1.0,
        Op.IN: 1.0,
        Op.INTERSECTS: 6.0,
        Op.STARTSWITH: 4.0,
        Op.ENDSWITH: 4.0,
        Op.ICONTAINS: 8.0,
        Op.PMATCH: 20.0,
    }
)
_EACH = MappingProxyType(
    {
        Op.STARTSWITH: 0.15,
        Op.ENDSWITH: 0.15,
        Op.CONTAINS: 2.5,
        Op.ICONTAINS: 2.5,
        Op.GLOB: 25.0,
        Op.IGLOB: 25.0,
        Op.REGEX: 150.0,
        Op.PMATCH: 0.3,
    }
)
_CHANCES = MappingProxyType(
    {
        Op.EXISTS: 0.9,
        Op.STARTSWITH: 0.02,
        Op.ENDSWITH: 0.02,
        Op.CONTAINS: 0.02,
        Op.ICONTAINS: 0.02,
        Op.GLOB: 0.02,
        Op.IGLOB: 0.02,
        Op.REGEX: 0.02,
        Op.PMATCH: 0.05,
        Op.INTERSECTS: 0.1,
        Op.IN: 0.02,
        Op.EQ: 0.1,
        Op.NE: 0.9,
    }
)
_COMMON = MappingProxyType(
    {
        ("container.id", "host"): 0.7,
        ("fd.typechar", "f"): 0.7,
        ("fd.type", "file"): 0.7,
        ("evt.res", "SUCCESS"): 0.9,
        ("evt.failed", False): 0.9,
        ("evt.is_open_read", True): 0.8,
        ("evt.is_open_write", True): 0.15,
        ("fd.l4proto", "tcp"): 0.6,
        ("fd.connected", True): 0.6,
        ("user.uid", 0): 0.5,
        ("user.name", "root"): 0.5,
    }
)
"""Values that most events of a host have."""
_COMMON_FIELDS = frozenset(name for name, _ in _COMMON)


def of_test(op: Op, count: int, reading: float, type: FieldType, *, many: bool) -> float:
    """Of a test with `count` literals on an operand that takes `reading`."""
    if type is FieldType.IPNET and op is Op.IN:
        return reading + 2.0 * count
    if op in (Op.CONTAINS, Op.ICONTAINS) and count > CHAIN:
        count = CHAIN
    return reading + _FIXED.get(op, 0.0) + _EACH.get(op, 0.0) * count + (5.0 if many else 0.0)


def chance(op: Op, name: str, values: Sequence[Any], type: FieldType) -> float:
    """That the test is true of an event which has the field's type."""
    if op in (Op.GT, Op.GE):
        return 0.9 if values and values[0] <= 0 else 0.5
    if op in (Op.LT, Op.LE):
        return 0.1 if values and values[0] <= 0 else 0.5
    each = _CHANCES[op]
    if op is Op.IN and type in (FieldType.IPNET, FieldType.BOOL):
        each = 0.3
    if not values:
        return each
    rare = min(each, 0.1 / len(values))
    if name not in _COMMON_FIELDS:
        return rare * len(values)
    return min(0.95, sum(_COMMON.get((name, value), rare) for value in values))


def of_group(kind: Kind, children: Sequence[Node]) -> float:
    """Expected, with short circuit."""
    total, reached = 0.0, 1.0
    for child in children:
        total += reached * child.cost
        reached *= child.chance if kind == "and" else 1 - child.chance
    return total


def chance_of_group(kind: Kind, children: Sequence[Node]) -> float:
    reached = 1.0
    for child in children:
        reached *= child.chance if kind == "and" else 1 - child.chance
    return reached if kind == "and" else 1 - reached


def order(kind: Kind, nodes: Sequence[Node]) -> list[Node]:
    """The order that decides soonest: by cost over the chance to decide."""

    def rank(node: Node) -> tuple[float, int]:
        decides = 1 - node.chance if kind == "and" else node.chance
        return node.cost / max(decides, 1e-3), node.id

    return sorted(nodes, key=rank)
