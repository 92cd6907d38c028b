"""Literals to values: the numbers of the C library, patterns of fnmatch(3) and RE2."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ruleng.fields.types import FieldType
from ruleng.lang.ast import Dialect, Literal
from ruleng.lang.checked import Op
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.services import PORTS
from ruleng.lang.source import Source, Span
from ruleng.lang.values import Reading, pattern_problem, plainer, read, wrap


def reading(text: str, type: FieldType, op: Op = Op.EQ, dialect: Dialect = "rules") -> Reading:
    return read(Literal(text, False, Span(Source("x", text), 0, len(text))), type, op, dialect)


LIBC = ctypes.CDLL(None)
SCANNED: dict[tuple[int, bool], tuple[str, type[ctypes._SimpleCData[int]]]] = {
    (8, True): ("%hhd", ctypes.c_int8),
    (16, True): ("%hd", ctypes.c_int16),
    (32, True): ("%d", ctypes.c_int32),
    (64, True): ("%ld", ctypes.c_int64),
    (8, False): ("%hhu", ctypes.c_uint8),
    (16, False): ("%hu", ctypes.c_uint16),
    (32, False): ("%u", ctypes.c_uint32),
    (64, False): ("%lu", ctypes.c_uint64),
}


@given(
    st.one_of(
        st.integers(-(2**70), 2**70),
        st.sampled_from((2**7, 2**8, 2**15, 2**16, 2**31, 2**32, 2**63, 2**64)).flatmap(
            lambda edge: st.sampled_from((1, -1)).flatmap(lambda sign: st.integers(sign * edge - 2, sign * edge + 2))
        ),
    ),
    st.sampled_from(sorted(SCANNED)),
)
@example(-(2**64) + 1, (64, False))
@example(-(2**64), (64, False))
def test_a_number_that_does_not_fit_is_what_the_c_library_scans(number: int, width: tuple[int, bool]) -> None:
    form, ctype = SCANNED[width]
    stored = ctype()
    assert LIBC.sscanf(str(number).encode(), form.encode(), ctypes.byref(stored)) == 1
    assert wrap(number, width[0], signed=width[1]) == stored.value


@given(st.integers(-(2**66), 2**66), st.sampled_from([type for type in FieldType if type.integer and type is not FieldType.PORT]))
def test_a_number_is_read_alike_in_both_dialects_or_refused_in_rules_files(number: int, type: FieldType) -> None:
    bits, signed = type.integer or (0, False)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    value, problem = reading(str(number), type)
    falco_value, warning = reading(str(number), type, dialect="falco")
    if low <= number <= high:
        assert (value, problem, falco_value, warning) == (number, None, number, None)
    else:
        assert value is None
        assert isinstance(problem, Diagnostic)
        assert problem.is_error
        assert isinstance(falco_value, int)
        assert low <= falco_value <= high
        assert warning is not None
        assert not warning.is_error


@pytest.mark.parametrize("text", ["", "-", "+-5", "5 ", "5_000", "0x5", "5.0", "1e3", "５", "five", "--5"])
@pytest.mark.parametrize("dialect", ["rules", "falco"])
def test_what_is_no_decimal_number_is_refused(text: str, dialect: Dialect) -> None:
    value, problem = reading(text, FieldType.INT64, dialect=dialect)
    assert value is None
    assert problem is not None
    assert problem.code == "R0302"


def test_a_number_of_a_million_digits_is_out_of_range_and_costs_nothing() -> None:
    value, problem = reading("9" * 1_000_000, FieldType.UINT32, dialect="falco")
    assert value == 2**32 - 1
    assert problem is not None
    assert reading("0" * 1_000_000 + "7", FieldType.UINT32) == (7, None)


HELP = {
    ("0x1f", FieldType.INT64): "write 31: numbers are decimal",
    ("5s", FieldType.RELTIME): "times are written in nanoseconds: 5 seconds are 5000000000",
    ("5.0", FieldType.INT64): "numbers are decimal digits only",
    ("yes", FieldType.BOOL): "did you mean `true`?",
    ("False", FieldType.BOOL): "did you mean `false`?",
    ("maybe", FieldType.BOOL): "write `true` or `false`",
    ("10.0.0.0/8", FieldType.IPADDR): "networks go with `fd.net` and its like",
    ("::ffff:10.1.2.3", FieldType.IPADDR): "write `10.1.2.3`",
    ("htttp", FieldType.PORT): "did you mean `http`?",
}


@pytest.mark.parametrize(("case", "help"), HELP.items())
def test_a_refused_value_comes_with_what_to_write_instead(case: tuple[str, FieldType], help: str) -> None:
    _, problem = reading(*case)
    assert problem is not None
    assert problem.help == help


def test_services_are_those_of_the_usual_host_and_no_name_has_two_ports() -> None:
    assert {name: PORTS[name] for name in ("ssh", "domain", "http", "www", "https", "mysql", "postgresql", "redis")} == {
        "ssh": 22,
        "domain": 53,
        "http": 80,
        "www": 80,
        "https": 443,
        "mysql": 3306,
        "postgresql": 5432,
        "redis": 6379,
    }
    assert all(0 < port < 2**16 for port in PORTS.values())
    assert len(PORTS) > 300


def test_bytes_are_those_that_the_file_had() -> None:
    raw = b"\xff\xfe/a\xc3\xa9"
    assert reading(raw.decode("utf-8", "surrogateescape"), FieldType.BYTES) == (raw, None)


# --- regular expressions ----------------------------------------------------------------------------------------------

INVALID = {
    "a(": ("a(", "missing )"),
    "x[a": ("[a", "missing ]"),
    "a{2,1}": ("{2,1}", "invalid repetition size"),
    "x\\d+": ("\\d", "invalid escape sequence"),
    "(?i)abc": ("?", "no argument for repetition operator"),
    "\udcff": ("\udcff", "invalid UTF-8"),
}


@pytest.mark.parametrize(("text", "expected"), INVALID.items())
def test_an_invalid_expression_is_marked_where_re2_stumbles(text: str, expected: tuple[str, str]) -> None:
    value, problem = reading(text, FieldType.STRING, Op.REGEX)
    assert value is None
    assert problem is not None
    assert problem.span is not None
    assert problem.span.text == expected[0]
    assert expected[1] in problem.message


PLAINER = {
    "bash": "= bash",
    "^bash$": "= bash",
    ".*sh": "endswith sh",
    "/etc/.*": "startswith /etc/",
    ".*passwd.*": "contains passwd",
    ".+x": "endswith x",
    "": '= ""',
    "^": '= ""',
    "a.b": None,
    "[ab]": None,
    "a.*b": None,
    "x.{1}": None,
    "x\\.*": None,
    "^.*a": None,
    "(a|b)": None,
}


@pytest.mark.parametrize(("pattern", "instead"), PLAINER.items())
def test_an_expression_that_is_plain_text_has_a_plainer_operator(pattern: str, instead: str | None) -> None:
    assert plainer(pattern) == instead


# --- globs ------------------------------------------------------------------------------------------------------------

PATTERNS = {
    "/etc/*": None,
    "[ab]x": None,
    "[]a]": None,
    "[!]a]x": None,
    "[[:alpha:]_]*": None,
    "a\\[b": None,
    "[a\\]b]": None,
    "[ab": "`[` is not closed and stands for itself",
    "[]": "`[` is not closed and stands for itself",
    "a[!]": "`[` is not closed and stands for itself",
    "a\\": "a backslash at the end matches nothing",
    "[[:letter:]]": "there is no character class `letter`, so it matches nothing",
}


@pytest.mark.parametrize(("pattern", "problem"), PATTERNS.items())
def test_a_glob_that_does_not_do_what_it_seems_to_is_explained(pattern: str, problem: str | None) -> None:
    assert pattern_problem(pattern) == problem
