"""Outputs: `shell by %user.name: %12proc.name` to texts and fields, as Falco reads them (libsinsp eventformatter.cpp).

After a percent sign stands an optional width and then the longest text that is a field or a transformer; what follows is
text again. A percent sign cannot be written alone. In goes the text with its place, out come the template, or None, and the
diagnostics, one for each percent sign that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ruleng.fields.types import Catalogue
from ruleng.lang.ast import Call, Dialect, FieldRef, Name
from ruleng.lang.checked import Operand, Output, OutputField
from ruleng.lang.conditions import MAX_TRANSFORMERS, Checker
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.functions import FUNCTIONS
from ruleng.lang.lookup import MAX_NAME, find
from ruleng.lang.mistakes import outputs as mistakes
from ruleng.lang.parse import parse_operand
from ruleng.lang.source import Piece, Source, Span

MAX_WIDTH = 4096
"""Each alert would be padded to it; Falco's own values end at PATH_MAX too."""

_CONTAINER_INFO = "container.info"
_WIDTH = re.compile("[0-9]+", re.ASCII)
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*(\.[a-zA-Z0-9_]+)+", re.ASCII)
_CALL = re.compile(rf"({'|'.join(FUNCTIONS)})\(")
_BRACKET = re.compile(r"""\[("([^"\\]|\\.)*"|'([^'\\]|\\.)*'|[^]["'\s]+)\]""")
_STEP = re.compile(r"""[()]|"([^"\\]|\\.)*"|'([^'\\]|\\.)*'""")


def parse_output(
    text: Name, catalogue: Catalogue, *, dialect: Dialect = "rules", rule: str | None = None
) -> tuple[Output | None, list[Diagnostic]]:
    """The template of an output; None when a diagnostic is an error. `rule` is the name that the diagnostics carry."""
    reader = _Reader(text, catalogue, dialect)
    parts = reader.read()
    diagnostics = [replace(diagnostic, rule=rule) for diagnostic in reader.diagnostics]
    return (None if any(diagnostic.is_error for diagnostic in diagnostics) else Output(parts)), diagnostics


class _Reader:
    def __init__(self, text: Name, catalogue: Catalogue, dialect: Dialect) -> None:
        self.name = text
        self.text = text.text
        self.catalogue = catalogue
        self.dialect = dialect
        self.diagnostics: list[Diagnostic] = []

    def read(self) -> tuple[str | OutputField, ...]:
        parts: list[str | OutputField] = []
        plain = ""
        at = 0
        while (percent := self.text.find("%", at)) >= 0:
            plain += self.text[at:percent]
            field, at = self._field(percent)
            if field is not None:
                parts += [plain, field] if plain else [field]
                plain = ""
        plain += self.text[at:]
        return (*parts, plain) if plain else tuple(parts)

    def _span(self, start: int, end: int) -> Span:
        origin = self.name.span
        return Span(origin.source, origin.start + start, origin.start + max(start, end))

    def _field(self, percent: int) -> tuple[OutputField | None, int]:
        """What the percent sign at this place begins, and where the text goes on; None after a mistake, and for nothing."""
        start, width = percent + 1, None
        if self.text.startswith("%", start):  # from another template language, and one mistake
            self.diagnostics.append(mistakes.percent_without_field(self._span(percent, start + 1)))
            return None, start + 1
        if start == len(self.text):
            self.diagnostics.append(mistakes.ends_with_percent(self._span(percent, start)))
            return None, start
        if digits := _WIDTH.match(self.text, start):
            start = digits.end()
            if len(digits[0]) > len(str(MAX_WIDTH)) or int(digits[0]) > MAX_WIDTH:
                self.diagnostics.append(mistakes.width_too_large(self._span(percent, start), MAX_WIDTH))
                return None, start
            width = int(digits[0]) or None
            if start == len(self.text):
                self.diagnostics.append(mistakes.width_without_field(self._span(percent, start)))
                return None, start
        if self.text.startswith(_CONTAINER_INFO, start):
            end = start + len(_CONTAINER_INFO)
            self.diagnostics.append(mistakes.container_info(self._span(percent, end)))
            return None, end
        problems: list[Diagnostic] = []
        end = start
        for end, operand, found in self._candidates(start):
            if operand is not None:
                self._letters_after(start, end)
                self.diagnostics += found
                return OutputField(operand, self.text[start:end], width, self._span(percent, end)), end
            problems = problems or found
        self.diagnostics += problems or [mistakes.percent_without_field(self._span(percent, start))]
        whole = _NAME.match(self.text, start)
        return None, max(end, whole.end()) if whole else start

    def _letters_after(self, start: int, end: int) -> None:
        whole = _NAME.match(self.text, start)
        if whole is not None and whole.end() > end:
            rest = self.text[end : whole.end()]
            if rest[0] != ".":  # a full stop may end a sentence
                self.diagnostics.append(
                    mistakes.field_with_letters_after(self._span(start, whole.end()), self.text[start:end], rest)
                )

    def _candidates(self, start: int) -> Iterator[tuple[int, Operand | None, list[Diagnostic]]]:
        """Texts that may be the operand, the longest first: its end, the operand or None, and what was found on the way."""
        if call := _CALL.match(self.text, start):
            close = _closing(self.text, call.end())
            if close is None:
                return
            if bracket := _BRACKET.match(self.text, close):
                yield self._parsed(start, bracket.end())
            yield self._parsed(start, close)
        elif name := _NAME.match(self.text, start):
            if bracket := _BRACKET.match(self.text, name.end()):
                yield self._parsed(start, bracket.end())
            yield self._named(start, name.end())
            for end in range(min(name.end() - 1, start + MAX_NAME), start, -1):
                if find(self.catalogue, self.text[start:end]) is not None:
                    yield self._named(start, end)

    def _named(self, start: int, end: int) -> tuple[int, Operand | None, list[Diagnostic]]:
        return self._checked(FieldRef(self.text[start:end], None, self._span(start, end)), end)

    def _parsed(self, start: int, end: int) -> tuple[int, Operand | None, list[Diagnostic]]:
        span = self._span(start, end)
        piece = Piece(0, span.source, range(span.start, span.end))
        node, problems = parse_operand(Source(span.source.name, self.text[start:end], (piece,)))
        if node is None:
            return end, None, [_as_output(problem) for problem in problems]
        return self._checked(node, end)

    def _checked(self, node: FieldRef | Call, end: int) -> tuple[int, Operand | None, list[Diagnostic]]:
        checker = Checker(self.catalogue, self.dialect)
        operand = checker.operand(node, output=True)
        return end, operand, [_as_output(problem) for problem in checker.diagnostics]


def _as_output(diagnostic: Diagnostic) -> Diagnostic:
    """Falco names the part of the rule in its code, and warns of conditions only."""
    return replace(diagnostic, falco=mistakes.COMPILE if diagnostic.is_error else None)


def _closing(text: str, start: int) -> int | None:
    """The place after the parenthesis that closes the one before `start`."""
    depth = 1
    for step in _STEP.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(step[0], 0)
        if depth == 0:
            return step.end()
        if depth > MAX_TRANSFORMERS + 1:
            return None
    return None
