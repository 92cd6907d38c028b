"""A place where a text cannot be read on: what was found, what stands before, and what the grammar wants there, in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.source import Source, Span

_FOUND = re.compile(r""""[^"\n]*"|'[^'\n]*'|[\w.*/+-]+|[=!<>&|~]+|.""", re.DOTALL)
_COLON = re.compile(r"[ \t]*:")


@dataclass(frozen=True, slots=True)
class Word:
    """A token, free of Lark: `kind` is its terminal."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A place where a text cannot be read on."""

    source: Source
    offset: int  # where what cannot stand here begins; the text's length at its end
    wanted: frozenset[str]  # terminals that could, without the underscore that some have
    last: Word | None  # the words before
    before: Word | None
    opened: tuple[Word, ...]  # brackets not closed so far

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    @property
    def found(self) -> str:
        """The word that cannot stand here; empty at the end."""
        return self.word_at(self.offset)

    @property
    def here(self) -> Span:
        return self.span(self.offset, self.offset + len(self.found))

    @property
    def touching(self) -> Word | None:
        """The last word where no blank stands between."""
        return self.last if self.last and self.last.end == self.offset else None

    def wants(self, *kinds: str) -> bool:
        return self.wanted.issuperset(kinds)

    def of(self, word: Word) -> Span:
        return self.span(word.start, word.end)

    def word_at(self, offset: int) -> str:
        """The word that begins there; empty at the end."""
        match = _FOUND.match(self.source.text, offset)
        return match[0] if match else ""

    def begins_line(self, offset: int) -> bool:
        """Whether only blanks stand before it in its line."""
        text = self.source.text
        return not text[text.rfind("\n", 0, offset) + 1 : offset].strip()

    @property
    def is_key(self) -> bool:
        """Whether a colon follows the word that cannot stand here."""
        return _COLON.match(self.source.text, self.here.end) is not None

    @property
    def braces(self) -> list[Word]:
        return [word for word in self.opened if word.kind == "LBRACE"]

    @property
    def phrase(self) -> str:
        """What was wanted."""
        left = self.wanted
        words = []
        for terminals, words_for_them in _PHRASES:
            if terminals <= left:
                words.append(words_for_them)
                left -= terminals
        if not words:
            return "the end"
        return " or ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


_PHRASES: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"FIELD", "IDENT", "LPAR"}), "a field, a macro's name, `not` or `(`"),
    (frozenset({"EXISTS", "TEXT_OP"}), "an operator"),
    (frozenset({"TEXT_OP", "LIST_OP"}), "an operator"),
    (frozenset({"BARE"}), "a value"),
    (frozenset({"WORD"}), "a word or a text in quotes"),
    (frozenset({"NUMBER"}), "a number"),
    (frozenset({"LPAR", "IDENT"}), "a list in parentheses"),
    (frozenset({"FIELD"}), "a field"),
    (frozenset({"AND", "AND_OPEN", "OR", "OR_OPEN"}), "`and` or `or`"),
    (frozenset({"OR", "OR_OPEN"}), "`or`"),
    (frozenset({"TEXT_KEY"}), "a key of the rule"),
    (frozenset({"RULE", "LIST"}), "an item"),
    (frozenset({"LIST"}), "`list`, `macro` or `rule`"),
    (frozenset({"NAME"}), "a name"),
    (frozenset({"QUOTED"}), "a text in quotes"),
    (frozenset({"FLAG"}), "`true` or `false`"),
    (frozenset({"COUNT"}), "a whole number"),
    (frozenset({"DURATION"}), "a time such as `30s` (ms, s, m, h, d)"),
    (frozenset({"PER"}), "`per`"),
    (frozenset({"IN"}), "`in`"),
    (frozenset({"COLON"}), "`:`"),
    (frozenset({"LBRACE"}), "`{`"),
    (frozenset({"LBRACKET"}), "`[`"),
    (frozenset({"LPAR"}), "`(`"),
    (frozenset({"COMMA"}), "`,`"),
    (frozenset({"RPAR"}), "`)`"),
    (frozenset({"RBRACKET"}), "`]`"),
    (frozenset({"RBRACE"}), "`}`"),
)
"""Terminals and what people call them. A row holds where all of them are wanted; it then answers for them."""

Guess = Callable[[Trouble], Diagnostic | None]
"""Tells the mistake if the place looks like it."""
