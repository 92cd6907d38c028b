"""YAML nodes know where each of their characters stands in the file."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ruleng.lang.nodes import MAX_DEPTH, Mapped, Scalar, Sequenced, compose, name_of, source_of
from ruleng.lang.source import Source, Span


def only(text: str) -> Scalar:
    (document,), problem = compose(Source("x.yaml", text))
    assert problem is None
    assert isinstance(document, Mapped)
    node = document.get("key")
    assert isinstance(node, Scalar)
    return node


def lines_of(text: str, value: str) -> list[tuple[str, tuple[int, int]]]:
    """Each word of the value with the line and column that it is said to have in the file."""
    source = Source("x.yaml", text)
    scalar = only(text)
    assert scalar.text == value
    inner = source_of(source, scalar)
    found = []
    at = 0
    for word in value.split():
        at = value.index(word, at)
        place = Span(inner, at, at + len(word)).located()
        found.append((place.text, place.source.position(place.start)))
        at += len(word)
    return found


@pytest.mark.parametrize(
    ("text", "value", "words"),
    [
        ("key: one two\n", "one two", [("one", (1, 6)), ("two", (1, 10))]),
        ("key: one\n  two\n", "one two", [("one", (1, 6)), ("two", (2, 3))]),
        ("key: one\n\n  two\n", "one\ntwo", [("one", (1, 6)), ("two", (3, 3))]),
        ("key: 'it''s me'\n", "it's me", [("it''s", (1, 7)), ("me", (1, 13))]),
        ("key: 'one\n  two'\n", "one two", [("one", (1, 7)), ("two", (2, 3))]),
        ('key: "a\\x41\\tb c"\n', "aA\tb c", [("a\\", (1, 7)), ("b", (1, 14)), ("c", (1, 16))]),
        ('key: "one \\\n   two"\n', "one two", [("one", (1, 7)), ("two", (2, 4))]),
        ('key: "on\\\n   \\ e"\n', "on e", [("on", (1, 7)), ("e", (2, 6))]),
        ("key: >\n  one\n  two\n\n  three\n", "one two\nthree\n", [("one", (2, 3)), ("two", (3, 3)), ("three", (5, 3))]),
        ("key: >-  # why\n    one\n      two\n", "one\n  two", [("one", (2, 5)), ("two", (3, 7))]),
        ("key: |2\n   one\n  two\n", " one\ntwo\n", [("one", (2, 4)), ("two", (3, 3))]),
        ("key: |\r\n  one\r\n  two\r\n", "one\ntwo\n", [("one", (2, 3)), ("two", (3, 3))]),
        ("key: &anchor !!str one two\n", "one two", [("one", (1, 20)), ("two", (1, 24))]),
        ("key: &anchor >\n  one\n  two\n", "one two\n", [("one", (2, 3)), ("two", (3, 3))]),
        ('# é\nkey: "é one"\n', "é one", [("é", (2, 7)), ("one", (2, 9))]),
    ],
)
def test_every_word_of_a_scalar_leads_to_its_line_and_column(
    text: str, value: str, words: list[tuple[str, tuple[int, int]]]
) -> None:
    assert lines_of(text, value) == [(word, place) for word, place in words]


printable = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.sampled_from("\n\t \"'\\#:&"), max_size=80
)


@given(value=printable, style=st.sampled_from([None, "'", '"', "|", ">"]), width=st.integers(10, 60))
def test_a_character_that_is_no_blank_stands_in_the_file_or_as_an_escape(value: str, style: str | None, width: int) -> None:
    text = yaml.dump({"key": value}, default_style=style, width=width, allow_unicode=True)
    text = text.replace('"key"', "key").replace("'key'", "key").replace('!!str "', '"')
    source = Source("x.yaml", text)
    (document,), problem = compose(source)
    assert problem is None
    scalar = next(iter(document.entries.values()))[1]
    assert scalar.text == value
    inner = source_of(source, scalar)
    for index, char in enumerate(value):
        _, offset = inner.locate(index)
        assert scalar.start <= offset <= scalar.end
        assert char.isspace() or text[offset] in {char, "\\"}


def test_the_span_of_a_name_has_the_names_text() -> None:
    source = Source("x.yaml", "key: 'it''s'\n")
    name = name_of(source, only(source.text))
    assert (name.text, name.span.text) == ("it's", "it's")
    assert name.span.located().text == "it''s"


def test_of_a_key_written_twice_the_first_counts() -> None:
    (document,), _ = compose(Source("x.yaml", "a: 1\na: 2\n"))
    assert document.get("a").text == "1"
    assert [key.start for key in document.again] == [5]


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("a: b: c\n", "mapping values are not allowed in this context", 4),
        ("- a\n\t- b\n", "found a tab character that violates indentation while scanning a plain scalar", 4),
        ("é: \x01\n", "character 0x0001 may not stand in YAML", 3),
        ("a: \ud800\n", "a half of a surrogate pair may not stand in YAML", 3),
        ("- *nobody\n", "nothing has the anchor `nobody`", 2),
        ("- &a [*a]\n", "nothing has the anchor `a`", 6),
        ("[" * 101, "nested deeper than 100 levels", 100),
        ('- "never closed\n', "found unexpected end of stream while scanning a quoted scalar", 16),
    ],
)
def test_what_is_no_yaml_is_a_problem_at_its_place(text: str, message: str, offset: int) -> None:
    documents, problem = compose(Source("x.yaml", text))
    assert documents == []
    assert problem is not None
    assert (problem.message, problem.offset) == (message, offset)


def test_documents_before_the_problem_are_kept() -> None:
    documents, problem = compose(Source("x.yaml", "- a\n---\n- b\n---\n- *nobody\n"))
    assert len(documents) == 2
    assert problem is not None


def test_aliases_that_multiply_are_refused_before_anybody_walks_them() -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, MAX_DEPTH)
    )
    _, problem = compose(Source("x.yaml", laughs))
    assert problem is not None
    assert problem.message == "aliases repeat more than 1000000 values"


def test_an_alias_is_the_node_that_it_names() -> None:
    (document,), problem = compose(Source("x.yaml", "- &a [x]\n- *a\n"))
    assert problem is None
    assert isinstance(document, Sequenced)
    assert document.items[0] is document.items[1]


@given(st.text())
def test_any_text_gives_documents_or_a_problem(text: str) -> None:
    source = Source("x.yaml", text)
    _, problem = compose(source)
    assert problem is None or 0 <= problem.offset <= len(text)
