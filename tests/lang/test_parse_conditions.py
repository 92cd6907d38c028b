"""Conditions: what texts mean, where their nodes are, and how deep they may be. Falco's own cases run in tests/conformance."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ruleng.lang.ast import And, Call, Check, Expr, FieldRef, ListLit, Literal, Not, OperandList, Or, Ref
from ruleng.lang.format import format_condition
from ruleng.lang.parse import parse_condition, parse_operand
from ruleng.lang.source import Source, join


def parsed(text: str) -> Expr:
    expr, diagnostics = parse_condition(Source("a condition", text))
    assert diagnostics == []
    assert expr is not None
    return expr


def refused(text: str, **options: int) -> str:
    expr, diagnostics = parse_condition(Source("a condition", text), **options)
    assert expr is None
    (mistake,) = diagnostics
    return mistake.code


A, B, C = Ref("a"), Ref("b"), Ref("c")
NAME = FieldRef("proc.name")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a and b or c", Or((And((A, B)), C))),
        ("a or b and c", Or((A, And((B, C))))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("a and b and c", And((A, B, C))),
        ("a and (b and c)", And((A, And((B, C))))),
        ("not a and b", And((Not(A), B))),
        ("not not a", A),
        ("not not not(a)", Not(A)),
        ("not (not a)", Not(Not(A))),
        ("(a)and(b)or(c)", Or((And((A, B)), C))),
        ("a\n  and\n  b", And((A, B))),
    ],
)
def test_not_binds_tighter_than_and_and_and_tighter_than_or(text: str, tree: Expr) -> None:
    assert parsed(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("proc.name exists", Check(NAME, "exists", None)),
        ("proc.name=bash", Check(NAME, "=", Literal("bash"))),
        ("proc.name == 'a b'", Check(NAME, "==", Literal("a b", True))),
        ('proc.name != "it\'s"', Check(NAME, "!=", Literal("it's", True))),
        ("proc.name > -1.5e+3", Check(NAME, ">", Literal("-1.5e+3"))),
        ("proc.name in (a, 'b', c.d)", Check(NAME, "in", ListLit((Literal("a"), Literal("b", True), Literal("c.d"))))),
        ("proc.name in()", Check(NAME, "in", ListLit(()))),
        ("proc.name intersects names", Check(NAME, "intersects", Literal("names"))),
        ("proc.name contains anyof (a)", Check(NAME, "contains", ListLit((Literal("a"),)), "anyof")),
        ("proc.name = anyof names", Check(NAME, "=", Literal("names"), "anyof")),
        ("proc.name glob *[a-z].so", Check(NAME, "glob", Literal("*[a-z].so"))),
        ("proc.aname[2] = x", Check(FieldRef("proc.aname", "2"), "=", Literal("x"))),
        ('proc.env["A B"] exists', Check(FieldRef("proc.env", "A B"), "exists", None)),
        ("proc.env[] exists".replace("[]", '[""]'), Check(FieldRef("proc.env", ""), "exists", None)),
        ("proc.name = val(proc.pname)", Check(NAME, "=", Call("val", (FieldRef("proc.pname"),)))),
        ("tolower( proc.name ) in val(proc.args)", Check(Call("tolower", (NAME,)), "in", Call("val", (FieldRef("proc.args"),)))),
        (
            'getopt(proc.args, "t:")[t] = 5',
            Check(Call("getopt", (FieldRef("proc.args"), Literal("t:", True)), "t"), "=", Literal("5")),
        ),
        (
            'join("-", (proc.name, 5, ())) = x'.replace(", ()", ""),
            Check(Call("join", (Literal("-", True), OperandList((NAME, Literal("5"))))), "=", Literal("x")),
        ),
    ],
)
def test_checks_have_a_field_an_operator_and_mostly_a_value(text: str, tree: Expr) -> None:
    assert parsed(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("proc.name existsand a", And((Check(NAME, "exists", None), A))),
        ("proc.name inlist", Check(NAME, "in", Literal("list"))),
        ("proc.name > 5and a", And((Check(NAME, ">", Literal("5")), A))),
        ("proc.name = not", Check(NAME, "=", Literal("not"))),
        ("a and notb", And((A, Ref("notb")))),
        ("not", Ref("not")),
        ("proc.name = anyof and a", And((Check(NAME, "=", Literal("anyof")), A))),
        ("proc.name = a\\nb", Check(NAME, "=", Literal("a\\nb"))),
        ("proc.name = a#b", Check(NAME, "=", Literal("a#b"))),
        ("proc.name = #b", Check(NAME, "=", Literal("#b"))),
        ("proc.name = 'a\\ b'", Check(NAME, "=", Literal("a\\b", True))),
        ("proc.name = é\u00a0x", Check(NAME, "=", Literal("é\u00a0x"))),
    ],
)
def test_words_end_where_falco_ends_them(text: str, tree: Expr) -> None:
    assert parse_condition(Source("", text))[0] == tree


def nodes(expr: Expr) -> Iterator[Expr]:
    yield expr
    match expr:
        case And(children) | Or(children):
            for child in children:
                yield from nodes(child)
        case Not(child):
            yield from nodes(child)


def test_places_are_those_of_the_words_and_of_a_whole_with_its_parentheses() -> None:
    text = "  not (a or  proc.name in (x, y)) and ((b))"
    assert [node.span.text for node in nodes(parsed(text))] == [
        "not (a or  proc.name in (x, y)) and ((b))",
        "not (a or  proc.name in (x, y))",
        "a or  proc.name in (x, y)",
        "a",
        "proc.name in (x, y)",
        "b",
    ]


def test_places_of_operands_and_values() -> None:
    check = parsed('join("-", (fd.name, len( fd.l4proto ))) contains "x\\ty"')
    assert isinstance(check, Check)
    assert isinstance(check.left, Call)
    assert check.right is not None
    assert check.left.span.text == 'join("-", (fd.name, len( fd.l4proto )))'
    assert [arg.span.text for arg in check.left.args] == ['"-"', "(fd.name, len( fd.l4proto ))"]
    assert isinstance(check.left.args[1], OperandList)
    assert [item.span.text for item in check.left.args[1].items] == ["fd.name", "len( fd.l4proto )"]
    assert check.right.span.text == '"x\\ty"'


def test_a_place_in_a_joined_condition_leads_to_its_file() -> None:
    first, second = Source("first.rules", "a"), Source("second.rules", "and  b or proc.name = x")
    expr, _ = parse_condition(join(first, second))
    assert isinstance(expr, Or)
    last = expr.children[-1].span.located()
    assert (last.source.name, last.text) == ("second.rules", "proc.name = x")
    _, (mistake,) = parse_condition(join(first, Source("third.rules", "and b and")))
    assert mistake.span is not None
    assert (mistake.span.located().source.name, mistake.span.located().start) == ("third.rules", 6)


def test_hexadecimal_escapes_are_bytes_and_bytes_that_are_utf_8_are_characters() -> None:
    check = parsed(r'proc.name in ("\x41", "\xff", "\xc3\xa9")')
    assert isinstance(check, Check)
    assert isinstance(check.right, ListLit)
    assert [item.text for item in check.right.items] == ["A", "\udcff", "é"]


# --- depth ------------------------------------------------------------------------------------------------------------


def test_199_parentheses_may_stand_inside_each_other_and_no_more() -> None:
    assert parsed("(" * 199 + "a" + ")" * 199) == A
    assert refused("(" * 200 + "a" + ")" * 200) == "R0109"


def test_the_limit_counts_as_falco_counts() -> None:
    assert refused("(" * 20 + "a" + ")" * 20, max_depth=100) == "R0109"
    assert parse_condition(Source("", "(" * 19 + "a" + ")" * 19), max_depth=100) == (A, [])


@pytest.mark.parametrize("opening", ["(", "not(", "a or(", "a and (", "not (a or b and not ("])
def test_a_tree_at_the_limit_can_be_walked_compared_and_printed(opening: str) -> None:
    """What reads trees is recursive; the limit is low enough for it."""
    deepest = 0
    for depth in (40, 90, 199):
        text = opening * depth + "a" + ")" * (depth * opening.count("("))
        expr, diagnostics = parse_condition(Source("", text))
        if expr is not None:
            deepest = depth
            assert expr == parsed(text)
            assert hash(expr) == hash(parsed(text))
            assert format_condition(expr).startswith(("a", "(", "not"))
        else:
            assert [mistake.code for mistake in diagnostics] == ["R0109"]
    assert deepest


@pytest.mark.parametrize(
    "text", ["(" * 100_000, "not(" * 100_000, "tolower(" * 100_000, "a and (" * 100_000, "not (not " * 100_000]
)
def test_a_hundred_thousand_parentheses_are_one_mistake_told_at_once(text: str) -> None:
    started = time.perf_counter()
    assert refused(text) == "R0109"
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "a.b = '" + "x" * 1_000_000, "a.b = '" + "\\'" * 500_000, "a." * 500_000, "a.b[" * 250_000, " " * 1_000_000],
)
def test_a_line_of_a_megabyte_takes_time_in_proportion(text: str) -> None:
    started = time.perf_counter()
    parse_condition(Source("", text))
    assert time.perf_counter() - started < 5


# --- operands ---------------------------------------------------------------------------------------------------------


def test_an_operand_is_a_field_or_a_transformer_and_nothing_else() -> None:
    assert parse_operand(Source("", "proc.aname[2]")) == (FieldRef("proc.aname", "2"), [])
    assert parse_operand(Source("", " toupper(proc.name) ")) == (Call("toupper", (NAME,)), [])
    for text in ("", "proc", "proc.name = x", "val(proc.name)", "toupper(proc.name"):
        operand, diagnostics = parse_operand(Source("", text))
        assert operand is None
        assert len(diagnostics) == 1


# --- the grammar ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "starts"), [("condition.lark", ["condition", "operand"]), ("rules.lark", ["file"])])
def test_no_text_can_be_read_in_two_ways(name: str, starts: list[str]) -> None:
    """Lark's strict mode: no conflicts of the grammar, and no two words of one priority that match the same text.

    The mode needs interegular. Where that is installed Lark uses it always, and starts five times slower: so it is no
    dependency, not even of tests, and CI gives it to this test alone.
    """
    pytest.importorskip("interegular", reason="Lark's strict mode needs interegular")
    from lark import Lark

    Lark.open_from_package("ruleng", name, ("grammar",), parser="lalr", start=starts, strict=True, maybe_placeholders=False)


def test_the_grammar_says_its_words_in_ascii() -> None:
    for path in (Path(__file__).parents[2] / "grammar").glob("*.lark"):
        assert path.read_text().isascii(), path
