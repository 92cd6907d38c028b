"""The syntax tree of conditions and rule files: what was written, with the place of each node, nothing resolved.

Both front ends, `.rules` and Falco YAML, end here. Spans take no part in equality, so that two trees are equal when they say
the same.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass, field

from ruleng.lang.source import Source, Span

Modifier = typing.Literal["oneof", "anyof", "allof"]
Dialect = typing.Literal["rules", "falco"]
"""Whose rules hold: ours are errors where Falco is silently wrong, Falco files load as Falco loads them, with a warning."""


NOWHERE = Span(Source("", ""), 0, 0)
"""The place of a node that nobody wrote."""


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)


# --- conditions -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Expr, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Not:
    child: Expr
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Ref:
    """A macro's name."""

    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as text, unescaped (bytes that are no UTF-8 as surrogates). `quoted` ones are never taken as a list's name."""

    text: str
    quoted: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ListLit:
    """`(a, b)`, or in a transformer's argument `(proc.name, "x")`."""

    items: tuple[Literal, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class FieldRef:
    """`proc.aname[2]`: name `proc.aname`, arg `2`."""

    name: str
    arg: str | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class OperandList:
    """A list among a transformer's arguments."""

    items: tuple[Argument, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Call:
    """A transformer: `tolower(proc.name)`, `getopt(proc.args, "t:")[t]`; on the right also `val(fd.name)`."""

    name: str
    args: tuple[Argument, ...]
    arg: str | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Check:
    """`left op right`. `op` as written (`=` and `==` are two); right is None for `exists`."""

    left: FieldRef | Call
    op: str
    right: Literal | ListLit | FieldRef | Call | None
    modifier: Modifier | None = None
    span: Span = _span()


Expr = And | Or | Not | Ref | Check
Argument = FieldRef | Call | Literal | OperandList


# --- files ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """A name or a text with its place: the span's text is this text, character by character.

    A quoted string with escapes, or in several pieces, has a Source of its own whose offsets lead back to the file.
    """

    text: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition's text, and its tree where the front end has parsed it already."""

    source: Source
    expr: Expr | None = None
    span: Span = _span()


Mode = typing.Literal["define", "append", "replace"]


@dataclass(frozen=True, slots=True)
class Import:
    path: Name


@dataclass(frozen=True, slots=True)
class ListDecl:
    name: Name
    items: tuple[Literal, ...]
    mode: Mode
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class MacroDecl:
    name: Name
    condition: Condition
    mode: Mode
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ActionCall:
    """`alert`, `kill(signal=SIGTERM, scope=tree)`, `alert(soc, kafka)`."""

    name: Name
    args: tuple[Name, ...] = ()
    options: tuple[tuple[Name, Name], ...] = ()


@dataclass(frozen=True, slots=True)
class ThrottleDecl:
    """`5 per 1m by container.id`."""

    count: int
    period_ns: int
    by: tuple[FieldRef, ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class ExceptionDecl:
    """`fields` are compared by `comps` with each tuple of `values`; a value may itself be a list.

    `single`: one field, one comparison operator that takes a list, and `values` the items of that list, each in a tuple of its
    own. `comps`, `fields` or `values` are None where the author gave none (an append may carry values only).
    """

    name: Name
    fields: tuple[FieldRef | Call, ...] | None
    comps: tuple[Name, ...] | None
    values: tuple[tuple[Literal | ListLit | Call, ...], ...] | None
    single: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class RuleDecl:
    """A rule, or a change to one defined before. A key that the author did not give is None.

    `modes` says per key, by the name that it has here, how it meets the earlier rule's: `append` or `replace`; empty for a
    definition.
    """

    name: Name
    condition: Condition | None = None
    output: Name | None = None
    desc: Name | None = None
    priority: Name | None = None
    tags: tuple[Name, ...] | None = None
    source: Name | None = None
    enabled: bool | None = None
    actions: tuple[ActionCall, ...] | None = None
    throttle: ThrottleDecl | None = None
    exceptions: tuple[ExceptionDecl, ...] | None = None
    warn_evttypes: bool | None = None
    skip_unknown: bool | None = None  # Falco's skip-if-unknown-filter
    capture: bool | None = None
    capture_duration_ms: int | None = None
    modes: tuple[tuple[str, Mode], ...] = ()
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class EngineVersion:
    """Falco's required_engine_version, checked against the one whose language ruleng speaks."""

    version: Name


Item = Import | ListDecl | MacroDecl | RuleDecl | EngineVersion


@dataclass(frozen=True, slots=True)
class RuleFile:
    source: Source
    items: tuple[Item, ...]
    dialect: Dialect
    broken: tuple[str, ...] = ()
    """Names of lists, macros and rules that could not be read: to use one is not a second mistake."""
