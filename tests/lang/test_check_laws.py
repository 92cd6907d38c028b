"""What holds of any condition: the checker never raises, and says why when it refuses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ruleng.fields.catalogue import standard
from ruleng.lang.ast import (
    And,
    Argument,
    Call,
    Check,
    Dialect,
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
from ruleng.lang.check import check_condition
from ruleng.lang.checked import Op
from ruleng.lang.functions import FUNCTIONS
from ruleng.lang.mistakes import codes
from ruleng.lang.report import render_text
from ruleng.lang.source import Source, Span
from tests.lang.made_up import CATALOGUE

SPAN = Span(Source("x.rules", "t.text = a"), 0, 10)
CATALOGUES = {"made up": CATALOGUE, "standard": standard()}

VALUES = ("", "a", "0", "5", "-1", "+05", "0x5", "5.0", "70000", "99999999999999999999", "true", "https", "10.0.0.1", "::1")
VALUES += ("10.0.0.0/8", "::/0", "cafe", "a[", "a(", "\\", "<NA>", "t.text", "tolower(t.text)", "open", "\0", "\udcff", "a\\d")

texts = st.sampled_from(VALUES) | st.text(max_size=8) | st.text(st.characters(categories=["Cs", "Ll"]), max_size=3)
literals = st.builds(Literal, texts, st.booleans(), st.just(SPAN))
args = st.none() | st.sampled_from(("1", "x", "flags", "", "-1", "res", "HOME", "99999999999999999999"))
names = st.sampled_from(
    [*CATALOGUE.fields, *standard().fields, "evt.arg.flags", "evt.rawarg.res", "evt.arg.no", "t.named.x", "no.such", "x.y.z"]
)
fields = st.builds(FieldRef, names, args, st.just(SPAN))


def _calls(inner: st.SearchStrategy[Argument]) -> st.SearchStrategy[Argument]:
    many = st.lists(inner, max_size=3).map(tuple)
    functions = st.sampled_from([*FUNCTIONS, "val", "nosuch"])
    return st.builds(Call, functions, many, args, st.just(SPAN)) | st.builds(OperandList, many, st.just(SPAN))


arguments: st.SearchStrategy[Argument] = st.recursive(fields | literals, _calls, max_leaves=4)
calls = arguments.filter(lambda argument: isinstance(argument, Call))
operands = fields | calls
rights = st.none() | literals | st.builds(ListLit, st.lists(literals, max_size=3).map(tuple), st.just(SPAN)) | operands
operators = st.sampled_from([*Op, "==", "like", ""])
modifiers: st.SearchStrategy[Modifier | None] = st.sampled_from([None, None, None, "oneof", "anyof", "allof"])
checks = st.builds(Check, operands, operators, rights, modifiers, st.just(SPAN))


def _logic(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    many = st.lists(inner, max_size=3).map(tuple)
    return st.builds(And, many, st.just(SPAN)) | st.builds(Or, many, st.just(SPAN)) | st.builds(Not, inner, st.just(SPAN))


exprs: st.SearchStrategy[Expr] = st.recursive(checks | st.builds(Ref, st.just("macro"), st.just(SPAN)), _logic, max_leaves=6)
dialects: st.SearchStrategy[Dialect] = st.sampled_from(["rules", "falco"])


@given(exprs, st.sampled_from(sorted(CATALOGUES)), dialects)
def test_any_condition_is_checked_or_refused_with_errors_that_are_explained_and_can_be_shown(
    expr: Expr, catalogue: str, dialect: Dialect
) -> None:
    checked, problems = check_condition(expr, CATALOGUES[catalogue], dialect=dialect, rule="r")
    assert (checked is None) is any(problem.is_error for problem in problems)
    assert {problem.code for problem in problems} <= set(codes())
    assert all(problem.message and problem.span is not None and problem.rule == "r" for problem in problems)
    render_text(problems).encode()
    hash(checked)
    assert check_condition(expr, CATALOGUES[catalogue], dialect=dialect, rule="r") == (checked, problems)


@given(exprs, st.sampled_from(sorted(CATALOGUES)))
def test_what_falco_takes_without_a_word_means_the_same_in_rules_files(expr: Expr, catalogue: str) -> None:
    checked, problems = check_condition(expr, CATALOGUES[catalogue], dialect="falco")
    if checked is not None and not problems:
        assert check_condition(expr, CATALOGUES[catalogue])[0] == checked


@given(exprs, exprs)
def test_mistakes_of_two_conditions_are_those_of_both_together(first: Expr, second: Expr) -> None:
    def errors(expr: Expr) -> list[tuple[str, str]]:
        return [(problem.code, problem.message) for problem in check_condition(expr, CATALOGUE)[1] if problem.is_error]

    assert errors(And((first, second), SPAN)) == errors(first) + errors(second)
