"""Operands of a test: the Python expressions that read fields, and the values that they give for an event.

`Field.read` speaks of `e`, `p`, `f`, `c` and of the functions in `ruleng.fields.read`. This module turns a use of a field
into that expression; the compiler puts it into its code, `value` evaluates it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, SimpleNamespace
from typing import Any, assert_never

from ruleng.engine.functions import FUNCTIONS, items
from ruleng.engine.walk import fold
from ruleng.event import Event
from ruleng.fields import read
from ruleng.fields.types import Quantifier
from ruleng.lang.checked import Apply, Constant, FieldUse, Operand, OperandTuple


@functools.cache
def namespace() -> Mapping[str, Any]:
    """The names that expressions may use: those of `ruleng.fields.read`, and transformers as fn_NAME."""
    names = {name: value for name, value in vars(read).items() if not name.startswith("__")}
    names |= {f"fn_{name}": function for name, function in FUNCTIONS.items()}
    names["items"] = items
    return MappingProxyType(names)


def expression(use: FieldUse) -> str | None:
    """The Python expression that reads the field; None when no source fills it."""
    if use.arg is not None and use.field.read_arg is not None:
        return use.field.read_arg(use.arg)
    return use.field.read


def name(use: FieldUse) -> str:
    """As a rule writes it: `proc.name`, `proc.aname[2]`, `evt.arg.flags`."""
    if use.arg is None:
        return use.field.name
    return f"{use.field.name}.{use.arg}" if use.field.dotted and not use.arg.isdecimal() else f"{use.field.name}[{use.arg}]"


def describe(operand: Operand) -> str:
    """An operand as a rule writes it."""

    def combine(node: Operand, below: list[str]) -> str:
        inside = ", ".join(below)
        match node:
            case FieldUse():
                return name(node)
            case Constant():
                return f'"{node.value}"'
            case OperandTuple():
                return f"({inside})"
            case Apply():
                return f"{node.function}({inside})" + ("" if node.arg is None else f"[{node.arg}]")
            case _:
                assert_never(node)

    return fold(operand, children, combine)


def quantifier(use: FieldUse) -> Quantifier:
    """A field that looks at many values looks at one of them when an argument says which."""
    return use.field.quantifier if use.arg is None else "one"


def children(operand: Operand) -> Sequence[Operand]:
    match operand:
        case Apply():
            return operand.args
        case OperandTuple():
            return operand.items
        case FieldUse() | Constant():
            return ()
        case _:
            assert_never(operand)


def fields(operand: Operand) -> list[FieldUse]:
    """The fields in an operand, in the order written."""

    def combine(node: Operand, below: list[list[FieldUse]]) -> list[FieldUse]:
        return [node] if isinstance(node, FieldUse) else [use for uses in below for use in uses]

    return fold(operand, children, combine)


def carries(use: FieldUse, event_type: str) -> bool:
    """Whether events of that type have the field at all; where not, it is missing."""
    return use.field.event_types is None or event_type in use.field.event_types


def value(operand: Operand, event: Event) -> Any:
    """The operand's value for this event, None when it is missing."""

    def combine(node: Operand, below: list[Any]) -> Any:
        match node:
            case FieldUse():
                text = expression(node)
                return reader(text)(event) if text is not None and carries(node, event.type) else None
            case Constant():
                return node.value
            case OperandTuple():
                return items(*below)
            case Apply():
                if node.arg is not None:
                    below.append(node.arg)
                return FUNCTIONS[node.function](*below)
            case _:
                assert_never(node)

    return fold(operand, children, combine)


@functools.lru_cache(maxsize=8192)  # of a pure function: an expression always reads the same
def reader(text: str) -> Callable[[Event], Any]:
    """A function of an event that evaluates the expression."""
    source = f"lambda e, p, f, c: ({text})"
    read_event = eval(source, dict(namespace()))  # noqa: S307  # expressions come from the catalogue, never from a rule
    return lambda event: read_event(event, event.proc, event.fd, event.proc.container)


@functools.lru_cache(maxsize=1024)
def reader_of_type(text: str) -> Callable[[str], Any]:
    """A function of an event's type, for an expression that needs nothing else of the event."""
    read_type = eval(f"lambda e: ({text})", dict(namespace()))  # noqa: S307  # from the catalogue
    return lambda event_type: read_type(SimpleNamespace(type=event_type))
