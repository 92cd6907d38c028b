"""Trees to text: Falco's canonical conditions, and rule files as people write them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from ruleng.lang.ast import Check, Condition, Expr, FieldRef, ListDecl, Literal, MacroDecl, Name, Not, Ref, RuleDecl, RuleFile
from ruleng.lang.falco import read_falco
from ruleng.lang.format import format_condition, format_file
from ruleng.lang.layout import WIDTH, lay_out, write_condition
from ruleng.lang.parse import parse_condition, parse_file
from ruleng.lang.source import Source


def parsed(text: str) -> Expr:
    expr, _ = parse_condition(Source("", text))
    assert expr is not None
    return expr


@pytest.mark.parametrize(
    ("text", "canonical", "written"),
    [
        # as read, as Falco prints it, as we write it
        ("a and b or c", "((a and b) or c)", "(a and b) or c"),
        ("not(a)", "not a", "not a"),
        ("not (not (a or b))", "not not (a or b)", "not (not (a or b))"),
        ("proc.name='x'", "proc.name = x", 'proc.name = "x"'),
        ("proc.name in ('a b', c,d)", 'proc.name in ("a b", c, d)', 'proc.name in ("a b", c, d)'),
        ("proc.name = 'a(b)'", "proc.name = a(b)", 'proc.name = "a(b)"'),
        ("proc.name = ''", "proc.name = ", 'proc.name = ""'),
        ("proc.name == anyof (a)", "proc.name == anyof (a)", "proc.name == anyof (a)"),
        ("proc.name == anyof and a", "(proc.name == anyof and a)", 'proc.name == "anyof" and a'),
        ('join("-", (fd.name, 5)) exists', "join(-,(fd.name,5)) exists", 'join("-", (fd.name, 5)) exists'),
        ('proc.env["a b"] exists', 'proc.env["a b"] exists', 'proc.env["a b"] exists'),
        ('proc.env["a=b"] exists', 'proc.env["a=b"] exists', "proc.env[a=b] exists"),
        ('getopt(proc.args, "x")[""] exists', 'getopt(proc.args,x)[""] exists', 'getopt(proc.args, "x")[""] exists'),
        ("proc.name = val( proc.pname )", "proc.name = val(proc.pname)", "proc.name = val(proc.pname)"),
        (r"proc.name = C:\x", r'proc.name = "C:\\x"', r"proc.name = C:\x"),
        (r'proc.name = "\xff"', "proc.name = \udcff", r'proc.name = "\xff"'),
    ],
)
def test_a_condition_is_printed_as_falco_does_and_written_so_that_it_reads_back(text: str, canonical: str, written: str) -> None:
    assert format_condition(parsed(text)) == canonical
    assert write_condition(parsed(text)) == written


@pytest.mark.parametrize(
    "expr", [Ref("not"), Not(Ref("not")), Check(FieldRef("a.b"), "=", Literal("#x")), Check(FieldRef("a.b"), "=", Literal("oneof"))]
)
def test_what_would_read_as_something_else_is_written_otherwise(expr: Expr) -> None:
    text = f"macro m: {write_condition(expr)}\nmacro n: a"
    first = parse_file(Source("", text))[0].items[0]
    assert isinstance(first, MacroDecl)
    assert first.condition.expr is not None
    assert format_condition(first.condition.expr) == format_condition(expr)


def test_a_long_condition_goes_over_several_lines_none_too_long() -> None:
    names = ", ".join(f"program_{number}" for number in range(20))
    inner = f"another_macro and fd.name startswith anyof ({names})"
    text = f"a_macro and (proc.name in ({names}) or not ({inner})) and not proc.pname in ({names})"
    lines = lay_out(parsed(text), 13)
    assert max(13 + len(line) for line in lines) <= WIDTH
    assert [line[:5] for line in lines if not line.startswith(" ")] == ["a_mac", "and (", "and n"]
    assert parsed("\n".join(lines)) == parsed(text)


FILE = """\
import "macros.rules"
engine_version "0.57.0"

list shell_binaries: [ash, "b c", /bin/z*]

list long: [
  a_rather_long_name_of_a_program_0,
  a_rather_long_name_of_a_program_1,
  a_rather_long_name_of_a_program_2,
  a_rather_long_name_of_a_program_3,
]

append list "odd name": []

macro spawned_process: evt.type in (execve, execveat)

append macro spawned_process: or evt.type = fork

rule "Terminal shell in container" {
  desc:      "A description that is so long that it does not fit into one line of the file and therefore goes on, after"
             " the last blank that still fits, in the next one"
  condition: spawned_process
             and container.id != host
             and ((proc.name in (shell_binaries) and proc.tty != 0) or (proc.name in (long) and proc.tty = 0))
             and not proc.aname[2] = sshd
  output:    "shell in %container.name by %user.name: \\"%proc.cmdline\\""
  priority:  notice
  source:    syscall
  tags:      [container, attack.execution]
  actions:   [alert(soc, kafka), kill(signal=SIGTERM, scope=tree)]
  throttle:  5 per 90s by container.id
  exceptions: {
    known_jobs: (proc.name, container.image.repository startswith) in [
      (bash, "acme/backup "),
      (sh, (a, b)),
    ]
    known_names: proc.name pmatch [a, b]
    later: (proc.name)
  }
  enabled:   false
  warn_evttypes: true
  skip-if-unknown-filter: true
  capture:   true
  capture_duration: 5s
}

append rule "Terminal shell in container" {
  condition: and not a
             and not (b or c)
  tags:      [more]
}

override rule "Terminal shell in container" {
  priority:  critical
  enabled:   false
}
"""


def test_a_file_in_its_own_form_comes_out_as_it_went_in() -> None:
    file, diagnostics = parse_file(Source("", FILE))
    assert diagnostics == []
    assert format_file(file) == FILE


def test_a_falco_file_is_written_as_a_rule_file() -> None:
    yaml = dedent("""\
        - required_engine_version: 0.57.0
        - list: shells
          items: [bash, "two words", zsh]
        - macro: spawned
          condition: (evt.type in (execve, execveat))
        - rule: Shell
          desc: >
            A shell
            was started.
          condition: >
            spawned
            and proc.name in (shells)
          output: "shell: %proc.cmdline"
          priority: WARNING
          tags: [host, T1059]
          exceptions:
            - name: jobs
              fields: [proc.pname, fd.name]
              comps: [=, startswith]
              values:
                - [cron, /etc]
            - name: users
              fields: user.name
              values: [root]
        - rule: Shell
          condition: and not a or b
          tags: [x]
          priority: DEBUG
          override: {condition: append, tags: append, priority: replace}
        - macro: spawned
          condition: or evt.type = clone
          append: true
        """)
    file, _ = read_falco(Source("a.yaml", yaml))
    assert format_file(file) == dedent("""\
        engine_version "0.57.0"

        list shells: [bash, "two words", zsh]

        macro spawned: evt.type in (execve, execveat)

        rule "Shell" {
          desc:      "A shell was started."
          condition: spawned and proc.name in (shells)
          output:    "shell: %proc.cmdline"
          priority:  WARNING
          tags:      [host, T1059]
          exceptions: {
            jobs: (proc.pname, fd.name startswith) in [(cron, /etc)]
            users: user.name in [root]
          }
        }

        append rule "Shell" {
          condition: and not a
                     or b
          tags:      [x]
        }

        override rule "Shell" {
          priority:  DEBUG
        }

        append macro spawned: or evt.type = clone
        """)


def test_a_condition_that_nobody_can_read_is_printed_as_it_stands() -> None:
    condition = Condition(Source("", " a b "))
    assert format_file(RuleFile(Source("", ""), (MacroDecl(Name("m"), condition, "define"),), "falco")) == "macro m: a b\n"


def test_long_texts_go_over_several_lines_and_keep_every_blank() -> None:
    text = "  " + "word " * 60 + "\n" + "x" * 300 + " \t end  "
    rule = RuleDecl(Name("A"), output=Name(text), modes=(("output", "replace"),))
    written = format_file(RuleFile(Source("", ""), (rule,), "rules"))
    (again,) = parse_file(Source("", written))[0].items
    assert isinstance(again, RuleDecl)
    assert again.output == Name(text)
    assert sum(len(line) > WIDTH for line in written.splitlines()) == 1, "only the word that no line can hold"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["falco_rules.yaml", "falco-incubating_rules.yaml"])
def test_falcos_rules_written_and_read_have_the_same_conditions(shared: Path, name: str) -> None:
    file, _ = read_falco(Source(name, (shared / "falco-rules" / name).read_text()))
    text = format_file(file)
    again, diagnostics = parse_file(Source("", text))
    assert diagnostics == []
    assert format_file(again) == text
    for item, other in zip(file.items, again.items, strict=True):
        if isinstance(item, RuleDecl | MacroDecl):
            assert isinstance(other, RuleDecl | MacroDecl)
            assert item.name == other.name
            assert item.condition is not None
            assert other.condition is not None
            assert parse_condition(item.condition.source)[0] == other.condition.expr
        elif isinstance(item, ListDecl):
            assert isinstance(other, ListDecl)
            assert [value.text for value in item.items] == [value.text for value in other.items]
        else:
            assert item == other
