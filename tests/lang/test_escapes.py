"""Quoting: laws, and the escapes that a quoted string has. Falco's own cases run in tests/conformance."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.lang.ast import Check, Literal
from ruleng.lang.escapes import BadEscape, escape, quote, unescape
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source

any_bytes = st.binary(max_size=30).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
texts = st.text(max_size=30) | st.text(alphabet="\\\"'xabn /\n\t ", max_size=30) | any_bytes


@given(texts)
@settings(deadline=None)
def test_a_quoted_text_unquotes_to_itself(text: str) -> None:
    assert unescape(quote(text)).text == text


@given(texts)
@settings(deadline=None)
def test_a_quoted_text_is_one_word_of_a_condition(text: str) -> None:
    expr, diagnostics = parse_condition(Source("", f"a.b = {quote(text)}"))
    assert diagnostics == []
    assert isinstance(expr, Check)
    assert expr.right == Literal(text, True)


@given(texts)
@settings(deadline=None)
def test_falco_quotes_a_text_or_leaves_it_as_it_is(text: str) -> None:
    escaped = escape(text)
    assert escaped == text or unescape(escaped).text == text


@given(st.text(alphabet="\\x0f\"' é\udc80\udcff\ud800n", max_size=20).map(lambda text: f'"{text}"'))
@settings(deadline=None)
def test_every_character_comes_from_a_place_of_the_quoted_text_in_order(quoted: str) -> None:
    read = unescape(quoted)
    assert len(read.offsets) == len(read.text)
    assert list(read.offsets) == sorted(set(read.offsets))
    assert all(0 < offset < len(quoted) - 1 for offset in read.offsets)
    for char, offset in zip(read.text, read.offsets, strict=True):
        assert quoted[offset] in {char, "\\"} or not char.isascii()


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        (r'"\b\f\n\r\t\\\/"', "\b\f\n\r\t\\/"),
        (r'"\""', '"'),
        (r"'\''", "'"),
        (r'"a\ b"', "a\\b"),
        (r'"\x41\x7F"', "A\x7f"),
        (r'"\x00"', "\0"),
        (r'"\xc3\xa9"', "é"),
        (r'"\xc3x"', "\udcc3x"),
        (r'"x\xe2\x82\xacy\xe2\x82"', "x€y\udce2\udc82"),
        ('"\udcc3\\xa9"', "é"),
        (r'"\x413"', "A3"),
    ],
)
def test_escapes_mean_characters_and_bytes(quoted: str, text: str) -> None:
    read = unescape(quoted)
    assert (read.text, read.problems) == (text, ())


@pytest.mark.parametrize(
    ("quoted", "places"),
    [
        (r'"\d"', [(1, 3)]),
        (r'"a\qb\w"', [(2, 4), (5, 7)]),
        (r'"\x"', [(1, 3)]),
        (r'"\xg1"', [(1, 5)]),
        (r'"\xf"', [(1, 4)]),
        (r"""  "\'"  """.strip(), [(1, 3)]),
        (r"""  '\"'  """.strip(), [(1, 3)]),
        ('"\\"', [(1, 2)]),
    ],
)
def test_what_is_no_escape_is_a_problem_with_its_place(quoted: str, places: list[tuple[int, int]]) -> None:
    assert unescape(quoted).problems == tuple(BadEscape(*place) for place in places)


@pytest.mark.parametrize(
    ("text", "escaped", "quoted"),
    [
        ("plain", "plain", '"plain"'),
        ("a b", '"a b"', '"a b"'),
        ("--x=y", '"--x=y"', '"--x=y"'),
        ('say "hi"', r'"say \"hi\""', r'"say \"hi\""'),
        ("(a, b)".replace(" ", ""), "(a,b)", '"(a,b)"'),
        ("", "", '""'),
        ("C:\\", r'"C:\\"', r'"C:\x5c"'),
        ("\udcff", "\udcff", r'"\xff"'),
        ("\x01", r'"\x01"', r'"\x01"'),
    ],
)
def test_falco_prints_some_texts_so_that_they_do_not_read_back_and_we_do_not(text: str, escaped: str, quoted: str) -> None:
    assert escape(text) == escaped
    assert quote(text) == quoted
