"""What is said of texts that cannot be read. « and » stand around the place that a diagnostic points at."""

from __future__ import annotations

import pytest

from ruleng.lang.ast import ListDecl, MacroDecl, RuleDecl, RuleFile
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.parse import parse_condition, parse_file
from ruleng.lang.source import Source
from tests.lang.said import cases

CONDITIONS = [
    # what, code, message, help
    ("proc.name «=>» 5", "R0107", "there is no `=>`", "write `>=`"),
    ("proc.name «=~» x", "R0107", "there is no `=~`", "write `regex`"),
    ("proc.pid «<>» 5", "R0107", "there is no `<>`", "write `!=`"),
    ("proc.name «===» x", "R0107", "there is no `===`", "write `=`"),
    ("a «&&» b", "R0107", "there is no `&&`", "write `and`"),
    ("a «||» b", "R0107", "there is no `||`", "write `or`"),
    ("a.b = c«&&» d", "R0107", "there is no `&&`", "write `and`"),
    ("«!»a", "R0107", "there is no `!`", "write `not`"),
    ("a «AND» b", "R0107", "there is no `AND`", "write `and`"),
    ("«NOT» a", "R0107", "there is no `NOT`", "write `not`"),
    ("proc.name «like» x", "R0107", "there is no `like`", "write `glob`"),
    ("proc.name «startsWith» x", "R0107", "there is no `startsWith`", "write `startswith`"),
    ("proc.name «starts_with» x", "R0107", "there is no `starts_with`", "write `startswith`"),
    ("proc.name «contain» x", "R0107", "unknown operator `contain`", "did you mean `contains`?"),
    ("proc.name «includes» x", "R0107", "there is no `includes`", "write `contains`"),
    ("proc.name «not» in (x)", "R0107", "unknown operator `not`", "`not` stands before the field: `not proc.name in (...)`"),
    ("proc.name «!in» (x)", "R0107", "unknown operator `!in`", "write `not` before the field and `in` here"),
    ("proc.name «contains»'x'", "R0116", "`contains` needs a blank behind it", None),
    ("a «and»not b", "R0116", "`and` needs a blank behind it", None),
    ("proc.name «==»oneof (x)", "R0116", "`==` needs a blank behind it", None),
    ("proc.name == «oneof»(x)", "R0116", "`oneof` needs a blank behind it", None),
    ("proc.name = «ANYOF» (x)", "R0107", "there is no `ANYOF`", "write `anyof`"),
    ("a or(b) «and» c", "R0116", "after `or(...)` only another `or` may follow", "put a blank between `or` and `(`"),
    ("tolower «(»proc.name) = x", "R0116", "a blank between `tolower` and its parenthesis", "write `tolower(`"),
    ("«lower»(proc.name) = x", "R0113", "unknown transformer `lower`", "did you mean `tolower`?"),
    ("«val»(a.b) = x", "R0101", "found `val`, wanted a field", "`val(...)` stands on the right side only"),
    ("proc.cmdline contains «run»(x)", "R0113", "unknown transformer `run`", "a text with parentheses in it needs quotes"),
    (
        "proc.cmdline contains «--user=root»",
        "R0112",
        "a value without quotes ends before `=`",
        'put the value in quotes: `"--user=root"`',
    ),
    ("proc.name = «“»bash”", "R0108", "`“` is a typographic quote", 'write `"`'),
    ("a «–» b", "R0108", "`–` is a dash", "write `-`"),
    ("a.b «≥» 5", "R0108", "`≥` is no operator", "write `>=`"),
    ("a and«\u00a0»b", "R0108", "`\u00a0` is a blank that does not break", "write a plain blank"),
    ('a.b = «"»x', "R0105", 'the text has no closing "', None),
    (
        r'a.b = «"»C:\"',
        "R0105",
        'the text has no closing "',
        "a backslash before a quote makes it part of the text: write `\\x5c` for one at the end",
    ),
    (r'a.b = "x«\d»"', "R0106", r"`\d` means nothing inside quotes", r"write `\\d` for a backslash"),
    (r"""a.b = "it«\'»s" """, "R0106", r"`\'` means nothing inside quotes", """inside "..." a ' needs no backslash"""),
    (r'a.b = "«\xg»"', "R0106", r"`\xg` means nothing inside quotes", r"two hexadecimal digits follow `\x`"),
    ("evt.arg«[ 1 ]» = x", "R0111", "the argument of `evt.arg` cannot be read", ...),
    ("evt.arg«[]» = x", "R0111", "the argument of `evt.arg` cannot be read", ...),
    ("proc.name = «(»x)", "R0114", "`=` takes one value, not a list", "a list goes with `in`"),
    ("proc.name contains «(»x)", "R0114", "`contains` takes one value, not a list", "write `contains anyof (...)` for any of them"),
    ('proc.name in «"x"»', "R0114", "`in` takes a list", 'put `"x"` in parentheses'),
    ("proc.pid > «many»", "R0115", "`>` compares with a number, found `many`", None),
    ("proc.duration > «5s»", "R0115", "a number has no unit: `5s`", "`ruleng fields` says what the field's unit is"),
    ("proc.name in (a «b»)", "R0101", "found `b`, wanted `,` or `)`", "items of a list have commas between them"),
    ("proc.name in (a,«)»", "R0101", "found `)`, wanted a value or a text in quotes", "leave out the comma before it"),
    ("«(»a and b", "R0103", "`(` is never closed", None),
    ("«len(»proc.name > 5", "R0103", "`len(` is never closed", "wanted `)` before `>`"),
    ("a and b«)»", "R0104", "`)` closes nothing", "leave it out"),
    ("«and» a", "R0117", "nothing before `and` to join", None),
    ("a «and»", "R0102", "nothing after `and`, wanted a field, a macro's name, `not` or `(`", None),
    ("a and «proc.name»", "R0102", "nothing after `proc.name`, wanted an operator", None),
    ("proc.name «contains» ", "R0102", "nothing after `contains`, wanted a value or a text in quotes", None),
    ("proc.name «in»", "R0102", "nothing after `in`, wanted a list in parentheses", None),
    (
        "type «=» execve",
        "R0101",
        "found `=`, wanted `and` or `or`",
        "`type` is read as a macro's name: a field's name has a dot, as `proc.name`",
    ),
    ("a «b»", "R0101", "found `b`, wanted `and` or `or`", None),
    ("a «not» b", "R0101", "found `not`, wanted `and` or `or`", "did you mean `and not`?"),
    (
        "«5» = proc.pid",
        "R0101",
        "found `5`, wanted a field, a macro's name, `not` or `(`",
        "the field stands on the left, the value on the right",
    ),
    ("a and «$»b", "R0101", "found `$`, wanted a field, a macro's name, `not` or `(`", None),
    ("a «\x07»", "R0101", r"found `\x07`, wanted `and` or `or`", None),
    ("a «\udcff»", "R0101", r"found `\xff`, wanted `and` or `or`", None),
    ("«»", "R0110", "the condition is empty", None),
    ("« \n »", "R0110", "the condition is empty", None),
]


@pytest.mark.parametrize(("marked", "code", "message", "help"), CONDITIONS, ids=[row[0] for row in CONDITIONS])
def test_a_mistake_in_a_condition_has_a_name_a_place_and_a_way_out(marked: str, code: str, message: str, help: str | None) -> None:
    start = marked.index("«")
    end = marked.index("»") - 1
    _, (mistake, *more) = parse_condition(Source("", marked.replace("«", "").replace("»", "")))
    assert more == []
    assert mistake.span is not None
    assert (mistake.code, mistake.message) == (code, message)
    assert (mistake.span.start, mistake.span.end) == (start, end)
    if help is not ...:
        assert mistake.help == help


def test_falco_takes_odd_characters_in_a_value_so_they_are_a_warning_there_and_an_error_in_rules() -> None:
    expr, (warning,) = parse_condition(Source("", "proc.name = “bash”"))
    assert expr is not None
    assert (warning.code, warning.severity) == ("R0108", "warning")
    file, (error,) = parse_file(Source("", "macro m: proc.name = “bash”"))
    assert (file.items, file.broken) == ((), ("m",))
    assert (error.code, error.severity) == ("R0108", "error")


# --- files ------------------------------------------------------------------------------------------------------------


def described(file: RuleFile, diagnostics: list[Diagnostic]) -> list[str]:
    """Every mistake as `CODE line:column+length message; help`, then the names that the file still defines, and those it leaves."""
    lines = []
    for mistake in diagnostics:
        assert mistake.span is not None
        line, column = mistake.span.source.position(mistake.span.start)
        help = f"; {mistake.help}" if mistake.help else ""
        lines.append(f"{mistake.code} {line}:{column}+{mistake.span.end - mistake.span.start} {mistake.message}{help}")
    read = [item.name.text for item in file.items if isinstance(item, ListDecl | MacroDecl | RuleDecl)]
    return [
        *lines,
        *(["read: " + ", ".join(read)] if read else []),
        *(["broken: " + ", ".join(file.broken)] if file.broken else []),
    ]


@pytest.mark.parametrize(("text", "lines"), cases("rules_syntax.txt"))
def test_a_mistake_in_a_file_is_told_once_and_the_rest_is_read(text: str, lines: list[str]) -> None:
    assert described(*parse_file(Source("", text))) == lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["R0140 1:1+0 the file has no rules, lists or macros"]),
        ("# only a comment\n", ["R0140 1:1+0 the file has no rules, lists or macros"]),
        ("ELF\0\0list a: [b]", ["R0136 1:4+1 the file is no text: it holds a NUL byte"]),
        (
            "\udcff\udcfe",
            ["R0130 1:1+1 found `\\xff`, wanted `list`, `macro`, `rule`, `append`, `override`, `import` or `engine_version`"],
        ),
    ],
)
def test_a_file_that_is_empty_or_no_text_is_one_diagnostic(text: str, said: list[str]) -> None:
    assert described(*parse_file(Source("", text))) == said


def test_all_mistakes_of_a_file_are_told_in_one_run() -> None:
    text = """\
list a: [b c]
rule "first" {
  condition: proc.name => 5
  desc:      no quotes
  output:    "x
  priority:  notice
  enabled:   maybe
}
rule "second" {
  condition: fine
  output:    "\\q"
  priority:  notice
}
append foo
macro x: a and
rule "third" {
  condition: fine
  output:    "%proc.name"
  priority:  notice
}
"""
    file, diagnostics = parse_file(Source("", text))
    places = [Source("", text).position(diagnostic.span.start) for diagnostic in diagnostics if diagnostic.span]
    assert places == [(1, 12), (3, 24), (4, 14), (5, 14), (7, 14), (11, 15), (14, 8), (15, 12)]
    assert [diagnostic.rule for diagnostic in diagnostics] == ["a", "first", "first", "first", "first", "second", "second", "x"]
    assert [item.name.text for item in file.items] == ["third"]  # type: ignore[union-attr]
    assert file.broken == ("a", "first", "second", "x")


def test_three_thousand_mistakes_are_three_thousand_diagnostics() -> None:
    rules = "".join(
        f'rule "{number}" {{\n  condition: a.b => c\n  output: "x"\n  priority: notice\n}}\n' for number in range(3_000)
    )
    file, diagnostics = parse_file(Source("", rules))
    assert len(diagnostics) == len(file.broken) == 3_000
