"""Lark's trees of conditions and operands to ours, bottom up and without recursion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

from lark import Token
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
from ruleng.lang.escapes import Unescaped, unescape
from ruleng.lang.mistakes import syntax
from ruleng.lang.parse.reader import end_of, start_of
from ruleng.lang.parse.spelling import ODD, odd_character
from ruleng.lang.source import Source, Span


class Part(NamedTuple):
    """An expression with the characters that it takes up, its parentheses included."""

    expr: Expr
    start: int
    end: int
    depth: int = 0  # of and, or and not inside each other


class Conditions(Transformer_NonRecursive[Token, Any]):
    """Lark's tree of a condition to ours; a method for each rule of condition.lark.

    `levels`: how deep `and`, `or` and `not` may stand inside each other, so that what walks the tree may be recursive.
    `strict`: what Falco takes although it cannot be meant is an error, not a warning.
    """

    def __init__(self, source: Source, levels: int, *, strict: bool = False) -> None:
        super().__init__(visit_tokens=False)
        self.source = source
        self.levels = levels
        self.strict = strict
        self.diagnostics: list[Diagnostic] = []

    @property
    def failed(self) -> bool:
        return any(diagnostic.is_error for diagnostic in self.diagnostics)

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def condition(self, children: list[Part]) -> Expr:
        return children[0].expr

    def continuation(self, children: list[Part]) -> list[Part]:
        return children

    def operand(self, children: list[Token | Call]) -> FieldRef | Call:
        return self._operand(children[0])

    # logic

    def either(self, children: list[Part]) -> Part:
        start, end = children[0].start, children[-1].end
        expr = Or(tuple([part.expr for part in children]), self.span(start, end))
        return self.deeper(expr, start, end, max([part.depth for part in children]))

    def both(self, children: list[Part]) -> Part:
        start, end = children[0].start, children[-1].end
        expr = And(tuple([part.expr for part in children]), self.span(start, end))
        return self.deeper(expr, start, end, max([part.depth for part in children]))

    def group(self, children: list[Any]) -> Part:
        opening, part, closing = children
        return Part(part.expr, start_of(opening), end_of(closing), part.depth)

    or_group = and_group = group

    def negated(self, children: list[Any]) -> Part:
        *nots, part = children
        return self.negation(part, nots, part.end)

    def negated_group(self, children: list[Any]) -> Part:
        *nots, part, closing = children
        return self.negation(part, nots, end_of(closing))

    def negation(self, part: Part, nots: list[Token], end: int) -> Part:
        """An even number of `not` in a row is none."""
        start = start_of(nots[0])
        if len(nots) % 2 == 0:
            return Part(part.expr, start, end, part.depth)
        return self.deeper(Not(part.expr, self.span(start, end)), start, end, part.depth)

    def deeper(self, expr: Expr, start: int, end: int, depth: int) -> Part:
        if depth == self.levels:
            self.diagnostics.append(syntax.too_deep(self.span(start, start + 1), self.levels))
        return Part(expr, start, end, depth + 1)

    def ref(self, children: list[Token]) -> Part:
        (token,) = children
        return Part(Ref(str(token), self.span(start_of(token), end_of(token))), start_of(token), end_of(token))

    # checks

    def exists(self, children: list[Any]) -> Part:
        left, token = children
        operand = self._operand(left)
        span = self.span(operand.span.start, end_of(token))
        return Part(Check(operand, "exists", None, None, span), span.start, span.end)

    def number_check(self, children: list[Any]) -> Part:
        left, op, right = children
        return self._check(left, op, None, right)

    text_check = list_check = number_check

    def modified_check(self, children: list[Any]) -> Part:
        left, op, modifier, right = children
        return self._check(left, op, str(modifier), right)

    def _check(self, left: Token | Call, op: Token, modifier: str | None, right: Token | Call | ListLit) -> Part:
        operand = self._operand(left)
        value = self.literal(right) if isinstance(right, Token) else right
        span = self.span(operand.span.start, value.span.end)
        return Part(Check(operand, str(op), value, cast(Modifier | None, modifier), span), span.start, span.end)

    def values(self, children: list[Token]) -> ListLit:
        opening, *items, closing = children
        return ListLit(tuple(map(self.literal, items)), self.span(start_of(opening), end_of(closing)))

    # operands

    def call(self, children: list[Any]) -> Call:
        opening, *arguments, closing = children
        arg = self._argument(start_of(closing) + 1, closing[2:-1]) if len(closing) > 1 else None
        span = self.span(start_of(opening), end_of(closing))
        return Call(str(opening[:-1]), tuple(map(self._value, arguments)), arg, span)

    val = call

    def operands(self, children: list[Any]) -> OperandList:
        opening, *items, closing = children
        return OperandList(tuple(map(self._value, items)), self.span(start_of(opening), end_of(closing)))

    def _value(self, child: Token | Call | OperandList) -> Argument:
        if not isinstance(child, Token):
            return child
        return self.field(child) if child.type == "FIELD" else self.literal(child)

    def _operand(self, child: Token | Call) -> FieldRef | Call:
        return self.field(child) if isinstance(child, Token) else child

    def field(self, token: Token) -> FieldRef:
        name, bracket, arg = str(token).partition("[")
        span = self.span(start_of(token), end_of(token))
        return FieldRef(name, self._argument(start_of(token) + len(name) + 1, arg[:-1]) if bracket else None, span)

    def _argument(self, start: int, text: str) -> str:
        return self._unescaped(start, text) if text[0] in "\"'" else text

    def literal(self, token: Token) -> Literal:
        span = self.span(start_of(token), end_of(token))
        if token.type == "QUOTED":
            return Literal(self._unescaped(start_of(token), token), True, span)
        if not token.isascii():
            self._look_for_odd(start_of(token), token)
        return Literal(str(token), False, span)

    def _look_for_odd(self, start: int, text: str) -> None:
        odd = ODD.search(text)
        if odd:
            mistake = odd_character(self.span(start + odd.start(), start + odd.end()))
            self.diagnostics.append(mistake if self.strict else replace(mistake, severity="warning"))

    def _unescaped(self, start: int, quoted: str) -> str:
        string = unescape(quoted)
        self.bad_escapes(start, quoted, string)
        return string.text

    def bad_escapes(self, start: int, quoted: str, string: Unescaped) -> None:
        """Complain of what means nothing in a text in quotes that begins at `start`."""
        for bad in string.problems:
            self.diagnostics.append(syntax.bad_escape(self.span(start + bad.start, start + bad.end), quoted[0]))
