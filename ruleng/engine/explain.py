"""Why a rule does or does not match an event: the value of every part of its condition, and the part that decides.

Parts are rows in the order of the condition, each with its depth: conditions nest deeper than JSON encoders follow. What
short circuit would leave out has no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from ruleng.engine import interpret, operands, shown
from ruleng.event import Event
from ruleng.fields.types import FieldType
from ruleng.fields.values import to_json
from ruleng.lang.checked import All, AnyOf, Checked, FieldUse, Negate, Operand, Rule, Test
from ruleng.lang.source import Span

_DEEPEST = 40
"""Levels of indentation; deeper rows stand at this one."""

_MARKS = {True: "true ", False: "false", None: "-    "}


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the condition."""

    depth: int
    kind: Literal["all", "any", "not", "test"]
    text: str  # of a test as a rule writes it
    value: bool | None  # None: not evaluated
    seen: tuple[tuple[str, Any, FieldType, bool], ...] = ()  # what a test looked at: name, value, type, whether events have it
    place: str | None = None  # FILE:LINE:COLUMN


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdict` is whether the rule matches; `decisive` the number of the row that made it fail, if one did."""

    rule: str
    verdict: bool
    rows: tuple[Row, ...]
    decisive: int | None = None
    note: str | None = None  # a reason that is not in the condition

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": shown.readable(self.rule),
            "verdict": self.verdict,
            "note": self.note,
            "decisive": self.decisive,
            "rows": [
                {
                    "depth": row.depth,
                    "kind": row.kind,
                    "text": row.text,
                    "value": row.value,
                    "seen": {shown.readable(name): to_json(value, type) for name, value, type, _ in row.seen},
                    "place": row.place,
                }
                for row in self.rows
            ],
        }

    def __str__(self) -> str:
        """The rows as a tree, for a terminal."""
        lines = [f"rule `{shown.readable(self.rule)}` {'matches' if self.verdict else 'does not match'}"]
        if self.note:
            lines[0] += f": {self.note}"
        for number, row in enumerate(self.rows):
            line = f"  {_MARKS[row.value]} {'  ' * min(row.depth, _DEEPEST)}{row.text}"
            seen = "; ".join(_told(*look) for look in row.seen)
            line += f"    [{seen}]" if seen else ""
            lines.append(line + ("    <-- this fails" if number == self.decisive else ""))
        return "\n".join(lines)


def explain(rule: Rule, event: Event) -> Explanation:
    """What the interpreter finds for the rule's condition and the event."""
    parts = _parts(rule.condition, event)
    rows = tuple(_row(part, event) for part in parts)
    verdict = parts[0].holds and rule.source == event.source
    note = None if rule.source == event.source else f"it is for events of source {rule.source}, this one is of {event.source}"
    return Explanation(rule.name, verdict, rows, None if parts[0].holds else _decisive(parts), note)


@dataclass(slots=True)
class _Part:
    node: Checked
    depth: int
    children: list[int]  # numbers of their parts
    holds: bool = False
    evaluated: bool = False


def _parts(root: Checked, event: Event) -> list[_Part]:
    """The parts in the order of the condition, each before what is in it."""
    parts: list[_Part] = []
    waiting: list[tuple[Checked, int, int | None]] = [(root, 0, None)]
    while waiting:
        node, depth, parent = waiting.pop()
        if parent is not None:
            parts[parent].children.append(len(parts))
        waiting.extend((child, depth + 1, len(parts)) for child in reversed(interpret.children(node)))
        parts.append(_Part(node, depth, []))
    for part in reversed(parts):
        part.holds = _holds(part.node, [parts[number].holds for number in part.children], event)
    _mark_evaluated(parts)
    return parts


def _holds(node: Checked, below: Sequence[bool], event: Event) -> bool:
    match node:
        case All():
            return all(below)
        case AnyOf():
            return any(below)
        case Negate():
            return not below[0]
        case Test():
            return interpret.test_holds(node, event)
        case _:
            assert_never(node)


def _mark_evaluated(parts: Sequence[_Part]) -> None:
    """From left to right until the group's value is known."""
    waiting = [0]
    while waiting:
        part = parts[waiting.pop()]
        part.evaluated = True
        for number in part.children:
            waiting.append(number)
            if parts[number].holds is isinstance(part.node, AnyOf) and not isinstance(part.node, Negate):
                break


def _decisive(parts: Sequence[_Part]) -> int:
    """The conjunct that fails: down through groups of which one part is enough to fail them."""
    number = 0
    while isinstance(parts[number].node, All):
        number = next(child for child in parts[number].children if not parts[child].holds)
    return number


def _row(part: _Part, event: Event) -> Row:
    value = part.holds if part.evaluated else None
    match part.node:
        case All():
            return Row(part.depth, "all", "all of", value)
        case AnyOf():
            return Row(part.depth, "any", "any of", value)
        case Negate():
            return Row(part.depth, "not", "not", value)
        case Test() as test:
            seen = tuple(look for side in (test.left, test.right) if side is not None for look in _looks(side, event))
            return Row(part.depth, "test", shown.comparison(test), value, seen if part.evaluated else (), _place(test.span))
        case _:
            assert_never(part.node)


def _looks(operand: Operand, event: Event) -> list[tuple[str, Any, FieldType, bool]]:
    """The operand's value, and those of the fields that a transformer made it of."""
    sides: list[Operand] = [operand] if isinstance(operand, FieldUse) else [operand, *operands.fields(operand)]
    return [(operands.describe(side), operands.value(side, event), side.type, _is_carried(side, event)) for side in sides]


def _is_carried(operand: Operand, event: Event) -> bool:
    return all(operands.carries(use, event.type) for use in operands.fields(operand))


def _told(name: str, value: Any, type: FieldType, carried: bool) -> str:
    if not carried:
        return f"events of this type have no {shown.readable(name)}"
    if value is None:
        return f"{shown.readable(name)} is missing"
    return f"{shown.readable(name)} is {_quoted(value, type)}"


def _quoted(value: Any, type: FieldType) -> str:
    if isinstance(value, (tuple, list)):
        return f"({', '.join(_quoted(item, type) for item in value)})"
    if value is None:
        return "missing"
    return f'"{shown.readable(value)}"' if isinstance(value, str) else shown.printed(value, type)


def _place(span: Span | None) -> str | None:
    if span is None:
        return None
    located = span.located()
    line, column = located.source.position(located.start)
    return f"{located.source.name}:{line}:{column}"
