"""What cannot be read: mistakes of syntax, in conditions (R010x, R011x) and in rule files (R013x and up)."""

from __future__ import annotations

from ruleng.lang.diagnostics import Diagnostic, Label
from ruleng.lang.mistakes import Explanation
from ruleng.lang.source import Span


def unexpected(span: Span, found: str, wanted: str, *, help: str | None = None) -> Diagnostic:
    return Diagnostic(
        code="R0101",
        severity="error",
        message=f"found {found}, wanted {wanted}",
        span=span,
        label=f"wanted {wanted}",
        help=help,
    )


def too_deep(span: Span, levels: int) -> Diagnostic:
    return Diagnostic(
        code="R0109",
        severity="error",
        message=f"more than {levels} parentheses inside each other",
        span=span,
        label="one too many",
    )


def bad_escape(span: Span) -> Diagnostic:
    return Diagnostic(code="R0106", severity="error", message=f"`{span.text}` is no escape", span=span, label="no escape")


CODES: dict[str, Explanation] = {}
_ = Label
