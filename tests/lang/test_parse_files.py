"""Rule files: what each item and key says, where it stands, and what changes other files' items."""

from __future__ import annotations

import re
import time
from pathlib import Path
from textwrap import dedent

import pytest

from ruleng.lang.ast import (
    ActionCall,
    And,
    Call,
    Check,
    Condition,
    EngineVersion,
    ExceptionDecl,
    FieldRef,
    Import,
    Item,
    ListDecl,
    ListLit,
    Literal,
    MacroDecl,
    Name,
    Ref,
    RuleDecl,
    ThrottleDecl,
)
from ruleng.lang.parse import parse_condition, parse_file
from ruleng.lang.source import Source, Span, join

EXAMPLE = """\
# one comment style
import "macros.rules"
engine_version "0.57.0"

list shell_binaries: [ash, "bash", /bin/z*,]  # the last comma does not matter
macro spawned_process: evt.type in (execve, execveat)

rule "Terminal shell in container" {
  desc:      "A shell with a terminal "
             "started inside a container"
  condition: spawned_process and container.id != host  # not on the host
             # nor without a terminal
             and proc.tty != 0
  output:    "shell in %container.name: %proc.cmdline"
  priority:  notice
  source:    syscall
  tags:      [container, attack.t1059]
  actions:   [alert, kill(scope=tree, signal=SIGTERM), deny(EPERM), alert(soc, "kafka")]
  throttle:  5 per 1m by container.id, proc.aname[2]
  enabled:   false
  warn_evttypes: true
  skip-if-unknown-filter: true
  capture:   true
  capture_duration: 5s
  exceptions: {
    known_jobs: (proc.name, fd.name startswith) in [(bash, "/a b"), (sh, (x, y))]
  }
}
"""


def read(text: str) -> tuple[Item, ...]:
    file, diagnostics = parse_file(Source("a.rules", text))
    assert diagnostics == []
    return file.items


def one(text: str) -> Item:
    (item,) = read(text)
    return item


def rule(text: str) -> RuleDecl:
    item = one(text)
    assert isinstance(item, RuleDecl)
    return item


def keys(text: str) -> RuleDecl:
    """A rule with these keys beside those that it must have."""
    return rule(f'rule "A" {{\n  condition: a\n  output: ""\n  priority: debug\n  {text}\n}}')


def test_every_item_and_key_of_a_file() -> None:
    imported, version, shells, macro, item = read(EXAMPLE)
    assert imported == Import(Name("macros.rules"))
    assert version == EngineVersion(Name("0.57.0"))
    assert shells == ListDecl(Name("shell_binaries"), (Literal("ash"), Literal("bash", True), Literal("/bin/z*")), "define")
    assert isinstance(macro, MacroDecl)
    assert (macro.name, macro.mode) == (Name("spawned_process"), "define")
    assert macro.condition.expr == parse_condition(Source("", "evt.type in (execve, execveat)"))[0]
    assert isinstance(item, RuleDecl)
    assert item.condition is not None
    tty = Check(FieldRef("proc.tty"), "!=", Literal("0"))
    assert item.condition.expr == And((Ref("spawned_process"), Check(FieldRef("container.id"), "!=", Literal("host")), tty))
    assert item.desc == Name("A shell with a terminal started inside a container")
    assert (item.output, item.priority, item.source) == (
        Name("shell in %container.name: %proc.cmdline"),
        Name("notice"),
        Name("syscall"),
    )
    assert item.tags == (Name("container"), Name("attack.t1059"))
    assert item.actions == (
        ActionCall(Name("alert")),
        ActionCall(Name("kill"), (), ((Name("scope"), Name("tree")), (Name("signal"), Name("SIGTERM")))),
        ActionCall(Name("deny"), (Name("EPERM"),)),
        ActionCall(Name("alert"), (Name("soc"), Name("kafka"))),
    )
    assert item.throttle == ThrottleDecl(5, 60 * 10**9, (FieldRef("container.id"), FieldRef("proc.aname", "2")))
    assert (item.enabled, item.warn_evttypes, item.skip_unknown, item.capture) == (False, True, True, True)
    assert item.capture_duration_ms == 5000
    assert item.exceptions is not None
    assert item.modes == ()


@pytest.mark.parametrize(
    ("text", "ns"), [("500ms", 5 * 10**8), ("5s", 5 * 10**9), ("1m", 60 * 10**9), ("2h", 7200 * 10**9), ("1d", 86400 * 10**9)]
)
def test_times_have_a_unit(text: str, ns: int) -> None:
    assert keys(f"throttle: 1 per {text}").throttle == ThrottleDecl(1, ns)


A, B = Literal("a"), Literal("b")
NAME, FD = FieldRef("proc.name"), FieldRef("fd.name")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("e: (proc.name, fd.name) in [(a, b)]", ExceptionDecl(Name("e"), (NAME, FD), None, ((A, B),))),
        (
            "e: (proc.name, fd.name startswith) in [(a, b)]",
            ExceptionDecl(Name("e"), (NAME, FD), (Name("="), Name("startswith")), ((A, B),)),
        ),
        ("e: (proc.name =, fd.name =) in []", ExceptionDecl(Name("e"), (NAME, FD), (Name("="), Name("=")), ())),
        ("e: (proc.name in) in [((a, b)),]", ExceptionDecl(Name("e"), (NAME,), (Name("in"),), ((ListLit((A, B)),),))),
        ("e: (proc.name, fd.name)", ExceptionDecl(Name("e"), (NAME, FD), None, None)),
        ("e: [(a, b), (b, a)]", ExceptionDecl(Name("e"), None, None, ((A, B), (B, A)))),
        ("e: proc.name in [a, b,]", ExceptionDecl(Name("e"), (NAME,), (Name("in"),), ((A,), (B,)), True)),
        ("e: fd.name pmatch [a]", ExceptionDecl(Name("e"), (FD,), (Name("pmatch"),), ((A,),), True)),
        ("e: fd.name = anyof [a]", ExceptionDecl(Name("e"), (FD,), (Name("= anyof"),), ((A,),), True)),
        ("e: fd.name intersects", ExceptionDecl(Name("e"), (FD,), (Name("intersects"),), None, True)),
        ("e: [a, b]", ExceptionDecl(Name("e"), None, None, ((A,), (B,)), True)),
        (
            "e: (tolower(proc.name)) in [(val(proc.pname))]",
            ExceptionDecl(Name("e"), (Call("tolower", (NAME,)),), None, ((Call("val", (FieldRef("proc.pname"),)),),)),
        ),
        ('"any name": [a]', ExceptionDecl(Name("any name"), None, None, ((A,),), True)),
    ],
)
def test_exceptions_compare_fields_with_rows_or_one_field_with_a_list(text: str, wanted: ExceptionDecl) -> None:
    assert keys(f"exceptions: {{ {text} }}").exceptions == (wanted,)
    assert keys(f"exceptions: {{\n {text}\n {text}\n }}\n tags: [x]").exceptions == (wanted, wanted)


@pytest.mark.parametrize(("word", "mode"), [("", "define"), ("append ", "append"), ("override ", "replace")])
def test_lists_are_defined_appended_to_and_replaced(word: str, mode: str) -> None:
    assert one(f"{word}list shells: [fish]") == ListDecl(Name("shells"), (Literal("fish"),), mode)  # type: ignore[arg-type]


def test_what_is_appended_to_a_condition_begins_with_and_or_or_and_has_no_tree_yet() -> None:
    for text in ("or proc.name = y", "and a or b", "and(a)", "and not a\n  and b"):
        macro = one(f"append macro m: {text}")
        assert isinstance(macro, MacroDecl)
        assert (macro.mode, macro.condition.expr, macro.condition.source.text) == ("append", None, text)


def test_an_appended_condition_means_what_it_would_mean_in_the_file_and_its_places_are_there() -> None:
    first, more = read("macro m: a or b\nappend macro m: and c and d.e = x\n")
    assert isinstance(first, MacroDecl)
    assert isinstance(more, MacroDecl)
    expr, _ = parse_condition(join(first.condition.source, more.condition.source))
    assert expr == parse_condition(Source("", "a or b and c and d.e = x"))[0]
    assert expr is not None
    check = expr.children[1].children[2]  # type: ignore[union-attr]
    place = check.span.located()
    assert (place.source.name, place.source.position(place.start), place.text) == ("a.rules", (2, 27), "d.e = x")


def test_changes_of_a_rule_say_per_key_what_they_do() -> None:
    appended = rule('append rule "A" { condition: and b  tags: [x]  exceptions: { e: [a] } }')
    assert appended.modes == (("condition", "append"), ("tags", "append"), ("exceptions", "append"))
    assert appended.condition is not None
    assert appended.condition.expr is None
    replaced = rule('override rule "A" { condition: b  skip-if-unknown-filter: true  capture_duration: 0ms }')
    assert replaced.modes == (("condition", "replace"), ("skip_unknown", "replace"), ("capture_duration_ms", "replace"))
    assert replaced.condition is not None
    assert replaced.condition.expr == Ref("b")


def test_words_of_the_language_are_names_where_a_name_is_wanted() -> None:
    text = """\
macro output: list and rule
list rule: [list, append, "#"]
rule "import" { condition: output output: "" priority: tags }
"""
    macro, items, item = read(text)
    assert isinstance(macro, MacroDecl)
    assert macro.condition.expr == And((Ref("list"), Ref("rule")))
    assert items == ListDecl(Name("rule"), (Literal("list"), Literal("append"), Literal("#", True)), "define")
    assert isinstance(item, RuleDecl)
    assert (item.condition and item.condition.expr, item.priority) == (Ref("output"), Name("tags"))


# --- texts, comments, places ------------------------------------------------------------------------------------------


def condition_of(text: str) -> Condition:
    item = one(f"macro m: {text}")
    assert isinstance(item, MacroDecl)
    return item.condition


@pytest.mark.parametrize(
    ("text", "without_comments"),
    [
        ("a # b\n  and c", "a    \n  and c"),
        ("# first\n  a", "a"),
        ("a #", "a"),
        ("proc.name = a#b and c", "proc.name = a#b and c"),
        ('proc.name = "#a" # b', 'proc.name = "#a"'),
        ("proc.name in (a, # one\n b # two\n)", "proc.name in (a,      \n b      \n)"),
    ],
)
def test_a_comment_begins_with_a_word_and_ends_with_its_line(text: str, without_comments: str) -> None:
    """A condition keeps its text without comments, since what is joined to it may be read without them."""
    condition = condition_of(text)
    assert condition.source.text == without_comments
    assert parse_condition(condition.source) == (condition.expr, [])


def test_a_condition_is_a_piece_of_its_file() -> None:
    item = read(EXAMPLE)[-1]
    assert isinstance(item, RuleDecl)
    assert item.condition is not None
    assert item.condition.span.text.startswith("spawned_process and")
    assert item.condition.span.text.endswith("proc.tty != 0")
    place = Span(item.condition.source, item.condition.source.text.index("proc.tty"), len(item.condition.source.text)).located()
    assert (place.source.name, place.source.position(place.start), place.text) == ("a.rules", (13, 18), "proc.tty != 0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"plain"', "plain"),
        ("'a \"b\"'", 'a "b"'),
        (r'"tab\tquote\"end\x5c"', 'tab\tquote"end\\'),
        ('"one "\n   "two"', "one two"),
        (r'"\xc3\xa9\xff"', "é\udcff"),
        ('""', ""),
    ],
)
def test_every_character_of_a_text_knows_its_place(text: str, said: str) -> None:
    output = keys(f"desc: {text}").desc
    assert output is not None
    assert output.text == output.span.text == said
    for index in range(len(said)):
        place = Span(output.span.source, output.span.start + index, output.span.start + index + 1).located()
        assert place.source.name == "a.rules"
        assert place.text in {said[index], "\\"}


def test_a_byte_order_mark_and_line_ends_of_other_systems_do_not_matter() -> None:
    items, macro = read("\ufefflist a: [b]\r\nmacro m: a\r\n  and b\r\n")
    assert items == ListDecl(Name("a"), (Literal("b"),), "define")
    assert isinstance(macro, MacroDecl)
    assert macro.condition.expr == And((Ref("a"), Ref("b")))


def test_ten_thousand_rules_take_seconds() -> None:
    rest = '{\n  condition: evt.type = execve and proc.name in (a, b)\n  output: "%proc.name"\n  priority: notice\n}\n'
    text = "".join(f'rule "{number}" {rest}' for number in range(10_000))
    started = time.perf_counter()
    assert len(read(text)) == 10_000
    assert time.perf_counter() - started < 60


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "#" * 1_000_000,
        '"' * 1_000_000,
        "list a: [" + "b " * 500_000,
        "macro m: " + "(" * 1_000_000,
        "\n" * 1_000_000,
    ],
)
def test_a_megabyte_of_nonsense_is_one_diagnostic(text: str) -> None:
    started = time.perf_counter()
    file, diagnostics = parse_file(Source("", text))
    assert (file.items, len(diagnostics)) == ((), 1)
    assert time.perf_counter() - started < 5


def test_the_examples_of_the_grammars_page_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "grammar" / "README.md").read_text()
    blocks = [dedent(block) for block in re.findall(r"((?:^    .*\n|^\n)+)", page, re.MULTILINE) if block.strip()]
    assert len(blocks) == 3
    for block in blocks:
        text = f'append rule "A" {{\n{block}}}\n' if block.lstrip().startswith("exceptions") else block
        assert read(text.replace("exceptions: { ... }", ""))
