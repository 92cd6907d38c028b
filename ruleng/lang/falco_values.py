"""What a text means as a value in a Falco file: an item of a list, a value of an exception.

Falco puts such a text into a condition as it stands, in double quotes when it holds a blank, and reads the condition then.
Here each text is read alone and becomes a node of the tree. What breaks Falco's condition is an error; what Falco silently
splits at a comma stays one value, with a warning.
"""

from __future__ import annotations

import re

from ruleng.lang.ast import Call, Check, ListLit, Literal, Name
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.escapes import unescape
from ruleng.lang.mistakes import falco as mistakes
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Piece, Source

BARE = re.compile(r"""[^()"' \t\n\x0b\f\r=,]+""")  # as in grammar/condition.lark
_QUOTED = re.compile(r"""(["'])(?:(?!\1)[^\0]|(?<=\\)\1)*(?<!\\)\1""")
_CALL = re.compile(r"[a-z0-9]+\(")

Value = Literal | ListLit | Call


def item(text: Name) -> tuple[Literal | None, list[Diagnostic]]:
    """An item of a list. A name of another list is a Literal like others; what holds a blank or quotes never names one."""
    if BARE.fullmatch(text.text):
        return Literal(text.text, False, text.span), []
    if " " in text.text or text.text[:1] in {'"', "'"}:
        return _quoted(text)
    parts = text.text.split(",")
    if all(BARE.fullmatch(part) for part in parts):
        return Literal(text.text, True, text.span), [mistakes.split_by_falco(text.span, text.text, len(parts))]
    return None, [mistakes.breaks_condition(text.span, text.text)]


def tuple_value(text: Name) -> tuple[Value | None, list[Diagnostic]]:
    """A value in a tuple of an exception.

    What it means can depend on the operator: `a, b` is a list to `in` and a text to `=`. Then the Literal is unquoted though
    it holds a blank or comma, and `for_list` or `for_text` decides.
    """
    if text.text.startswith("("):
        return _right("in", text)
    if text.text[:1] in {'"', "'"} and not _QUOTED.fullmatch(text.text):
        return _right("in", text, parentheses=True)
    if _CALL.match(text.text) and " " not in text.text:
        return _right("=", text)
    if text.text[:1] not in {'"', "'"} and (" " in text.text or "," in text.text):
        return Literal(text.text, False, text.span), []
    return item(text)


def for_list(value: Literal) -> tuple[Value | None, list[Diagnostic]]:
    """A value in a tuple, beside an operator that takes a list."""
    if value.quoted or BARE.fullmatch(value.text):
        return ListLit((value,), value.span), []
    return _right("in", Name(value.text, value.span), parentheses=True)


def for_text(value: Literal) -> tuple[Literal | None, list[Diagnostic]]:
    """A value in a tuple, beside an operator that takes one value."""
    if value.quoted or BARE.fullmatch(value.text):
        return value, []
    if " " in value.text:
        return _quoted(Name(value.text, value.span))
    return None, [mistakes.breaks_condition(value.span, value.text)]


def _quoted(text: Name) -> tuple[Literal | None, list[Diagnostic]]:
    given = text.text[:1] in {'"', "'"}
    quoted = text.text if given else f'"{text.text}"'
    if not _QUOTED.fullmatch(quoted):
        return None, [mistakes.breaks_condition(text.span, text.text)]
    read = unescape(quoted)
    if read.problems:
        return None, [mistakes.breaks_condition(text.span, text.text)]
    return Literal(read.text, True, text.span), []


def _right(op: str, text: Name, *, parentheses: bool = False) -> tuple[Value | None, list[Diagnostic]]:
    """The text as the right side of a comparison, by the parser of conditions."""
    before, after = f"x.x {op} {'(' if parentheses else ''}", ")" if parentheses else ""
    span, length = text.span, len(text.text)
    pieces = (
        Piece(0, span.source, [span.start] * len(before)),
        Piece(len(before), span.source, range(span.start, span.start + length)),
        Piece(len(before) + length, span.source, [max(span.start, span.end - 1)] * len(after)),
    )
    expr, _ = parse_condition(Source(span.source.name, before + text.text + after, pieces))
    if isinstance(expr, Check) and isinstance(expr.right, Literal | ListLit | Call):
        return expr.right, []
    return None, [mistakes.breaks_condition(span, text.text)]
