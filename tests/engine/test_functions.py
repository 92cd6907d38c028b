"""Transformers at run time. The cases of getopt are those that Falco's own tests leave open."""

from __future__ import annotations

import pytest

from ruleng.engine.functions import FUNCTIONS, items

TABLE = [
    ("tolower", ("/Usr/BIN",), "/usr/bin"),
    ("tolower", ("ÄB",), "Äb"),  # bytes, as tolower(3) in the C locale: no letters beyond ASCII
    ("toupper", ("ß\udcff",), "ß\udcff"),
    ("tolower", (("A", "b"),), ("a", "b")),
    ("basename", ("/usr/bin/bash",), "bash"),
    ("basename", ("/usr/bin/",), ""),
    ("basename", ("bash",), "bash"),
    ("b64", ("aGVsbG8=",), "hello"),
    ("b64", ("YWFhLWJiYg",), "aaa-bbb"),
    ("b64", ("/w==",), "\udcff"),
    ("b64", ("",), ""),
    ("b64", ("hello",), None),
    ("b64", ("aGV sbG8=",), None),
    ("b64", ("aGVsbG8=\n",), None),
    ("b64", ("日本",), None),
    ("b64", (("YQ==", "?"),), None),
    ("len", ("",), 0),
    ("len", ("日本",), 6),  # bytes
    ("len", ("a\udcff",), 2),
    ("len", ("\ud800",), 3),  # stands for no byte: JSON can hold it
    ("len", (b"a\0b",), 3),
    ("len", (("a", "b"),), 2),
    ("join", ("-", ("a", "b")), "a-b"),
    ("join", ("-", ()), ""),
    ("join", (",", (1, 2)), "1,2"),
    ("concat", ("a", "b", "c"), "abc"),
]


@pytest.mark.parametrize(("name", "arguments", "result"), TABLE)
def test_a_transformer_gives(name, arguments, result):
    assert FUNCTIONS[name](*arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("tolower", (None,)),
        ("len", (None,)),
        ("join", (None, ("a",))),
        ("join", ("-", None)),
        ("concat", ("a", None)),
        ("getopt", (None, "a")),
    ],
)
def test_a_missing_argument_makes_the_result_missing(name, arguments):
    assert FUNCTIONS[name](*arguments) is None


def test_a_list_with_a_missing_item_is_missing():
    assert items("a", None) is None
    assert items("a", "b") == ("a", "b")


GETOPT = [
    (("-n", "-t", "hello"), "nt:", ("n", "t", "hello")),
    (("-nthello",), "nt:", ("n", "t", "hello")),
    (("-t",), "t:", ("",)),  # lacks its argument
    (("-t",), ":t:", ("",)),
    (("-t", ""), "t:", ("t", "")),
    (("-x", "-n"), "n", ("?", "n")),
    (("-n", "--", "-n"), "n", ("n",)),
    (("--long", "-n"), "n", ("n",)),  # long options are passed over
    (("-n", "file", "-t"), "nt", ("n",)),  # no permutation
    (("-", "-n"), "n", ()),
    (("", "-n"), "n", ()),
    ((), "n", ()),
    (("-a:b",), "ab", ("a", "?", "b")),  # a colon is no option
    (("-aX", "-a", "Y"), "aa:", ("a", "X", "a", "Y")),
]


@pytest.mark.parametrize(("args", "options", "found"), GETOPT)
def test_getopt_lists_options_and_their_arguments(args, options, found):
    assert FUNCTIONS["getopt"](args, options) == found


@pytest.mark.parametrize(
    ("args", "wanted", "value"),
    [
        (("-t", "v1", "-t", "v2"), "t", "v2"),
        (("-n", "-t", "v"), "n", "n"),
        (("-t",), "t", ""),
        (("-n",), "t", None),
        (("-x",), "?", None),
    ],
)
def test_getopt_of_one_option_gives_its_last_argument(args, wanted, value):
    assert FUNCTIONS["getopt"](args, "nt:", wanted) == value
