"""Conditions as people write them: text that reads back as the same tree, over several lines where one is too long.

Not canonical: that is `ruleng.lang.format.format_condition`, which prints as Falco does, and not everything reads back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import assert_never

from ruleng.lang.ast import And, Argument, Call, Check, Expr, FieldRef, ListLit, Literal, Not, OperandList, Or, Ref
from ruleng.lang.escapes import quote

WIDTH = 120
"""Columns that a line may have."""

_BARE = re.compile(r"""(?!#|(?:oneof|anyof|allof)$)[^()"'\s\x00-\x1f\x7f\ufeff=,]+""")
_ARGUMENT = re.compile(r"""[^][\"'\s\x00-\x1f\x7f]+""")


def write_condition(expr: Expr) -> str:
    """In one line, with no parentheses around the whole."""
    match expr:
        case And(children):
            return " and ".join(map(_inside, children))
        case Or(children):
            return " or ".join(map(_inside, children))
        case Not(child):
            return f"not ({write_condition(child)})" if isinstance(child, Not) else f"not {_inside(child)}"  # two would cancel
        case Ref("not"):
            return "(not)"  # a macro may be called so; followed by a blank it would negate
        case Ref(name):
            return name
        case Check(left, op, None):
            return f"{write_operand(left)} {op}"
        case Check(_, _, ListLit(items)):
            return _before_list(expr) + ", ".join(map(write_value, items)) + ")"
        case Check(left, op, right, modifier):
            words = (write_operand(left), op, modifier, write_operand(right) if right else None)
            return " ".join(word for word in words if word)
        case _:
            assert_never(expr)


def write_operand(node: Argument | ListLit) -> str:
    """A field, a transformer, one of its arguments, or the right side of a check."""
    match node:
        case FieldRef(name, arg):
            return name + _bracketed(arg)
        case Call(name, args, arg):
            return f"{name}({', '.join(map(write_operand, args))}){_bracketed(arg)}"
        case OperandList(items) | ListLit(items):
            return f"({', '.join(map(write_operand, items))})"
        case Literal():
            return write_value(node)
        case _:
            assert_never(node)


def write_value(value: Literal) -> str:
    """In quotes if it had them or cannot do without."""
    return value.text if not value.quoted and _BARE.fullmatch(value.text) else quote(value.text)


def lay_out(expr: Expr, column: int) -> list[str]:
    """The lines of a condition that begins in this column, counted from 0; those after the first are not indented yet."""
    line = write_condition(expr)
    if column + len(line) <= WIDTH:
        return [line]
    match expr:
        case And(children):
            return lay_out_joined([("", children[0]), *(("and ", child) for child in children[1:])], column)
        case Or(children):
            return lay_out_joined([("", children[0]), *(("or ", child) for child in children[1:])], column)
        case Not(And() | Or() | Check() as child):
            return _hang("not ", _lay_out_inside(child, column + 4))
        case Check(_, _, ListLit(items)):
            before = _before_list(expr)
            return _hang(before, fill([write_value(item) for item in items], ")", column + len(before)))
        case _:
            return [line]


def lay_out_joined(children: Iterable[tuple[str, Expr]], column: int) -> list[str]:
    """Children under each other, each with the word that joins it to those before."""
    lines: list[str] = []
    for word, child in children:
        lines += _hang(word, _lay_out_inside(child, column + len(word)))
    return lines


def fill(words: Sequence[str], end: str, column: int) -> list[str]:
    """Words with commas between them and `end` behind, as many in a line as fit."""
    if not words:
        return [end]
    lines = [""]
    for index, word in enumerate(words):
        text = word + (end if index == len(words) - 1 else ",")
        if not lines[-1]:
            lines[-1] = text
        elif column + len(lines[-1]) + 1 + len(text) <= WIDTH:
            lines[-1] += " " + text
        else:
            lines.append(text)
    return lines


def _before_list(check: Check) -> str:
    return " ".join(filter(None, (write_operand(check.left), check.op, check.modifier))) + " ("


def _inside(expr: Expr) -> str:
    return f"({write_condition(expr)})" if isinstance(expr, And | Or) else write_condition(expr)


def _lay_out_inside(expr: Expr, column: int) -> list[str]:
    if not isinstance(expr, And | Or):
        return lay_out(expr, column)
    lines = _hang("(", lay_out(expr, column + 1))
    lines[-1] += ")"
    return lines


def _hang(before: str, lines: list[str]) -> list[str]:
    """Lines behind a word, the later ones below the first."""
    return [before + lines[0], *(" " * len(before) + line for line in lines[1:])]


def _bracketed(arg: str | None) -> str:
    if arg is None:
        return ""
    return f"[{arg if _ARGUMENT.fullmatch(arg) else quote(arg)}]"
