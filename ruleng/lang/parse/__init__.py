"""Text to syntax tree: conditions, operands and `.rules` files. In goes a Source; out come a tree and what is wrong.

The grammar is data (grammar/*.lark); Lark is known in this package only. No text is too deep or too long for it: nothing is
recursive, and time is linear in the text.
"""

from __future__ import annotations

from ruleng.lang.ast import Call, Expr, FieldRef
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.parse.conditions import Conditions
from ruleng.lang.parse.reader import read
from ruleng.lang.source import Source

__all__ = ["parse_condition", "parse_operand"]

MAX_DEPTH = 1000
"""Falco's limit for the conditions of rules, counted as Falco counts: 199 parentheses inside each other."""


def parse_condition(source: Source, *, max_depth: int = MAX_DEPTH) -> tuple[Expr | None, list[Diagnostic]]:
    """The tree of a condition; None with an error, and there may be warnings with a tree."""
    reading = read("condition", source, max_depth)
    if reading.tree is None:
        return None, reading.diagnostics
    build = Conditions(source)
    expr: Expr = build.transform(reading.tree)
    return (None if build.failed else expr), build.diagnostics


def parse_operand(source: Source) -> tuple[FieldRef | Call | None, list[Diagnostic]]:
    """The tree of a text that is one field or one transformer."""
    reading = read("operand", source, MAX_DEPTH)
    if reading.tree is None:
        return None, reading.diagnostics
    build = Conditions(source)
    operand: FieldRef | Call = build.transform(reading.tree)
    return (None if build.failed else operand), build.diagnostics
