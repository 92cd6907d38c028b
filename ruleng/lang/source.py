"""Texts that rules come from, and places in them.

A Source is a file's text, or a text put together from pieces of files (a YAML scalar, a condition with what was appended to
it); every offset of the second kind leads back to its file, so a diagnostic always points at what the author wrote.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Characters of an assembled text from `start` on; `offsets[i]` is where its i-th character stands in `source`."""

    start: int
    source: Source
    offsets: Sequence[int]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    name: str  # the path as the user gave it
    text: str = field(repr=False)
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    _lines: list[int] = field(default_factory=list, repr=False)

    def locate(self, offset: int) -> tuple[Source, int]:
        """The file that this character comes from, and its offset there. The end of a piece is just past its last character."""
        if not self.pieces:
            return self, min(offset, len(self.text))
        piece = self.pieces[max(0, bisect_right([p.start for p in self.pieces], offset) - 1)]
        index = offset - piece.start
        if index < len(piece.offsets):
            return piece.source.locate(piece.offsets[index])
        past = piece.offsets[-1] + 1 if piece.offsets else 0
        return piece.source.locate(past)

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column), both from 1, columns in characters, of an offset in this text."""
        if not self._lines:
            self._lines.append(0)
            self._lines.extend(end.end() for end in re.finditer("\n", self.text))
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1) without its end."""
        self.position(0)
        start = self._lines[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def located(self) -> Span:
        """The same place in the file it comes from."""
        if not self.source.pieces:
            return self
        source, start = self.source.locate(self.start)
        last_source, last = self.source.locate(max(self.start, self.end - 1))
        end = last + 1 if last_source is source and self.end > self.start else start
        return Span(source, start, max(start, end))


def join(first: Source, second: Source) -> Source:
    """Both texts with one blank between them: how an appended condition continues the earlier one."""
    shift = len(first.text) + 1
    pieces = first.pieces or (Piece(0, first, range(len(first.text))),)
    more = second.pieces or (Piece(0, second, range(len(second.text))),)
    moved = tuple(Piece(piece.start + shift, piece.source, piece.offsets) for piece in more)
    return Source(second.name, f"{first.text} {second.text}", pieces + moved)
