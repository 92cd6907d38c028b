"""Diagnostics put in order for a reader: by file and place, and each mistake once.

A mistake in a macro is found again in each rule that uses the macro; it is shown once, with the names of the rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.source import Span


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file: lines and columns from 1, in characters; the end is past the last character."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    span: Span  # in the file itself, not in a text put together from pieces

    @classmethod
    def of(cls, span: Span) -> Place:
        located = span.located()
        source, start = located.source, min(located.start, len(located.source.text))
        if start == len(source.text):  # the end of a file is the end of its last line, not the empty line after it
            start = len(source.text.rstrip("\n"))
        end = max(start, min(located.end, len(source.text)))
        line, column = source.position(start)
        if end == start or located.start > start:
            return cls(source.name, line, column, line, column, Span(source, start, start))
        last_line, last_column = source.position(end - 1)
        return cls(source.name, line, column, last_line, last_column + 1, Span(source, start, end))


@dataclass(frozen=True, slots=True)
class Finding:
    """`place` is None for a file as a whole; `rules` are the rules, macros and lists in which the mistake was found."""

    diagnostic: Diagnostic
    place: Place | None
    rules: tuple[str, ...]

    @property
    def path(self) -> str:
        return self.place.path if self.place is not None else self.diagnostic.path or ""


def findings(diagnostics: Iterable[Diagnostic]) -> list[Finding]:
    """In the order of the files as they come, then by place; of equal ones the first, with all rules."""
    found: dict[tuple[object, ...], tuple[Diagnostic, Place | None, dict[str, None]]] = {}
    for diagnostic in diagnostics:
        place = None if diagnostic.span is None else Place.of(diagnostic.span)
        where = (diagnostic.path,) if place is None else (place.path, place.span.start, place.span.end)
        key = (diagnostic.code, diagnostic.severity, diagnostic.message, *where)
        _, _, rules = found.setdefault(key, (diagnostic, place, {}))
        if diagnostic.rule is not None:
            rules[diagnostic.rule] = None
    merged = [Finding(diagnostic, place, tuple(rules)) for diagnostic, place, rules in found.values()]
    files = {path: rank for rank, path in enumerate(dict.fromkeys(finding.path for finding in merged))}
    return sorted(merged, key=lambda finding: (files[finding.path], *_order(finding)))


def _order(finding: Finding) -> tuple[int, int, bool, str]:
    place = finding.place
    start, end = (-1, -1) if place is None else (place.span.start, place.span.end)
    return start, end, not finding.diagnostic.is_error, finding.diagnostic.code


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`, of mistakes and not of their repetitions; `no errors` when there is nothing."""
    found = findings(diagnostics)
    errors = sum(finding.diagnostic.is_error for finding in found)
    counts = ((errors, "error"), (len(found) - errors, "warning"))
    return ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count) or "no errors"


def clean(text: str) -> str:
    """The text as valid UTF-8: what was no UTF-8 in the file becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
