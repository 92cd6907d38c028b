"""What each operator means on values; globs are held against fnmatch(3) itself."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.engine import globs, operators
from ruleng.engine.operators import check, check_list, satisfies
from ruleng.fields.address import parse_address, parse_network
from ruleng.lang.checked import Op

A, B = parse_address("10.1.2.3"), parse_address("2001:db8::5")

SATISFIED = [
    (Op.EQ, "bash", "bash"),
    (Op.NE, "bash", "sh"),
    (Op.EQ, A, parse_network("10.0.0.0/8")),
    (Op.EQ, B, parse_network("2001:db8::/32")),
    (Op.NE, B, parse_network("0.0.0.0/0")),
    (Op.LT, "a", "b"),
    (Op.LT, "z", "\udcff"),  # bytes compare, and the byte 0xff is the greatest
    (Op.LT, "\U0001f600", "\udcff"),
    (Op.GE, 5, 5),
    (Op.CONTAINS, "abc", "b"),
    (Op.CONTAINS, b"a\0b", b"\0"),
    (Op.ICONTAINS, "/opt/SubDir", "/sUBd"),
    (Op.ICONTAINS, "stra\u00dfe", "STRA"),
    (Op.STARTSWITH, "/etc/shadow", "/etc"),
    (Op.BSTARTSWITH, b"hello", b"he"),
    (Op.ENDSWITH, "q\udcff", "\udcff"),
    (Op.GLOB, "/etc/a/b", "/etc/*b"),
    (Op.GLOB, "line\nbreak", "line?break"),
    (Op.IGLOB, "BASH", "b[a-c]s?"),
    (Op.REGEX, "/p\udcff/q\udcff", "/p./q."),
    (Op.REGEX, "日本", ".."),
    (Op.REGEX, "xsh", ".*sh"),
    (Op.PMATCH, "/etc/shadow", "/etc"),
    (Op.PMATCH, "/etc/shadow", "etc//"),
    (Op.PMATCH, "/var/lib/docker/x", "/var/*/docker"),
    (Op.PMATCH, "/opt/dir/x", "/opt/di[!x]"),
    (Op.PMATCH, "", ""),
    (Op.PMATCH, "anything", "/"),
]
REFUSED = [
    (Op.EQ, A, parse_network("10.1.2.4/32")),
    (Op.EQ, A, parse_network("::/0")),
    (Op.ICONTAINS, "stra\u00dfe", "STRASSE"),  # bytes fold, not letters beyond ASCII
    (Op.ICONTAINS, "\u212a", "k"),  # the sign of kelvin, which str.lower() makes a k
    (Op.REGEX, "xbash", "bash"),
    (Op.REGEX, "bash\n", "bash"),
    (Op.GLOB, "bash", "b*h?"),
    (Op.GLOB, "a", "a\\"),
    (Op.PMATCH, "/etcetera", "/etc"),
    (Op.PMATCH, "/etc", "/etc/shadow"),
    (Op.PMATCH, "/var/a/b/docker", "/var/*/docker"),
    (Op.PMATCH, "", "/etc"),
]


@pytest.mark.parametrize(("op", "value", "literal"), SATISFIED)
def test_the_operator_is_satisfied(op, value, literal):
    assert satisfies(op, value, literal)


@pytest.mark.parametrize(("op", "value", "literal"), REFUSED)
def test_the_operator_is_not_satisfied(op, value, literal):
    assert not satisfies(op, value, literal)


@pytest.mark.parametrize(
    ("modifier", "literals", "holds"),
    [
        (None, ("a", "b"), True),
        ("anyof", ("a", "b"), True),
        ("oneof", ("a", "b"), True),
        ("oneof", ("a", "a"), False),  # duplicates count
        ("allof", ("a", "b"), False),
        ("allof", ("a", "a"), True),
        (None, (), False),
        ("anyof", (), False),
        ("oneof", (), False),
        ("allof", (), False),
    ],
)
def test_a_modifier_says_how_many_literals_must_satisfy(modifier, literals, holds):
    assert check(Op.EQ, modifier, "a", literals) is holds


@pytest.mark.parametrize(
    ("op", "values", "literals", "holds"),
    [
        (Op.IN, (), ("a",), True),
        (Op.IN, (), (), False),
        (Op.IN, ("a", "b"), ("a", "b", "c"), True),
        (Op.IN, ("a", "x"), ("a", "b"), False),
        (Op.INTERSECTS, ("a", "x"), ("a", "b"), True),
        (Op.INTERSECTS, (), ("a",), False),
        (Op.INTERSECTS, ("a",), (), False),
    ],
)
def test_a_list_is_in_others_or_intersects_them(op, values, literals, holds):
    assert check_list(op, values, literals) is holds


def test_a_dynamic_value_compares_with_its_own_kind_only():
    assert operators.same_kind(1, 2.0)
    assert operators.same_kind(A, parse_network("10.0.0.0/8"))
    assert not operators.same_kind("1", 1)
    assert not operators.same_kind(b"a", "a")


# --- globs ------------------------------------------------------------------------------------------------------------------------

LIBC = ctypes.CDLL(None)
FNM_CASEFOLD = 1 << 4  # fnmatch.h

PATTERNS = st.lists(st.sampled_from([*"abAB*?[]!^-\\/.:", "[:upper:]", "[.-.]", "[=a=]"]), max_size=10).map("".join)
TEXTS = st.text(alphabet="abAB-]/.:!", max_size=6)


def fnmatch(pattern: str, text: str, flags: int) -> bool:
    return LIBC.fnmatch(pattern.encode(), text.encode(), flags) == 0


@given(PATTERNS, TEXTS, st.booleans())
def test_a_glob_is_fnmatch_of_the_c_library(pattern, text, ignore_case):
    ours = globs.glob(pattern, ignore_case=ignore_case).fullmatch(text) is not None
    assert ours is fnmatch(pattern, text, FNM_CASEFOLD if ignore_case else 0)


@pytest.mark.parametrize(
    "pattern",
    [
        "[[:alpha:]]",
        "[^[:digit:]a]",
        "[[:upper:]-]",
        "[]a]",
        "[!]a]",
        "[a-]",
        "[--/]",
        "[b-a]",
        "[[.-.]]",
        "[[=a=]b]",
        "[\\]]",
        "[a",
    ],
)
def test_a_bracket_is_that_of_the_c_library(pattern):
    every = [chr(code) for code in range(1, 128)] + ["", "ab", "[a"]
    assert [text for text in every if globs.glob(pattern).fullmatch(text)] == [text for text in every if fnmatch(pattern, text, 0)]


@given(PATTERNS, TEXTS)
def test_what_a_glob_begins_and_ends_with_is_there_in_whatever_it_matches(pattern, text):
    prefix, suffix = globs.fixed_ends(pattern)
    if globs.glob(pattern).fullmatch(text):
        assert text.startswith(prefix)
        assert text.endswith(suffix)


@given(st.text(alphabet="ab*?[]\\", max_size=6), st.text(alphabet="ab", max_size=5))
def test_a_glob_said_more_simply_says_the_same(pattern, text):
    simpler = globs.plain_glob(pattern)
    if simpler is not None:
        how, literal = simpler
        says = {
            "=": text == literal,
            "startswith": text.startswith(literal),
            "endswith": text.endswith(literal),
            "contains": literal in text,
            "exists": True,
        }
        assert says[how] is (globs.glob(pattern).fullmatch(text) is not None)


def test_a_glob_of_many_stars_takes_no_exponential_time():
    assert not globs.glob("*a" * 30 + "b").fullmatch("a" * 5000)


# --- compiled forms ---------------------------------------------------------------------------------------------------------

LITERALS = st.lists(st.text(alphabet="abAB/*?", max_size=4), min_size=1, max_size=30).map(tuple)
VALUES = st.text(alphabet="abAB/", max_size=10)


@given(LITERALS, VALUES)
def test_many_literals_at_once_are_each_of_them(literals, value):
    assert operators.one_of_paths(literals)(value) is check(Op.PMATCH, None, value, literals)
    assert operators.one_of_globs(literals)(value) is check(Op.GLOB, None, value, literals)
    assert operators.one_of_substrings(literals)(value) is check(Op.CONTAINS, None, value, literals)
    assert operators.one_of_substrings(literals, ignore_case=True)(value) is check(Op.ICONTAINS, None, value, literals)


def test_substrings_beyond_what_one_pattern_may_be_are_all_looked_for():
    literals = tuple(f"literal-{number}-{'x' * 100}" for number in range(20_000))
    search = operators.one_of_substrings(literals)
    assert search(f"before {literals[0]} after")
    assert search(f"before {literals[-1]} after")
    assert not search("literal-7-" + "x" * 99)
