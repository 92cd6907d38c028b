"""Lark's side of parsing: text to Lark's tree, with the depth limited, comments found, and reading taken up after a mistake.

Nothing here is recursive and nothing looks twice at a text, so no text is too deep or too long. Lark's own exceptions end here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast, overload

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import syntax
from ruleng.lang.parse.explain import ends_before_last, explain, item_ends_early
from ruleng.lang.parse.recover import Restart, restarts
from ruleng.lang.parse.trouble import Trouble, Word
from ruleng.lang.source import Source, Span

Start = Literal["condition", "operand", "file"]

_CALLS_PER_LEVEL = 5
"""Falco limits the calls of its parser, and a parenthesis is five of them: or, and, not, check, parenthesis."""

_PARENTHESES = frozenset({"LPAR", "NOT_OPEN", "AND_OPEN", "OR_OPEN", "CALL_OPEN", "VAL_OPEN"})
_OPENING = _PARENTHESES | {"LBRACE", "LBRACKET"}
_CLOSING = frozenset({"RPAR", "RPAR_ARG", "RBRACE", "RBRACKET"})


def grammar(start: Start) -> Lark:
    return _grammar("rules.lark", ("file",)) if start == "file" else _grammar("condition.lark", ("condition", "operand"))


@cache  # of conditions and operands one, since to build it takes 30 ms
def _grammar(name: str, starts: tuple[Start, ...]) -> Lark:
    return Lark.open_from_package("ruleng", name, ("grammar",), parser="lalr", start=list(starts), maybe_placeholders=False)


def start_of(token: Token) -> int:
    return token.start_pos  # type: ignore[return-value]  # None only in tokens that no lexer made


def end_of(token: Token) -> int:
    return token.end_pos  # type: ignore[return-value]


@dataclass(slots=True)
class Reading:
    """What came of a text. `tree` is None after a mistake that reading could not go on from; `comments` are [start, end)."""

    tree: Tree[Token] | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)


def levels_of(max_depth: int) -> int:
    """How many parentheses may stand inside each other."""
    return max_depth // _CALLS_PER_LEVEL - 1


def read(start: Start, source: Source, max_depth: int) -> Reading:
    """The tree of a text; of a file, that of the items that can be read."""
    return _Reader(start, source, levels_of(max_depth)).read()


class _TooDeepError(Exception):
    """More parentheses inside each other than there may be; the token is the first that is too many."""


class _Reader:
    def __init__(self, start: Start, source: Source, levels: int) -> None:
        self.source = source
        self.levels = levels
        self.parser: InteractiveParser = grammar(start).parse_interactive(source.text, start=start)
        self.restarts: Iterator[Restart] | None = restarts(source.text) if start == "file" else None
        self.reading = Reading()
        self.before: tuple[Token | None, Token | None] = (None, None)  # the last token, and the one before it
        self.opened: list[Token] = []
        self.level = 0
        self.read_to = 0

    def read(self) -> Reading:
        while True:
            try:
                for token in self.parser.iter_parse():
                    self.notice(token)
                self.reading.tree = self.parser.feed_eof()  # type: ignore[no-untyped-call]
                break
            except UnexpectedInput as error:
                offset = self.complain(error)
            except _TooDeepError:
                offset = start_of(self.opened[-1])
                self.reading.diagnostics.append(syntax.too_deep(Span(self.source, offset, end_of(self.opened[-1])), self.levels))
            if not self.resume(offset):
                break
        return self.reading

    def notice(self, token: Token) -> None:
        """Parentheses and comments on the way."""
        start = start_of(token)
        if start - self.read_to > 1:
            self.find_comments(self.read_to, start)
        self.read_to = end_of(token)
        if token.type in _OPENING:
            self.opened.append(token)
            if token.type in _PARENTHESES:
                self.level += 1
                if self.level > self.levels:
                    raise _TooDeepError
        elif token.type in _CLOSING and self.opened:
            self.level -= self.opened.pop().type in _PARENTHESES
        self.before = (token, self.before[0])

    def find_comments(self, start: int, end: int) -> None:
        """Between two words are only blanks and comments."""
        text = self.source.text
        hash_sign = text.find("#", start, end)
        while hash_sign >= 0:
            line_end = text.find("\n", hash_sign, end)
            stop = line_end if line_end >= 0 else end
            self.reading.comments.append((hash_sign, stop))
            hash_sign = text.find("#", stop, end)

    def complain(self, error: UnexpectedInput) -> int:
        """Tell the mistake; where to go on from."""
        match error:
            case UnexpectedToken(token=Token(type="$END")):
                offset = len(self.source.text)
            case UnexpectedToken(token=token):
                offset = start_of(token)
            case _:
                offset = cast(int, error.pos_in_stream)
        last, before = self.before
        if last is not None and start_of(last) == offset:  # it was read, but cannot stand here
            last, before = before, None
        opened = tuple(_word(token) for token in self.opened if start_of(token) != offset)
        wanted = frozenset(name.lstrip("_") for name in self.parser.accepts())  # type: ignore[no-untyped-call]
        trouble = Trouble(self.source, offset, wanted, _word(last), _word(before), opened)
        if self.restarts is not None and trouble.last and ends_before_last(trouble):
            offset = trouble.last.start
            self.reading.diagnostics.append(item_ends_early(trouble))
        else:
            self.reading.diagnostics.append(explain(trouble))
        return offset

    def resume(self, offset: int) -> bool:
        """Go on where the next item or key begins, as if what stands before had been read."""
        if self.restarts is None:
            return False
        state = self.parser.parser_state
        for restart in self.restarts:
            if restart.offset < offset:
                continue
            terminal = "TEXT_KEY" if restart.in_rule else "IMPORT"  # taken only where every key and every item is
            for height in range(len(state.state_stack), 0, -1):
                action = state.parse_conf.parse_table.states[state.state_stack[height - 1]].get(terminal)
                if action and action[0] is Shift:
                    del state.state_stack[height:], state.value_stack[height - 1 :]
                    lexer = self.parser.lexer_thread.state
                    if lexer is not None:
                        lexer.line_ctr.char_pos = restart.offset
                    self.before = (None, None)
                    self.read_to = restart.offset
                    self.opened = self.opened[:1] if restart.in_rule else []
                    self.level = 0
                    return True
        return False


@overload
def _word(token: Token) -> Word: ...
@overload
def _word(token: None) -> None: ...
def _word(token: Token | None) -> Word | None:
    return None if token is None else Word(token.type, str(token), start_of(token), end_of(token))
