"""Outputs: which characters after a percent sign are the field, as in Falco."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.lang.ast import Dialect, Name
from ruleng.lang.checked import Apply, FieldUse, Output, OutputField
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.source import Source, Span
from ruleng.lang.template import MAX_WIDTH, parse_output
from tests.lang.made_up import CATALOGUE


def parse(text: str, dialect: Dialect = "rules") -> tuple[Output | None, list[Diagnostic]]:
    source = Source("test.rules", f"output: {text}")
    return parse_output(Name(text, Span(source, 8, 8 + len(text))), CATALOGUE, dialect=dialect, rule="A rule")


def parts(text: str) -> list[str | tuple[str, int | None]]:
    output, problems = parse(text)
    assert output is not None, problems
    return [part if isinstance(part, str) else (part.text, part.width) for part in output.parts]


PARTS: dict[str, list[str | tuple[str, int | None]]] = {
    "": [],
    "nothing to see": ["nothing to see"],
    "%t.text": [("t.text", None)],
    "a %t.text b": ["a ", ("t.text", None), " b"],
    "%t.text%t.other": [("t.text", None), ("t.other", None)],
    "(%t.text)": ["(", ("t.text", None), ")"],
    "%t.text.": [("t.text", None), "."],
    "%t.text... done": [("t.text", None), "... done"],
    "%t.texts": [("t.texts", None)],
    "%t.text=%t.int64,": [("t.text", None), "=", ("t.int64", None), ","],
    "%12t.text": [("t.text", 12)],
    "%0t.text": [("t.text", None)],
    "%t.nth": [("t.nth", None)],
    "%t.nth[2].": [("t.nth[2]", None), "."],
    "%t.nth[x]": [("t.nth", None), "[x]"],
    "%t.nth[%t.int64]": [("t.nth", None), "[", ("t.int64", None), "]"],
    "%t.text[2]": [("t.text", None), "[2]"],
    "%t.named.a.b c": [("t.named.a.b", None), " c"],
    "%t.named[a]": [("t.named[a]", None)],
    '%t.named["a b"]': [('t.named["a b"]', None)],
    "%t.printed": [("t.printed", None)],
    "%toupper(t.text) x": [("toupper(t.text)", None), " x"],
    "%8len(tolower(t.text))": [("len(tolower(t.text))", 8)],
    '%concat(t.text, ")") x': [('concat(t.text, ")")', None), " x"],
    '%getopt(t.texts, "p:")[p]!': [('getopt(t.texts, "p:")[p]', None), "!"],
    "%toupper(t.text)[x]": [("toupper(t.text)", None), "[x]"],
    "日本 %t.text 語": ["日本 ", ("t.text", None), " 語"],
}


@pytest.mark.parametrize(("text", "expected"), PARTS.items())
def test_the_longest_text_that_is_a_field_is_the_field(text: str, expected: list[str | tuple[str, int | None]]) -> None:
    assert parts(text) == expected


MISTAKES = {
    "load 100%": ("R0401", "%"),
    "100%% of": ("R0402", "%%"),
    "100 % of": ("R0402", "%"),
    "%.": ("R0402", "%"),
    "%12": ("R0403", "%12"),
    f"%{MAX_WIDTH + 1}t.text": ("R0403", f"%{MAX_WIDTH + 1}"),
    f"%{'9' * 5000}t.text": ("R0403", f"%{'9' * 5000}"),
    "%no.such": ("R0203", "no.such"),
    "%no.such[2] x": ("R0203", "no.such[2]"),
    "%t.named": ("R0204", "t.named"),
    "%t.ends": ("R0210", "t.ends"),
    "%tolower(t.int64)": ("R0322", "t.int64"),
    "%tolower(no.such)": ("R0203", "no.such"),
    "%tolower(t.text": ("R0402", "%"),
    "%val(t.text)": ("R0402", "%"),
    "%text": ("R0402", "%"),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.items())
def test_a_percent_sign_without_a_field_is_an_error_at_its_place(text: str, expected: tuple[str, str]) -> None:
    output, problems = parse(text)
    assert output is None
    assert [(problem.code, problem.span.text if problem.span else "") for problem in problems] == [expected]
    assert problems[0].falco == "LOAD_ERR_COMPILE_OUTPUT"
    assert problems[0].rule == "A rule"


def test_all_mistakes_of_an_output_are_found_at_once() -> None:
    _, problems = parse("%no.such and %t.text and %also.not and 5%")
    assert [problem.code for problem in problems] == ["R0203", "R0203", "R0401"]


def test_an_unknown_field_proposes_the_nearest() -> None:
    _, problems = parse("%t.txet!")
    assert problems[0].help == "did you mean `t.text`?"


def test_letters_after_a_field_are_text_with_a_warning() -> None:
    output, problems = parse("%t.textual")
    assert output is not None
    assert output.parts[1] == "ual"
    assert [(problem.code, problem.severity, problem.falco) for problem in problems] == [("R0405", "warning", None)]


def test_container_info_prints_nothing_and_is_deprecated() -> None:
    output, problems = parse("a %container.info b %container.infos", "falco")
    assert output is not None
    assert output.parts == ("a  b s",)
    assert {problem.falco for problem in problems} == {"LOAD_DEPRECATED_ITEM"}


def test_a_deprecated_field_in_an_output_is_a_warning_of_ours() -> None:
    output, problems = parse("%t.old")
    assert output is not None
    assert [(problem.code, problem.falco) for problem in problems] == [("R0208", None)]


def test_a_transformer_keeps_its_places_in_the_file() -> None:
    output, _ = parse("x %tolower(t.text)")
    assert output is not None
    field = output.parts[1]
    assert isinstance(field, OutputField)
    assert isinstance(field.operand, Apply)
    inner = field.operand.args[0]
    assert isinstance(inner, FieldUse)
    assert inner.span is not None
    place = inner.span.located()
    assert (place.source.name, place.text) == ("test.rules", "t.text")


WORDS = ("%", "t.text", "t.nth[1]", "t.named.x", "tolower(", ")", "12", " ", ".", "[", "]", "x", '"', "%t.int64", "é")


@given(st.lists(st.sampled_from(WORDS), max_size=12).map("".join))
def test_texts_and_fields_put_together_are_the_output(text: str) -> None:
    output, problems = parse(text)
    assert (output is None) is any(problem.is_error for problem in problems)
    if output is not None:
        whole = "".join(part if isinstance(part, str) else part.span.text if part.span else "" for part in output.parts)
        assert whole == text


@pytest.mark.parametrize(
    "text",
    [
        "%tolower(" * 20_000,
        "%tolower(" + "(x)" * 50_000,
        "%concat(t.text," * 10_000,
        "%" * 100_000,
        "%" + "a." * 100_000 + "b",
        "%" + "t.text" * 50_000,
    ],
)
def test_a_hostile_output_costs_little(text: str) -> None:
    start = time.process_time()
    assert parse(text)[1]
    assert time.process_time() - start < 5
