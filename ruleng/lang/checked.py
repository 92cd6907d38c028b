"""The checked tree: what the engine compiles and the interpreter runs. Names are resolved, values have their field's type.

Made by `ruleng.lang.check`; nothing after it knows which front end a rule came from. Hashable, and spans take no part in
equality, so equal subtrees of different rules are one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from ruleng.alert import Priority
from ruleng.fields.types import Field, FieldType
from ruleng.lang.ast import Modifier
from ruleng.lang.source import Span

Value = Hashable
"""A literal in its field's type: str, bytes, int, bool, float; an address as int; a network as (mask, bits), so that
`address & mask == bits`."""


def _span() -> Span | None:
    return field(default=None, compare=False, repr=False)


class Op(StrEnum):
    EXISTS = "exists"
    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    CONTAINS = "contains"
    ICONTAINS = "icontains"
    BCONTAINS = "bcontains"
    STARTSWITH = "startswith"
    BSTARTSWITH = "bstartswith"
    ENDSWITH = "endswith"
    GLOB = "glob"
    IGLOB = "iglob"
    REGEX = "regex"
    IN = "in"
    INTERSECTS = "intersects"
    PMATCH = "pmatch"


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field with its argument."""

    field: Field
    arg: str | None = None
    span: Span | None = _span()

    @property
    def type(self) -> FieldType:
        return self.field.type

    @property
    def is_list(self) -> bool:
        return self.field.is_list


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal argument of a transformer."""

    value: Value
    type: FieldType = FieldType.STRING
    is_list: bool = False
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class OperandTuple:
    """A list argument of a transformer, `(proc.name, "x")`."""

    items: tuple[Operand, ...]
    type: FieldType = FieldType.STRING
    is_list: bool = True
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Apply:
    """A transformer applied: tolower, toupper, b64, basename, len, join, concat, getopt. `val` leaves no trace."""

    function: str
    args: tuple[Operand, ...]
    type: FieldType
    is_list: bool = False
    arg: str | None = None  # getopt(...)[x]
    span: Span | None = _span()


Operand = FieldUse | Constant | OperandTuple | Apply


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison.

    `values` for in, intersects, pmatch and with a modifier: the list; for the other operators one value; for exists none.
    `right` instead of values: a field or transformer to compare with.
    Missing data on either side makes the test false, whatever the operator.
    """

    left: Operand
    op: Op
    values: tuple[Value, ...] = ()
    right: Operand | None = None
    modifier: Modifier | None = None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class All:
    children: tuple[Checked, ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class AnyOf:
    children: tuple[Checked, ...]
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Negate:
    child: Checked
    span: Span | None = _span()


Checked = All | AnyOf | Negate | Test


# --- rules ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutputField:
    """`%proc.name`, `%12proc.name` (padded or cut to 12), `%toupper(proc.name)`; `text` is what stands after the percent sign."""

    operand: Operand
    text: str
    width: int | None = None
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Output:
    """An output's template: texts and fields in order."""

    parts: tuple[str | OutputField, ...]


ActionName = Literal["alert", "log", "kill", "stop", "freeze", "deny"]


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule wants done; options as the language has them: signal (int), scope, errno (int), sinks."""

    name: ActionName
    signal: int | None = None
    scope: Literal["process", "tree", "container"] = "process"
    errno: int | None = None
    sinks: tuple[str, ...] = ()
    span: Span | None = _span()


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most `count` alerts in `period_ns` for each value of `by`."""

    count: int
    period_ns: int
    by: tuple[FieldUse, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, complete and correct."""

    name: str
    condition: Checked  # with exceptions folded in
    output: Output
    priority: Priority
    desc: str = ""
    tags: tuple[str, ...] = ()
    source: str = "syscall"
    enabled: bool = True
    actions: tuple[Action, ...] = (Action("alert"),)
    throttle: Throttle | None = None
    text: str = ""  # the condition in canonical form, macros and lists put in
    meta: dict[str, Any] = field(default_factory=dict, compare=False)  # exception_names, capture, fields of Falco's describe
    span: Span | None = _span()
