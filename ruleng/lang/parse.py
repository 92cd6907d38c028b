"""Text to syntax tree: conditions, operands and `.rules` files. In goes a Source; out come a tree and what is wrong.

The grammar is data (grammar/*.lark); this is the only module that knows Lark. Nothing here is recursive, so that no text is
too deep for it, and time is linear in the text.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken
from lark.visitors import Transformer_NonRecursive

from ruleng.lang.ast import (
    And,
    Argument,
    Call,
    Check,
    Expr,
    FieldRef,
    ListLit,
    Literal,
    Modifier,
    Not,
    OperandList,
    Or,
    Ref,
)
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.escapes import unescape
from ruleng.lang.mistakes import syntax
from ruleng.lang.source import Source, Span

_OPENING = frozenset({"LPAR", "NOT_OPEN", "AND_OPEN", "OR_OPEN", "CALL_OPEN", "VAL_OPEN"})
_CLOSING = frozenset({"RPAR", "RPAR_ARG"})

_LEVEL = 5
"""Falco counts the calls of its parser, and a parenthesis is five of them: or, and, not, check, parenthesis."""


def parse_condition(source: Source, *, max_depth: int = 1000) -> tuple[Expr | None, list[Diagnostic]]:
    """The tree of a condition. `max_depth` counts as Falco does: 1000 are 199 parentheses inside each other."""
    tree, diagnostics = _read("condition", source, max_depth // _LEVEL - 1)
    if tree is None:
        return None, diagnostics
    build = _Conditions(source)
    expr = build.transform(tree)
    return (None, build.diagnostics) if build.diagnostics else (expr, [])


def parse_operand(source: Source) -> tuple[FieldRef | Call | None, list[Diagnostic]]:
    """The tree of a text that is one field or one transformer."""
    tree, diagnostics = _read("operand", source, 199)
    if tree is None:
        return None, diagnostics
    build = _Conditions(source)
    operand = build.transform(tree)
    return (None, build.diagnostics) if build.diagnostics else (operand, [])


@cache
def _grammar(name: str) -> Lark:
    return Lark.open_from_package(
        "ruleng",
        f"{name}.lark",
        ("grammar",),
        parser="lalr",
        lexer="contextual",
        start=["condition", "operand"],
        maybe_placeholders=False,
    )


def _read(start: str, source: Source, levels: int) -> tuple[Tree[Token] | None, list[Diagnostic]]:
    parser = _grammar("condition").parse_interactive(source.text, start=start)
    level = 0
    token = None
    try:
        for token in parser.iter_parse():
            if token.type in _OPENING:
                level += 1
                if level > levels:
                    return None, [syntax.too_deep(Span(source, _start(token), _end(token)), levels)]
            elif token.type in _CLOSING:
                level -= 1
        return cast(Tree[Token], parser.feed_eof(token)), []  # type: ignore[no-untyped-call]
    except UnexpectedInput as error:
        offset = min(error.pos_in_stream or 0, len(source.text))
        if isinstance(error, UnexpectedToken) and error.token.type == "$END":
            offset = len(source.text)
        end = min(offset + 1, len(source.text))
        found = f"`{source.text[offset:end]}`" if end > offset else "the end"
        return None, [syntax.unexpected(Span(source, offset, end), found, "something else")]


def _start(token: Token) -> int:
    return token.start_pos or 0


def _end(token: Token) -> int:
    return token.end_pos or 0


class _Part(NamedTuple):
    """An expression with the characters that it takes up, its parentheses included."""

    expr: Expr
    start: int
    end: int


class _Conditions(Transformer_NonRecursive[Token, Any]):
    """Lark's tree of a condition to ours; a method for each rule of condition.lark."""

    def __init__(self, source: Source) -> None:
        super().__init__(visit_tokens=False)
        self.source = source
        self.diagnostics: list[Diagnostic] = []

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def condition(self, children: list[_Part]) -> Expr:
        return children[0].expr

    def operand(self, children: list[Token | Call]) -> FieldRef | Call:
        return self._operand(children[0])

    # logic

    def either(self, children: list[_Part]) -> _Part:
        start, end = children[0].start, children[-1].end
        return _Part(Or(tuple(part.expr for part in children), self.span(start, end)), start, end)

    def both(self, children: list[_Part]) -> _Part:
        start, end = children[0].start, children[-1].end
        return _Part(And(tuple(part.expr for part in children), self.span(start, end)), start, end)

    def group(self, children: list[Any]) -> _Part:
        opening, part, closing = children
        return _Part(part.expr, _start(opening), _end(closing))

    or_group = and_group = group

    def negated(self, children: list[Any]) -> _Part:
        *nots, part = children
        start = _start(nots[0])
        expr = Not(part.expr, self.span(start, part.end)) if len(nots) % 2 else part.expr
        return _Part(expr, start, part.end)

    def negated_group(self, children: list[Any]) -> _Part:
        *nots, part, closing = children
        start, end = _start(nots[0]), _end(closing)
        expr = Not(part.expr, self.span(start, end)) if len(nots) % 2 else part.expr
        return _Part(expr, start, end)

    def ref(self, children: list[Token]) -> _Part:
        (token,) = children
        return _Part(Ref(str(token), self.span(_start(token), _end(token))), _start(token), _end(token))

    # checks

    def exists(self, children: list[Any]) -> _Part:
        left, token = children
        operand = self._operand(left)
        span = self.span(operand.span.start, _end(token))
        return _Part(Check(operand, "exists", None, None, span), span.start, span.end)

    def number_check(self, children: list[Any]) -> _Part:
        left, op, right = children
        return self._check(left, op, None, right)

    text_check = list_check = number_check

    def modified_check(self, children: list[Any]) -> _Part:
        left, op, modifier, right = children
        return self._check(left, op, str(modifier), right)

    def _check(self, left: Token | Call, op: Token, modifier: str | None, right: Token | Call | ListLit) -> _Part:
        operand = self._operand(left)
        value = self._literal(right) if isinstance(right, Token) else right
        span = self.span(operand.span.start, value.span.end)
        return _Part(Check(operand, str(op), value, cast(Modifier | None, modifier), span), span.start, span.end)

    def values(self, children: list[Token]) -> ListLit:
        opening, *items, closing = children
        return ListLit(tuple(map(self._literal, items)), self.span(_start(opening), _end(closing)))

    # operands

    def call(self, children: list[Any]) -> Call:
        opening, *arguments, closing = children
        arg = self._argument(_start(closing) + 1, closing[2:-1]) if len(closing) > 1 else None
        span = self.span(_start(opening), _end(closing))
        return Call(str(opening[:-1]), tuple(map(self._value, arguments)), arg, span)

    val = call

    def operands(self, children: list[Any]) -> OperandList:
        opening, *items, closing = children
        return OperandList(tuple(map(self._value, items)), self.span(_start(opening), _end(closing)))

    def _value(self, child: Token | Call | OperandList) -> Argument:
        if not isinstance(child, Token):
            return child
        return self._field(child) if child.type == "FIELD" else self._literal(child)

    def _operand(self, child: Token | Call) -> FieldRef | Call:
        return self._field(child) if isinstance(child, Token) else child

    def _field(self, token: Token) -> FieldRef:
        name, bracket, arg = token.partition("[")
        span = self.span(_start(token), _end(token))
        return FieldRef(name, self._argument(_start(token) + len(name) + 1, arg[:-1]) if bracket else None, span)

    def _argument(self, start: int, text: str) -> str:
        return self._unescaped(start, text) if text[0] in "\"'" else text

    def _literal(self, token: Token) -> Literal:
        span = self.span(_start(token), _end(token))
        if token.type != "QUOTED":
            return Literal(str(token), False, span)
        return Literal(self._unescaped(_start(token), token), True, span)

    def _unescaped(self, start: int, quoted: str) -> str:
        string = unescape(quoted)
        self.diagnostics += [syntax.bad_escape(self.span(start + bad.start, start + bad.end)) for bad in string.problems]
        return string.text
