"""Subjects: what tests look at, each with the Python expression that reads it.

Fields that read the same way (proc.pname and proc.aname[1], fd.sip and one end of fd.ip) are one subject, so that tests of them
meet.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from ruleng.engine import cost, functions, operands
from ruleng.engine.walk import fold
from ruleng.fields.types import FieldType
from ruleng.lang.checked import Apply, Constant, FieldUse, Operand, OperandTuple

MANY_DEEP = 20
"""Transformers nested deeper than this are left to the interpreter: Python's own parser takes 200 parentheses."""

EVENT_NAMES = frozenset("epfc")
"""What expressions of fields call the event and its parts."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    id: int
    label: str  # an identifier made of the catalogue's words
    name: str  # as rules write it: proc.name, proc.aname[2]
    text: str  # the Python expression that reads it
    type: FieldType
    is_list: bool = False
    many: bool = False  # several values at once, one of which must satisfy a test
    nullable: bool = True
    types: frozenset[str] | None = None  # the event types that carry it; for all others it is missing
    cost: float = 1.0

    @property
    def narrows(self) -> bool:
        """Whether it has one value, which equals at most one literal."""
        return not self.many and not self.is_list and self.type not in (FieldType.IPNET, FieldType.DYNAMIC)


class Subjects:
    """Where equal subjects meet. For the rules of one RuleSet."""

    def __init__(self, ids: Iterator[int]) -> None:
        self._ids = ids
        self._known: dict[Hashable, Subject] = {}
        self._of_fields: dict[tuple[str, str | None], Subject] = {}

    def of(self, operand: Operand) -> Subject:
        """The subject of a field, a constant or a transformer; of a field with two ends the whole."""
        if not isinstance(operand, FieldUse):
            return self._of(operand)
        key = (operand.field.name, operand.arg)
        if (known := self._of_fields.get(key)) is None:
            known = self._of_fields[key] = self._of(operand)
        return known

    def _of(self, operand: Operand) -> Subject:
        uses = operands.fields(operand)
        text = expression(operand)
        return self._make(
            label(operand),
            operands.describe(operand),
            text,
            operand.type,
            is_list=operand.is_list,
            many=isinstance(operand, FieldUse) and operands.quantifier(operand) == "any",
            nullable=any(use.field.nullable for use in uses) or _may_fail(operand),
            types=carriers(uses),
            cost=sum(use.field.cost for use in uses) + cost.CALL * shape(text).calls,
        )

    def ends(self, whole: Subject) -> list[Subject]:
        """Both ends of a field that looks at two; empty where its expression does not spell them out."""
        return [
            self._make(f"{whole.label}_{place}", f"{whole.name}.{place}", text, whole.type, types=whole.types, cost=whole.cost / 2)
            for place, text in enumerate(shape(whole.text).ends)
        ]

    def event_source(self) -> Subject:
        """Falco's event source, which each rule is for one of."""
        return self._make("evt_source", "evt.source", "e.source", FieldType.STRING, nullable=False)

    def unread(self, uses: Iterable[FieldUse]) -> Subject:
        """Stands for what the interpreter looks at."""
        return Subject(next(self._ids), "", "", "None", FieldType.STRING, types=carriers(uses))

    def _make(
        self,
        label: str,
        name: str,
        text: str,
        type: FieldType,
        *,
        is_list: bool = False,
        many: bool = False,
        nullable: bool = True,
        types: frozenset[str] | None = None,
        cost: float = 1.0,
    ) -> Subject:
        key = (text, type, is_list, many, nullable, types)
        if key not in self._known:
            self._known[key] = Subject(next(self._ids), label, name, text, type, is_list, many, nullable, types, cost)
        return self._known[key]


def ids() -> Iterator[int]:
    """Numbers in the order of making: what sorts nodes where nothing else does, the same in every run."""
    return itertools.count()


def carriers(uses: Iterable[FieldUse]) -> frozenset[str] | None:
    """The event types that carry all of these fields; None for every type."""
    limits = [use.field.event_types for use in uses if use.field.event_types is not None]
    return limits[0].intersection(*limits[1:]) if limits else None


def depth(operand: Operand) -> int:
    """How many transformers are nested in it."""

    def combine(node: Operand, below: list[int]) -> int:
        return 1 + max(below, default=0) if isinstance(node, Apply | OperandTuple) else 0

    return fold(operand, operands.children, combine)


def _may_fail(operand: Operand) -> bool:
    """Whether a transformer in it gives nothing for some arguments."""

    def combine(node: Operand, below: list[bool]) -> bool:
        return (isinstance(node, Apply) and node.function in functions.FAILING) or any(below)

    return fold(operand, operands.children, combine)


# --- expressions --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """What the text of an expression tells."""

    names: frozenset[str]
    fixed: bool  # it needs nothing of the event but its type
    atom: bool  # it needs no parentheses
    ends: tuple[str, ...]  # of a tuple written out, its items
    calls: int


_ATOMS = ast.Attribute | ast.Call | ast.Name | ast.Constant | ast.Subscript | ast.ListComp | ast.SetComp | ast.Tuple


@functools.lru_cache(maxsize=8192)  # of a pure function
def shape(text: str) -> Shape:
    tree = ast.parse(text, mode="eval").body
    names, of_type, calls = [], 0, 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names.append(node.id)
        elif isinstance(node, ast.Call):
            calls += 1
        elif isinstance(node, ast.Attribute) and node.attr == "type" and isinstance(node.value, ast.Name) and node.value.id == "e":
            of_type += 1
    fixed = not {"p", "f", "c"} & set(names) and names.count("e") == of_type
    ends = tuple(in_parentheses(ast.unparse(item)) for item in tree.elts) if isinstance(tree, ast.Tuple) else ()
    return Shape(frozenset(names), fixed, isinstance(tree, _ATOMS), ends, calls)


def in_parentheses(text: str) -> str:
    return text if shape(text).atom else f"({text})"


def expression(operand: Operand) -> str:
    """The Python expression of an operand, transformers included."""

    def combine(node: Operand, below: list[str]) -> str:
        match node:
            case FieldUse():
                return operands.expression(node) or "None"
            case Constant():
                return repr(node.value)
            case OperandTuple():
                return f"items({', '.join(below)})"
            case Apply():
                return f"fn_{node.function}({', '.join(below if node.arg is None else [*below, repr(node.arg)])})"
            case _:
                assert_never(node)

    return fold(operand, operands.children, combine)


def label(operand: Operand) -> str:
    """A name for what the operand gives. What a rule's author wrote in brackets goes into it only where it is a number."""
    uses = operands.fields(operand)
    words = uses[0].field.name.replace(".", "_") if uses else "value"
    if isinstance(operand, FieldUse):
        arg = operand.arg or ""
        return f"{words}_{int(arg)}" if arg.isascii() and arg.isdecimal() else words
    return f"{operand.function}_{words}" if isinstance(operand, Apply) else words
