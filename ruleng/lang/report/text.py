"""Diagnostics for people: the place, the message, the source line with carets, and what to do.

    rules/shell.rules:7:28: error[R0203]: unknown field `proc.nam`
      7 |   condition: spawned_process and proc.nam in (shell_binaries)
        |                                  ^^^^^^^^ did you mean `proc.name`?

Lines are shown as wide as a terminal shows them, and only around the place when they are long. What a terminal would act on
(escape sequences, characters that reverse the order of text) is shown as a sign instead.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.report.findings import Finding, Place, findings

TAB = 4
CUT = "…"

_STYLES = {"error": "1;31", "warning": "1;33", "head": "1", "gutter": "34", "help": "36"}  # ECMA-48, 8.3.117 SGR


def render_text(diagnostics: Iterable[Diagnostic], *, colour: bool = False, width: int = 120) -> str:
    """One block for each mistake, sorted by place, blank lines between; `width` bounds the source lines."""
    return "\n\n".join("\n".join(_block(finding, colour, width)) for finding in findings(diagnostics))


@dataclass(frozen=True, slots=True)
class _Page:
    """How a block is laid out; `gutter` is the width of its line numbers."""

    colour: bool
    gutter: int
    width: int

    def paint(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour and text else text

    def snippet(self, place: Place, text: str, style: str, mark: str) -> list[str]:
        """The source line, and below it the mark as wide as the place with the text beside it."""
        line, before, marked = excerpt(place, max(20, self.width - self.gutter - 5))
        number = self.paint("gutter", f"  {place.line:>{self.gutter}} |")
        bar = self.paint("gutter", f"  {'':>{self.gutter}} |")
        pointer = self.paint(style, f"{mark * marked} {printable(text)}".rstrip())
        return [f"{number} {line}".rstrip(), f"{bar} {' ' * before}{pointer}"]

    def note(self, text: str) -> str:
        return f"{' ' * (self.gutter + 2)} {self.paint('gutter', '=')} {self.paint('help', printable(text))}"


def _block(finding: Finding, colour: bool, width: int) -> list[str]:
    diagnostic, place = finding.diagnostic, finding.place
    others = [(Place.of(label.span), label.text) for label in diagnostic.labels]
    others.sort(key=lambda other: (place is None or other[0].path != place.path, other[0].path, other[0].span.start))
    last = max((other.line for other, _ in others), default=1)
    page = _Page(colour, len(str(last if place is None else max(last, place.line))), width)
    lines = [_head(finding, page)]
    if place is not None:
        lines += page.snippet(place, diagnostic.label or diagnostic.help or "", diagnostic.severity, "^")
        path = place.path
        for other, text in others:
            if other.path != path:
                path = other.path
                where = f"{' ' * (page.gutter + 2)}--> {printable(other.path)}:{other.line}:{other.column}"
                lines.append(page.paint("gutter", where))
            lines += page.snippet(other, text, "gutter", "-")
    if diagnostic.help is not None and (place is None or diagnostic.label):
        lines.append(page.note(f"help: {diagnostic.help}"))
    lines += [page.note(f"note: {note}") for note in diagnostic.notes]
    if finding.rules and (place is None or not place.path.endswith(".rules")):  # elsewhere the rule is far from its condition
        lines.append(page.note(f"in {_listed(finding.rules)}"))
    return lines


def _head(finding: Finding, page: _Page) -> str:
    diagnostic, place = finding.diagnostic, finding.place
    where = printable(finding.path) if place is None else f"{printable(place.path)}:{place.line}:{place.column}"
    kind = page.paint(diagnostic.severity, f"{diagnostic.severity}[{diagnostic.code}]")
    message = page.paint("head", f": {printable(diagnostic.message)}")
    return f"{page.paint('head', f'{where}: ' if where else '')}{kind}{message}"


def _listed(names: tuple[str, ...], shown: int = 3) -> str:
    text = ", ".join(f"`{name}`" for name in names[:shown])
    return text if len(names) <= shown else f"{text} and {len(names) - shown} more"


def excerpt(place: Place, width: int) -> tuple[str, int, int]:
    """The source line as shown, the columns before the place, and the columns that the place takes up (at least 1).

    Of a long line only `width` columns around the place are shown; of a place of several lines only the first.
    """
    text, start = place.span.source.text, place.span.start
    line_start = start - (place.column - 1)
    first = max(line_start, start - width)
    end = text.find("\n", start, start + 2 * width)
    stop = end if end >= 0 else min(len(text), start + 2 * width)
    shown = text[first:stop].rstrip("\r")
    pieces, columns = _layout(shown)
    before = columns[min(start - first, len(pieces))]
    after = columns[max(0, min(place.span.end - first, len(pieces)))]
    cut_left, cut_right = first > line_start, end < 0 and stop < len(text)
    if columns[-1] <= width and not cut_left and not cut_right:
        return "".join(pieces), before, max(1, after - before)
    left = max(0, before - width // 3) if cut_left or columns[-1] > width else 0
    low = next(index for index, column in enumerate(columns) if column >= left)
    high = max(index for index, column in enumerate(columns) if column <= columns[low] + width - 2 * len(CUT))
    prefix = CUT if cut_left or low > 0 else ""
    suffix = CUT if cut_right or high < len(pieces) else ""
    before, after = before - columns[low] + len(prefix), min(after, columns[high]) - columns[low] + len(prefix)
    return f"{prefix}{''.join(pieces[low:high])}{suffix}", before, max(1, after - before)


def _layout(text: str) -> tuple[list[str], list[int]]:
    """What is shown for each character, and the column where each begins, with the column after the last."""
    pieces: list[str] = []
    columns = [0]
    for char in text:
        if char == "\t":
            cells = TAB - columns[-1] % TAB
            pieces.append(" " * cells)
        else:
            sign = _sign(char)
            pieces.append(sign)
            cells = _cells(sign)
        columns.append(columns[-1] + cells)
    return pieces, columns


def printable(text: str) -> str:
    """Without anything that a terminal would act on or could not show."""
    return "".join(map(_sign, text))


def _sign(char: str) -> str:
    code = ord(char)
    if 0x20 <= code < 0x7F:
        return char
    if code < 0x20:
        return chr(0x2400 + code)  # the block Control Pictures
    if code == 0x7F:
        return "\u2421"
    return "\ufffd" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") else char


def _cells(char: str) -> int:
    """Columns that a terminal gives the character: two for wide ones, none for those that combine with the one before."""
    if char < "\x7f":
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
