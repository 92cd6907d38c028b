r"""Falco's quoting (userspace/libsinsp/filter/escaping.cpp): quoted strings to text, and text to quoted strings.

A quote closes a string unless the character before it is a backslash, so no string ends in `\\`. `\xff` is a byte; bytes that
are no UTF-8 are kept as Python's surrogate escapes, as in the names of files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SIMPLE = {
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "\\": "\\",
    "/": "/",
    " ": "\\",  # an old Falco rule is written so, and Falco keeps it working
}
_WRITTEN = {"\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", '"': r"\""}

_HEX = re.compile(r"[0-9a-fA-F]{2}")
_BYTES = re.compile("[\udc80-\udcff]+")
_QUOTED_BY_FALCO = re.compile(r"""[\x00-\x20\x7f\\"'=]""")
_ESCAPED_BY_FALCO = re.compile(r"""[\x00-\x1f\x7f\\"]""")
_ESCAPED = re.compile('[\x00-\x1f\x7f\\\\"\udc80-\udcff]')


@dataclass(frozen=True, slots=True)
class BadEscape:
    """Characters [start, end) of a quoted string."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Unescaped:
    """What a quoted string says; `offsets[i]` is where its i-th character stands in the quoted text."""

    text: str
    offsets: Sequence[int]
    problems: tuple[BadEscape, ...] = ()


def unescape(quoted: str) -> Unescaped:
    """The text of a string that comes with its quotes. An escape that means nothing is a problem and left out."""
    if "\\" not in quoted:
        return Unescaped(quoted[1:-1], range(1, len(quoted) - 1))
    quote, end = quoted[0], len(quoted) - 1
    chars: list[str] = []
    offsets: list[int] = []
    problems: list[BadEscape] = []
    position = 1
    while position < end:
        start, char = position, quoted[position]
        position += 1
        if char == "\\":
            escape = quoted[position : min(position + 1, end)]
            position += len(escape)
            if escape == "x":
                digits = quoted[position : min(position + 2, end)]
                position += len(digits)
                char = _byte(int(digits, 16)) if _HEX.fullmatch(digits) else ""
            else:
                char = quote if escape == quote else _SIMPLE.get(escape, "")
        if char:
            chars.append(char)
            offsets.append(start)
        else:
            problems.append(BadEscape(start, position))
    return _with_bytes_decoded("".join(chars), offsets, tuple(problems))


def escape(text: str) -> str:
    """As Falco prints a value: in double quotes if it must be. What Falco prints is not always what it reads: see `quote`."""
    if not _QUOTED_BY_FALCO.search(text):
        return text
    return f'"{_ESCAPED_BY_FALCO.sub(_written, text)}"'


def quote(text: str) -> str:
    """In double quotes, so that it reads back as the same text."""
    inner = _ESCAPED.sub(_written, text)
    if text.endswith("\\"):
        inner = inner[:-2] + r"\x5c"  # a backslash there would keep the quote from closing
    return f'"{inner}"'


def _byte(value: int) -> str:
    return chr(value) if value < 0x80 else chr(0xDC00 + value)


def _written(match: re.Match[str]) -> str:
    char = match[0]
    return _WRITTEN.get(char) or f"\\x{ord(char) & 0xFF:02x}"


def _with_bytes_decoded(text: str, offsets: list[int], problems: tuple[BadEscape, ...]) -> Unescaped:
    """Bytes that stand together may be UTF-8: `\\xc3\\xa9` is one character, at the place of its first byte."""
    if not _BYTES.search(text):
        return Unescaped(text, offsets, problems)
    chars: list[str] = []
    places: list[int] = []
    done = 0
    for run in _BYTES.finditer(text):
        chars.append(text[done : run.start()])
        places += offsets[done : run.start()]
        at = run.start()
        for char in run[0].encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"):
            chars.append(char)
            places.append(offsets[at])
            at += len(char.encode("utf-8", "surrogateescape"))
        done = run.end()
    chars.append(text[done:])
    places += offsets[done:]
    return Unescaped("".join(chars), places, problems)
