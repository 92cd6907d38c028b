"""Lark's trees of rule files to ours: lists, macros, rules, and what changes them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from lark import Token, Tree

from ruleng.lang.ast import (
    ActionCall,
    Call,
    Condition,
    EngineVersion,
    ExceptionDecl,
    FieldRef,
    Import,
    Item,
    ListDecl,
    ListLit,
    Literal,
    MacroDecl,
    Mode,
    Name,
    RuleDecl,
    ThrottleDecl,
)
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.escapes import unescape
from ruleng.lang.mistakes import syntax
from ruleng.lang.parse.conditions import Conditions
from ruleng.lang.parse.reader import end_of, start_of
from ruleng.lang.source import Piece, Source, Span

_NS_PER_UNIT = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_DIGITS = 9
"""Longest number; more does not fit where numbers go."""

_ATTRIBUTES = {"skip-if-unknown-filter": "skip_unknown", "capture_duration": "capture_duration_ms"}
"""Keys that RuleDecl calls otherwise."""
_APPENDABLE = frozenset({"condition", "desc", "output", "tags", "actions", "exceptions"})
_REQUIRED = ("condition", "output", "priority")
_LIST_OPERATORS = frozenset({"in", "intersects", "pmatch"})


@dataclass(frozen=True, slots=True)
class Built:
    """An item; `failed`: there is a mistake in it."""

    item: Item
    failed: bool


@dataclass(slots=True)
class Files:
    """Builds the items of one file. `comments` are [start, end), sorted; so are the places of mistakes already told."""

    source: Source
    comments: Sequence[tuple[int, int]]
    mistakes_at: Sequence[int]
    conditions: Conditions

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.conditions.diagnostics

    def items(self, tree: Tree[Token]) -> Iterator[Built]:
        for child in cast(list[Tree[Token]], tree.children):
            earlier = len(self.diagnostics)
            item = self.item(child)
            if isinstance(item, ListDecl | MacroDecl | RuleDecl):
                self.diagnostics[earlier:] = [replace(mistake, rule=item.name.text) for mistake in self.diagnostics[earlier:]]
            failed = self.interrupted(child) or any(mistake.is_error for mistake in self.diagnostics[earlier:])
            yield Built(item, failed)

    def interrupted(self, tree: Tree[Token]) -> bool:
        """Whether a part of it could not be read."""
        start, end = _extent(tree)
        index = bisect_left(self.mistakes_at, start)
        return index < len(self.mistakes_at) and self.mistakes_at[index] < end

    def item(self, tree: Tree[Token]) -> Item:
        children: list[Any] = tree.children
        match tree.data:
            case "import":
                return Import(self.name(children[1]))
            case "engine_version":
                return EngineVersion(self.name(children[1]))
            case "list" | "append_list":
                *_, name, _, words = children
                return ListDecl(self.name(name), tuple(map(self.literal, words.children[1:-1])), _mode(children), self.span(tree))
            case "macro" | "append_macro":
                *_, name, colon, condition = children
                return MacroDecl(self.name(name), self.condition(colon, condition), _mode(children), self.span(tree))
            case _:
                return self.rule(tree)

    # --- rules

    def rule(self, tree: Tree[Token]) -> RuleDecl:
        children: list[Any] = tree.children
        mode = _mode(children)
        opening = next(index for index, child in enumerate(children) if child == "{")
        name = self.name(children[opening - 1])
        values: dict[str, Any] = {}
        keys: dict[str, Span] = {}
        for child in children[opening + 1 : -1]:
            key = child.children[0].rstrip(": \t")
            start = start_of(child.children[0])
            span = Span(self.source, start, start + len(key))
            if key in keys:
                self.diagnostics.append(syntax.key_twice(span, keys[key]))
            keys[key] = span
            self.can_change(key, mode, span)
            values[_ATTRIBUTES.get(key, key)] = self.value(child)
        if self.interrupted(tree):
            pass  # the keys that could not be read are not missing
        elif mode == "define":
            missing = [key for key in _REQUIRED if key not in keys]
            if missing:
                self.diagnostics.append(syntax.keys_missing(name.span, missing))
        elif not keys:
            self.diagnostics.append(syntax.changes_nothing(name.span, mode))
        modes = () if mode == "define" else tuple((key, mode) for key in values)
        return RuleDecl(name, modes=modes, span=self.span(tree), **values)

    def can_change(self, key: str, mode: Mode, span: Span) -> None:
        if mode != "define" and key == "source":
            self.diagnostics.append(syntax.source_fixed(span))
        elif mode == "append" and key not in _APPENDABLE:
            self.diagnostics.append(syntax.not_appendable(span))

    def value(self, tree: Tree[Token]) -> object:
        """What RuleDecl takes for a key."""
        key, *rest = cast(list[Any], tree.children)
        match tree.data:
            case "condition" | "append_condition":
                return self.condition(key, rest[0])
            case "text":
                return self.text(rest)
            case "name":
                return self.name(rest[0])
            case "tags":
                return tuple(map(self.name, rest[0].children[1:-1]))
            case "flag":
                return rest[0] == "true"
            case "capture_duration":
                return self.duration_ns(rest[0], least=0) // _NS_PER_UNIT["ms"]
            case "throttle":
                count, _, period, *by = rest
                fields = tuple(map(self.conditions.field, by[1:]))
                return ThrottleDecl(self.number(count, "a count"), self.duration_ns(period), fields, self.span(tree))
            case "actions":
                return tuple(map(self.action, rest[1:-1]))
            case _:
                return tuple(map(self.exception, rest[1:-1]))

    def action(self, tree: Tree[Token]) -> ActionCall:
        name, *rest = cast(list[Any], tree.children)
        options = [child for child in rest[1:-1] if isinstance(child, Tree)]
        args = [child for child in rest[1:-1] if isinstance(child, Token)]
        return ActionCall(self.name(name), tuple(map(self.name, args)), tuple(map(self.option, options)))

    def option(self, tree: Tree[Token]) -> tuple[Name, Name]:
        key, value = cast(list[Token], tree.children)
        word = key.rstrip("= \t")
        return Name(word, Span(self.source, start_of(key), start_of(key) + len(word))), self.name(value)

    def number(self, token: Token, what: str) -> int:
        number = int(token) if len(token) <= _DIGITS else 0
        if not number:
            self.diagnostics.append(syntax.out_of_range(self.span(token), what))
        return number

    def duration_ns(self, token: Token, least: int = 1) -> int:
        digits = token.rstrip("dhms")
        number = int(digits) if len(digits) <= _DIGITS else -1
        if number < least:
            self.diagnostics.append(syntax.out_of_range(self.span(token), "a time"))
        return number * _NS_PER_UNIT[token[len(digits) :]]

    # --- exceptions

    def exception(self, tree: Tree[Token]) -> ExceptionDecl:
        name, _, rest = cast(list[Any], tree.children)
        span = self.span(tree)
        children: list[Any] = rest.children
        match rest.data:
            case "single":
                operand, comp, *items = children
                comps = (self.comp(comp, for_list=True),)
                return ExceptionDecl(
                    self.name(name), (self.operand(operand),), comps, self.table(items[0]) if items else None, True, span
                )
            case "several":
                columns, *rows = children
                fields, comps_or_none = self.columns(columns)
                return ExceptionDecl(self.name(name), fields, comps_or_none, self.table(rows[1]) if rows else None, False, span)
            case _:
                single = children[0].data == "items"
                return ExceptionDecl(self.name(name), None, None, self.table(children[0]), single, span)

    def columns(self, tree: Tree[Token]) -> tuple[tuple[FieldRef | Call, ...], tuple[Name, ...] | None]:
        """Fields and comparison operators. Where one is written, `=` is meant where none is."""
        columns = [cast(list[Any], column.children) for column in cast(list[Tree[Token]], tree.children[1:-1])]
        fields = tuple(self.operand(operand) for operand, *_ in columns)
        if not any(comp for _, *comp in columns):
            return fields, None
        implied = [Name("=", Span(self.source, operand.span.end, operand.span.end)) for operand in fields]
        return fields, tuple(
            self.comp(comp[0], for_list=False) if comp else equal for (_, *comp), equal in zip(columns, implied, strict=True)
        )

    def comp(self, tree: Tree[Token], *, for_list: bool) -> Name:
        words = cast(list[Token], tree.children)
        text, span = " ".join(words), self.span(tree)
        if for_list and len(words) == 1 and text not in _LIST_OPERATORS:
            self.diagnostics.append(syntax.one_value_wanted(span, text, modifiable=words[0].type == "TEXT_OP"))
        return Name(text, span)

    def table(self, tree: Tree[Token]) -> tuple[tuple[Literal | ListLit | Call, ...], ...]:
        """The values of an exception: rows, or single items each as a row of its own."""
        children = cast(list[Any], tree.children[1:-1])
        if tree.data == "rows":
            return tuple(tuple(map(self.cell, row.children[1:-1])) for row in children)
        return tuple((self.cell(item),) for item in children)

    def cell(self, child: Token | Tree[Token]) -> Literal | ListLit | Call:
        if isinstance(child, Token):
            return self.literal(child)
        if child.data == "cells":
            return ListLit(tuple(map(self.literal, cast(list[Token], child.children[1:-1]))), self.span(child))
        return cast(Call, self.conditions.transform(child))

    def operand(self, child: Token | Tree[Token]) -> FieldRef | Call:
        return self.conditions.field(child) if isinstance(child, Token) else cast(Call, self.conditions.transform(child))

    # --- conditions, texts, words

    def condition(self, key: Token, tree: Tree[Token]) -> Condition:
        """What follows the key's colon. Only what continues another condition has no tree: it is read where both are joined."""
        built = self.conditions.transform(tree)
        part, expr = (built[-1], None) if tree.data == "continuation" else (built, built.expr)
        text = self.without_comments(end_of(key), part.end)
        start = part.end - len(text.lstrip())
        source = Source(self.source.name, text.lstrip(), (Piece(0, self.source, range(start, part.end)),))
        return Condition(source, expr, Span(self.source, start, part.end))

    def without_comments(self, start: int, end: int) -> str:
        """Characters [start, end) with blanks for comments."""
        text, parts, done = self.source.text, [], start
        for index in range(bisect_left(self.comments, (start, start)), bisect_left(self.comments, (end, end))):
            first, last = self.comments[index]
            parts += [text[done:first], " " * (last - first)]
            done = last
        return "".join((*parts, text[done:end]))

    def literal(self, token: Token) -> Literal:
        return self.conditions.literal(token)

    def name(self, token: Token) -> Name:
        return self.text([token]) if token.type == "QUOTED" else Name(str(token), self.span(token))

    def text(self, tokens: Sequence[Token]) -> Name:
        """One text of one or more in quotes, every character with its place in the file."""
        if len(tokens) == 1 and "\\" not in tokens[0]:
            return Name(tokens[0][1:-1], Span(self.source, start_of(tokens[0]) + 1, end_of(tokens[0]) - 1))
        text, offsets = "", []
        for token in tokens:
            string = unescape(token)
            self.conditions.bad_escapes(start_of(token), token, string)
            text += string.text
            start = start_of(token)
            offsets += [start + offset for offset in string.offsets]
        return Name(text, Span(Source(self.source.name, text, (Piece(0, self.source, offsets),)), 0, len(text)))

    def span(self, node: Token | Tree[Token]) -> Span:
        return Span(self.source, *_extent(node))


def _mode(children: Sequence[Any]) -> Mode:
    match children[0].type:
        case "APPEND":
            return "append"
        case "OVERRIDE":
            return "replace"
        case _:
            return "define"


def _extent(node: Token | Tree[Token]) -> tuple[int, int]:
    """From the first word to the last."""
    first = last = node
    while isinstance(first, Tree):
        first = first.children[0]
    while isinstance(last, Tree):
        last = last.children[-1]
    return start_of(first), end_of(last)
