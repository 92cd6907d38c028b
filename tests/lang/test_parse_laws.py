"""What holds of every text and every tree."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.lang.ast import Condition, Expr, RuleFile
from ruleng.lang.format import format_condition, format_file
from ruleng.lang.layout import WIDTH, lay_out, write_condition
from ruleng.lang.parse import parse_condition, parse_file, parse_operand
from ruleng.lang.source import Source, Span
from tests.lang.strategies import exprs, rule_files

WORDS = (
    *(
        "and",
        "or",
        "not",
        "not(",
        "or(",
        "(",
        ")",
        "a",
        "proc.name",
        "fd.name[1]",
        "evt.arg[",
        "=",
        "!=",
        "<",
        ">=",
        "in",
        "exists",
    ),
    *("contains", "anyof", "val(", "tolower(", "join(", ",", '"x"', "'y'", '"', "\\", "5", "0x1f", "é", "“", "\x00", "\udcff"),
    *(
        "list",
        "macro",
        "rule",
        "append",
        "override",
        "import",
        "x:",
        ":",
        "[",
        "]",
        "{",
        "}",
        '"A"',
        "condition:",
        "output:",
        "tags:",
    ),
    *(
        "exceptions:",
        "throttle:",
        "enabled:",
        "true",
        "5",
        "per",
        "1m",
        "by",
        "sequence",
        "\n",
        "\n",
        "#",
        " ",
        "\t",
        "\r\n",
        "\ufeff",
    ),
)
soups = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join) | st.lists(st.sampled_from(WORDS), max_size=40).map("".join)
any_text = st.text(alphabet=st.characters(), max_size=60) | soups


@given(exprs)
@settings(deadline=None)
def test_a_written_condition_reads_back_as_the_same_tree(expr: Expr) -> None:
    text = write_condition(expr)
    assert parse_condition(Source("", text)) == (expr, [])


@given(exprs, st.integers(0, WIDTH))
@settings(deadline=None)
def test_a_condition_over_several_lines_reads_back_as_the_same_tree(expr: Expr, column: int) -> None:
    text = "\n".join(lay_out(expr, column))
    assert parse_condition(Source("", text)) == (expr, [])


@given(exprs)
@settings(deadline=None)
def test_what_the_canonical_form_reads_back_as_has_the_same_canonical_form(expr: Expr) -> None:
    """Falco's form does not always read back: it leaves out quotes around parentheses, commas and nothing."""
    text = format_condition(expr)
    again, _ = parse_condition(Source("", text))
    assert again is None or parse_condition(Source("", format_condition(again)))[0] in {again, None}


@given(rule_files)
@settings(max_examples=200, deadline=None)
def test_a_written_file_reads_back_as_the_same_file(file: RuleFile) -> None:
    text = format_file(file)
    again, diagnostics = parse_file(Source("", text))
    assert [diagnostic for diagnostic in diagnostics if diagnostic.is_error] == []
    assert [meaning(item) for item in again.items] == [meaning(item) for item in file.items]
    assert format_file(again) == text


def meaning(node: Any) -> Any:
    """A tree without the texts that it came from: of a condition its tree, or what it continues another with."""
    if isinstance(node, Condition):
        return meaning(node.expr) if node.expr else parse_condition(Source("", f"x {node.source.text}"))
    if isinstance(node, tuple):
        return tuple(map(meaning, node))
    if dataclasses.is_dataclass(node):
        parts = {field.name: getattr(node, field.name) for field in dataclasses.fields(node) if field.compare}
        parts |= {"modes": tuple(sorted(parts["modes"]))} if "modes" in parts else {}  # keys are printed in one order
        return type(node).__name__, {name: meaning(part) for name, part in parts.items()}
    return node


@given(any_text)
@settings(max_examples=500, deadline=None)
def test_no_text_ends_the_parser_and_every_refusal_says_where(text: str) -> None:
    source = Source("", text)
    for result, diagnostics in (parse_condition(source), parse_operand(source)):
        assert (result is None) == any(diagnostic.is_error for diagnostic in diagnostics)
        assert all(0 <= span.start <= span.end <= len(text) for span in spans(diagnostics))


@given(any_text)
@settings(max_examples=500, deadline=None)
def test_no_text_ends_the_parser_of_files_and_what_is_not_read_is_told(text: str) -> None:
    file, diagnostics = parse_file(Source("", text))
    assert file.items or diagnostics
    assert not file.broken or any(diagnostic.is_error for diagnostic in diagnostics)
    assert all(0 <= span.start <= span.end <= len(text) for span in spans(diagnostics))
    assert len({(d.code, d.span) for d in diagnostics}) == len(diagnostics), "no mistake is told twice"


def spans(diagnostics: list[Any]) -> list[Span]:
    return [span.located() for d in diagnostics for span in (d.span, *(label.span for label in d.labels)) if span is not None]


@given(exprs)
@settings(deadline=None)
def test_the_place_of_a_condition_is_its_text(expr: Expr) -> None:
    """Every node's place holds a text that reads as that node."""
    text = write_condition(expr)
    tree, _ = parse_condition(Source("", text))
    assert tree is not None
    for node in walk(tree):
        if not (isinstance(node, type(tree)) and node is tree):
            assert parse_condition(Source("", node.span.text))[0] == node


def walk(expr: Any) -> list[Any]:
    children = getattr(expr, "children", None) or ([expr.child] if hasattr(expr, "child") else [])
    return [expr, *(node for child in children for node in walk(child))]
