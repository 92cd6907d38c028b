"""What a condition may say: each mistake with its code and the characters that it marks, and what right ones become."""

from __future__ import annotations

import pytest

from ruleng.fields.address import parse_address, parse_network
from ruleng.fields.catalogue import standard
from ruleng.fields.types import Catalogue, FieldType
from ruleng.lang import checked as tree
from ruleng.lang.ast import Dialect
from ruleng.lang.check import check_condition
from ruleng.lang.checked import All, AnyOf, Apply, Checked, Constant, FieldUse, Negate, Op
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source
from tests.lang.made_up import CATALOGUE


def check(text: str, dialect: Dialect = "rules", catalogue: Catalogue = CATALOGUE) -> tuple[Checked | None, list[Diagnostic]]:
    expr, problems = parse_condition(Source("test.rules", text))
    assert expr is not None, problems
    return check_condition(expr, catalogue, dialect=dialect)


def found(text: str, dialect: Dialect = "rules", catalogue: Catalogue = CATALOGUE) -> list[tuple[str, str]]:
    """The code of each diagnostic and the text that it marks."""
    return [(problem.code, problem.span.text if problem.span else "") for problem in check(text, dialect, catalogue)[1]]


def single(text: str, dialect: Dialect = "rules") -> tree.Test:
    checked, problems = check(text, dialect)
    assert isinstance(checked, tree.Test), problems
    return checked


ERRORS = {
    # fields
    "t.txt = a": ("R0203", "t.txt"),
    "t.text = a and no.such exists": ("R0203", "no.such"),
    "t.text = val(t.txt)": ("R0203", "t.txt"),
    "tolower(t.txt) = a": ("R0203", "t.txt"),
    "t.named = a": ("R0204", "t.named"),
    "t.text[1] = a": ("R0205", "t.text[1]"),
    "t.named.x[1] = a": ("R0205", "t.named.x[1]"),
    "t.nth[one] = a": ("R0206", "t.nth[one]"),
    "evt.type = opne": ("R0207", "opne"),
    "evt.type in (open, exceve)": ("R0207", "exceve"),
    "evt.type = oneof (open, exceve)": ("R0207", "exceve"),
    "t.printed = a": ("R0209", "t.printed"),
    # operators
    "t.int64 contains 1": ("R0301", "contains"),
    "t.int64 = oneof (1) and t.int64 regex oneof (1)": ("R0301", "regex"),
    "t.bool < 1": ("R0301", "<"),
    "t.bool > val(t.bool)": ("R0301", ">"),
    "t.text bcontains 61": ("R0301", "bcontains"),
    "t.bytes icontains a": ("R0301", "icontains"),
    "t.address startswith 10": ("R0301", "startswith"),
    "t.network < 1": ("R0301", "<"),
    "t.texts = a": ("R0301", "="),
    "t.texts contains a": ("R0301", "contains"),
    "t.texts = anyof (a)": ("R0301", "="),
    "len(t.text) contains 1": ("R0301", "contains"),
    # values
    "t.int64 = 0x1f": ("R0302", "0x1f"),
    "t.int64 = 1.0": ("R0302", "1.0"),
    't.int64 = ""': ("R0302", '""'),
    "t.span = 5s": ("R0302", "5s"),
    "t.uint32 in (1, two, 3)": ("R0302", "two"),
    "t.uint32 = -1": ("R0303", "-1"),
    "t.uint8 = 256": ("R0303", "256"),
    "t.int8 = 128": ("R0303", "128"),
    "t.port = 70000": ("R0303", "70000"),
    "t.bool = yes": ("R0304", "yes"),
    "t.bool = TRUE": ("R0304", "TRUE"),
    "t.address = localhost": ("R0305", "localhost"),
    "t.address = 10.0.0.0/8": ("R0305", "10.0.0.0/8"),
    "t.address = ::ffff:10.0.0.1": ("R0305", "::ffff:10.0.0.1"),
    "t.network = 10.0.0.0": ("R0306", "10.0.0.0"),
    "t.network = 10.0.0.0/33": ("R0306", "10.0.0.0/33"),
    "t.port = htps": ("R0307", "htps"),
    "t.port = -1": ("R0307", "-1"),
    't.port = ""': ("R0307", '""'),
    't.text = "a\\x00b"': ("R0308", '"a\\x00b"'),
    't.path glob "\\x00?"': ("R0308", '"\\x00?"'),
    "t.bytes bcontains cafebab": ("R0309", "cafebab"),
    "t.bytes bstartswith zz": ("R0309", "zz"),
    't.text regex "b(\\\\w+"': ("R0310", "\\w"),
    "t.text regex a[": ("R0310", "["),
    # transformers
    "tolower(t.text, t.text) = a": ("R0321", "tolower(t.text, t.text)"),
    'concat("a") = a': ("R0321", 'concat("a")'),
    "tolower(t.int64) = a": ("R0322", "t.int64"),
    "tolower(t.numbers) in (a)": ("R0322", "t.numbers"),
    "len(t.int64) = 1": ("R0322", "t.int64"),
    'join("-", "a") = a': ("R0322", '"a"'),
    'join(t.texts, ("a")) = a': ("R0322", "t.texts"),
    'concat(t.texts, "a") = a': ("R0322", "t.texts"),
    'getopt(t.numbers, "a") intersects (a)': ("R0322", "t.numbers"),
    'join("-", ("a", t.int64)) = a': ("R0322", "t.int64"),
    "tolower(t.text)[x] = a": ("R0323", "tolower(t.text)[x]"),
    'getopt(t.texts, "ab")[ab] exists': ("R0323", 'getopt(t.texts, "ab")[ab]'),
    't.text = val(t.other)[x] or t.text = ""': ("R0323", "val(t.other)[x]"),
    "tolower(t.ends) = a": ("R0324", "t.ends"),
    # fields on the right
    "t.text regex val(t.other)": ("R0330", "regex"),
    "t.text pmatch val(t.other)": ("R0330", "pmatch"),
    "t.ends = val(t.address)": ("R0331", "t.ends"),
    "t.address = val(t.ends)": ("R0331", "val(t.ends)"),
    "t.network = val(t.address)": ("R0331", "t.network"),
    "evt.type = val(t.text)": ("R0331", "evt.type"),
    "t.text = val(t.int64)": ("R0332", "t.text = val(t.int64)"),
    "t.int64 = val(t.uint32)": ("R0332", "t.int64 = val(t.uint32)"),
    "t.text in val(t.texts)": ("R0332", "t.text in val(t.texts)"),
    "t.uint64 = tolower(t.text)": ("R0332", "t.uint64 = tolower(t.text)"),
    # macros are put in before
    "t.text = a and spawned": ("R0220", "spawned"),
}


@pytest.mark.parametrize(("text", "expected"), ERRORS.items())
def test_a_mistake_has_its_code_and_marks_what_is_wrong(text: str, expected: tuple[str, str]) -> None:
    checked, _ = check(text)
    assert checked is None
    assert found(text) == [expected]


WARNINGS = {
    "t.old = a and t.old = b": [("R0208", "t.old")],
    "t.text regex .*a": [("R0311", ".*a")],
    "t.text regex anyof (^a$, [ab])": [("R0311", "^a$")],
    "t.text glob a\\": [("R0312", "a\\")],
    "t.text iglob [a": [("R0312", "[a")],
    "t.text pmatch ([[:letter:]])": [("R0312", "[[:letter:]]")],
    "t.text = t.other": [("R0313", "t.other")],
    "t.text in (a, t.named.x)": [("R0313", "t.named.x")],
    "t.text in (<NA>)": [("R0315", "<NA>")],
}


@pytest.mark.parametrize(("text", "expected"), WARNINGS.items())
def test_a_suspicious_value_is_a_warning_and_keeps_its_meaning(text: str, expected: list[tuple[str, str]]) -> None:
    checked, problems = check(text)
    assert checked is not None
    assert found(text) == expected
    assert all(problem.severity == "warning" for problem in problems)


def test_quotes_say_that_a_text_is_meant_except_in_falco_files() -> None:
    assert found('t.text = "t.other"') == []
    assert found('t.text = "t.other"', "falco") == [("R0313", '"t.other"')]
    assert found('t.text = "tolower( t.other )"', "falco") == [("R0314", '"tolower( t.other )"')]


def test_a_word_with_dots_that_is_no_field_is_just_text() -> None:
    assert found("t.text in (t.nosuch, a.b.c, t.named, t.text[3])") == []


def test_all_mistakes_of_a_condition_are_found_at_once_and_none_follows_from_another() -> None:
    text = "t.txt contains 1 and (t.int64 = x or not t.bool = 1) and tolower(no.such) = val(t.printed)"
    assert found(text) == [("R0203", "t.txt"), ("R0302", "x"), ("R0304", "1"), ("R0203", "no.such"), ("R0209", "t.printed")]


def test_the_nearest_name_is_proposed() -> None:
    helps = [problem.help for problem in check("t.itn64 = 1 and evt.type = opn and t.port = shh")[1]]
    assert helps == ["did you mean `t.int64`?", "did you mean `open`?", "did you mean `ssh`?"]


def test_a_misspelt_parameter_proposes_the_right_one() -> None:
    _, problems = check("evt.arg.flagz contains x", catalogue=standard())
    assert [problem.help for problem in problems] == ["did you mean `evt.arg.flags`?"]


def test_a_field_where_a_number_is_wanted_is_one_mistake_that_proposes_its_value() -> None:
    _, problems = check("t.int64 = t.uint32")
    assert [(problem.code, problem.help) for problem in problems] == [("R0302", "the field's value is `val(t.uint32)`")]


def test_every_diagnostic_of_a_rule_carries_its_name() -> None:
    expr, _ = parse_condition(Source("x", "no.such = 1"))
    assert expr is not None
    _, problems = check_condition(expr, CATALOGUE, rule="A rule")
    assert [problem.rule for problem in problems] == ["A rule"]


# --- what conditions become -------------------------------------------------------------------------------------------

TYPED: dict[str, tuple[Op, tuple[object, ...]]] = {
    "t.text = a": (Op.EQ, ("a",)),
    "t.text == a": (Op.EQ, ("a",)),
    "t.text < 10": (Op.LT, ("10",)),
    "t.text exists": (Op.EXISTS, ()),
    "t.text in (b, a, b)": (Op.IN, ("b", "a")),
    "t.text in a": (Op.IN, ("a",)),
    "t.text in ()": (Op.IN, ()),
    "t.path pmatch (/etc, /var/*)": (Op.PMATCH, ("/etc", "/var/*")),
    "t.text regex [a-z]+x?": (Op.REGEX, ("[a-z]+x?",)),
    't.bytes = "a\\x00\\xff"': (Op.EQ, (b"a\0\xff",)),
    "t.bytes bcontains CAfe": (Op.BCONTAINS, (b"\xca\xfe",)),
    "t.int64 = +05": (Op.EQ, (5,)),
    "t.int64 >= -9223372036854775808": (Op.GE, (-(2**63),)),
    "t.port in (ssh, 22, https)": (Op.IN, (22, 443)),
    "t.bool != true": (Op.NE, (True,)),
    "t.double > 2": (Op.GT, (2.0,)),
    "t.double > 2.5": (Op.GT, (2.5,)),
    "t.address = 10.1.2.3": (Op.EQ, (parse_address("10.1.2.3"),)),
    "t.ends in (10.1.2.3, 0:0::1)": (Op.IN, (parse_address("10.1.2.3"), parse_address("::1"))),
    "t.network = 10.1.2.3/8": (Op.EQ, (parse_network("10.0.0.0/8"),)),
    "t.network in (::/0)": (Op.IN, (parse_network("::/0"),)),
    "len(t.text) > 3": (Op.GT, (3,)),
}


@pytest.mark.parametrize(("text", "expected"), TYPED.items())
def test_a_literal_has_the_type_of_the_left_side(text: str, expected: tuple[Op, tuple[object, ...]]) -> None:
    test = single(text)
    assert (test.op, test.values) == expected
    assert [type(value) for value in test.values] == [type(value) for value in expected[1]]


def test_duplicates_count_for_oneof_only() -> None:
    assert single("t.text = oneof (a, a)").values == ("a", "a")
    assert single("t.text = anyof (a, a)").values == ("a",)
    assert single("t.text = allof (a, a)").values == ("a",)


def test_logic_keeps_its_shape() -> None:
    checked, _ = check("t.text = a and (t.text = b or not t.text = c)")
    assert isinstance(checked, All)
    assert isinstance(checked.children[1], AnyOf)
    assert isinstance(checked.children[1].children[1], Negate)
    assert checked.span is not None
    assert checked.span.text == "t.text = a and (t.text = b or not t.text = c)"


def test_equal_checks_at_different_places_are_equal() -> None:
    checked, _ = check("t.text = a or t.text = a")
    assert isinstance(checked, AnyOf)
    first, second = checked.children
    assert first == second
    assert hash(first) == hash(second)
    assert first.span != second.span


def test_an_argument_after_a_dot_is_the_argument_in_brackets() -> None:
    after_dot, in_brackets = single("t.named.a.b = x").left, single("t.named[a.b] = x").left
    assert after_dot == in_brackets
    assert isinstance(after_dot, FieldUse)
    assert after_dot.arg == "a.b"


def test_a_raw_parameter_has_the_type_of_the_parameter() -> None:
    checked, _ = check("evt.rawarg.res < 0", catalogue=standard())
    assert isinstance(checked, tree.Test)
    assert (checked.left.type, checked.values) == (FieldType.INT64, (0,))


def test_val_leaves_no_trace_and_in_with_one_field_is_equality() -> None:
    test = single("t.text in val(t.other)")
    assert (test.op, test.values) == (Op.EQ, ())
    assert isinstance(test.right, FieldUse)
    assert test.right.field.name == "t.other"


def test_a_path_compares_with_a_string() -> None:
    assert single("t.path = val(t.text)").right is not None


def test_transformers_have_the_type_of_their_result() -> None:
    nested = single('getopt(t.texts, "p:")[p] = x').left
    assert isinstance(nested, Apply)
    assert (nested.type, nested.is_list, nested.arg) == (FieldType.STRING, False, "p")
    assert nested.args[1] == Constant("p:")
    length = single("len(tolower(t.texts)) = 1").left
    assert isinstance(length, Apply)
    assert (length.type, length.is_list) == (FieldType.UINT64, False)
    inner = length.args[0]
    assert (inner.type, inner.is_list) == (FieldType.STRING, True)
    decoded = single("b64(t.bytes) = x").left
    assert decoded.type is FieldType.BYTES


# --- Falco's dialect --------------------------------------------------------------------------------------------------

FALCO: dict[str, tuple[object, str]] = {
    "t.uint32 = -1": (2**32 - 1, "R0303"),
    "t.uint32 = 4294967296": (0, "R0303"),
    "t.int64 = 9223372036854775808": (2**63 - 1, "R0303"),
    "t.uint64 = 18446744073709551616": (2**64 - 1, "R0303"),
    "t.uint64 = -1": (2**64 - 1, "R0303"),
    "t.int8 = 200": (-56, "R0303"),
    "t.port = 70000": (70000 - 65536, "R0303"),
    't.port = ""': (0, "R0307"),
}


@pytest.mark.parametrize(("text", "expected"), FALCO.items())
def test_where_falco_is_silently_odd_its_files_keep_the_meaning_and_warn(text: str, expected: tuple[object, str]) -> None:
    value, code = expected
    test = single(text, "falco")
    assert test.values == (value,)
    assert [got for got, _ in found(text, "falco")] == [code]


@pytest.mark.parametrize("text", ["t.double > 2.5", "t.network = ::/0"])
def test_what_only_ruleng_understands_is_an_error_in_falco_files(text: str) -> None:
    assert check(text)[0] is not None
    assert check(text, "falco")[0] is None


def test_a_deprecated_field_has_falcos_code_only_where_falco_warns() -> None:
    catalogue = standard()
    codes = [problem.falco for problem in check("evt.dir = < and evt.latency.quantized > 1", "falco", catalogue)[1]]
    assert codes == ["LOAD_DEPRECATED_ITEM", None]


def test_falco_knows_unsafe_comparisons_with_na_for_two_plugins_only() -> None:
    catalogue = Catalogue.of(
        [field for field in CATALOGUE if field.name == "t.text"]
        + [type(field)(name="ka.verb", type=field.type, doc="") for field in CATALOGUE if field.name == "t.text"],
        [],
    )
    problems = check("t.text = <NA> or ka.verb in (<NA>)", "falco", catalogue)[1]
    assert [problem.falco for problem in problems] == ["LOAD_UNSAFE_NA_CHECK"]


# --- depth ------------------------------------------------------------------------------------------------------------


def test_a_condition_as_deep_as_the_parser_allows_is_checked() -> None:
    depth = 190
    text = "t.text = a and (" * depth + "t.text = b" + ")" * depth
    assert check(text)[0] is not None


def test_transformers_have_a_limit_of_depth() -> None:
    text = "tolower(" * 100 + "t.text" + ")" * 100 + " = a"
    assert [code for code, _ in found(text)] == ["R0326"]
