"""Falco's YAML files: what is read of them, and what is said of their structure."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.lang.ast import Call, FieldRef, ListDecl, ListLit, Literal, MacroDecl, RuleDecl, RuleFile
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.falco import read_falco
from ruleng.lang.source import Source
from tests.lang.said import cases, said

RULE = """\
- rule: r
  desc: d
  condition: evt.type = open
  output: o
  priority: INFO
"""


def read(text: str) -> tuple[RuleFile, list[Diagnostic]]:
    return read_falco(Source("x.yaml", dedent(text)))


def only(text: str) -> ListDecl | MacroDecl | RuleDecl:
    file, diagnostics = read(text)
    assert said(diagnostics) == []
    (item,) = file.items
    assert isinstance(item, ListDecl | MacroDecl | RuleDecl)
    return item


def test_a_rule_has_what_its_keys_say() -> None:
    rule = only(
        """\
        - rule: A shell
          desc: >
            Two
            lines
          condition: >
            evt.type = execve
            and proc.name = bash
          output: |
            shell by %user.name
          priority: WARNING
          source: syscall
          enabled: no
          tags: [a, b]
          warn_evttypes: False
          skip-if-unknown-filter: "yes"
          capture: on
          capture_duration: 5000
        """
    )
    assert isinstance(rule, RuleDecl)
    assert rule.name.text == "A shell"
    assert rule.condition is not None
    assert rule.condition.source.text == "evt.type = execve and proc.name = bash\n"
    assert rule.output is not None
    assert (rule.output.text, rule.output.span.text) == ("shell by %user.name",) * 2
    assert rule.desc is not None
    assert rule.desc.text == "Two lines"
    assert rule.priority is not None
    assert rule.priority.text == "WARNING"
    assert [tag.text for tag in rule.tags or ()] == ["a", "b"]
    assert (rule.enabled, rule.warn_evttypes, rule.skip_unknown, rule.capture) == (False, False, True, True)
    assert rule.capture_duration_ms == 5000
    assert rule.modes == ()


def test_items_of_lists_are_bare_words_or_quoted_texts() -> None:
    decl = only("""- {list: l, items: [bash, '"(systemd)"', "two words", 8080, "'a=b'", true, "\\"a\\\\tb\\""]}""")
    assert isinstance(decl, ListDecl)
    assert decl.items == (
        Literal("bash"),
        Literal("(systemd)", quoted=True),
        Literal("two words", quoted=True),
        Literal("8080"),
        Literal("a=b", quoted=True),
        Literal("true"),
        Literal("a\tb", quoted=True),
    )


def test_exceptions_have_fields_comparisons_and_rows() -> None:
    rule = only(
        RULE
        + """\
  exceptions:
    - name: several
      fields: [proc.name, tolower(fd.name), proc.pname]
      comps: [in, =, " startswith  oneof "]
      values:
        - [[bash, "two words"], toupper(proc.exe), (x)]
        - ["(a, b)", "two words", '"q"']
    - name: one
      fields: proc.name
      values: [a, b c]
"""
    )
    assert isinstance(rule, RuleDecl)
    several, one = rule.exceptions or ()
    assert several.fields == (FieldRef("proc.name"), Call("tolower", (FieldRef("fd.name"),)), FieldRef("proc.pname"))
    assert [comp.text for comp in several.comps or ()] == ["in", "=", "startswith oneof"]
    assert several.values == (
        (
            ListLit((Literal("bash"), Literal("two words", quoted=True))),
            Call("toupper", (FieldRef("proc.exe"),)),
            ListLit((Literal("x"),)),
        ),
        (ListLit((Literal("a"), Literal("b"))), Literal("two words"), Literal("q", quoted=True)),
    )
    assert one.single
    assert one.comps is None
    assert one.values == ((Literal("a"),), (Literal("b c", quoted=True),))


@pytest.mark.parametrize(
    ("text", "modes"),
    [
        ("{rule: r, condition: and a, override: {condition: append}}", (("condition", "append"),)),
        ("{rule: r, tags: [x], override: {tags: replace}}", (("tags", "replace"),)),
        ("{rule: r, skip-if-unknown-filter: true, override: {skip-if-unknown-filter: replace}}", (("skip_unknown", "replace"),)),
        (
            "{rule: r, capture_duration: 7, desc: d, override: {capture_duration: replace, desc: append}}",
            (("capture_duration_ms", "replace"), ("desc", "append")),
        ),
    ],
)
def test_overrides_say_how_each_key_meets_the_earlier_rule(text: str, modes: tuple[tuple[str, str], ...]) -> None:
    rule = only(f"- {text}")
    assert isinstance(rule, RuleDecl)
    assert rule.modes == modes


@pytest.mark.parametrize(("text", "said_of_it"), cases("falco_structure.txt"))
def test_each_mistake_of_structure_is_said_once_at_its_place(text: str, said_of_it: list[str]) -> None:
    assert said(read(text)[1]) == said_of_it


def test_all_mistakes_of_a_file_are_said_in_one_run() -> None:
    _, diagnostics = read("- list: l\n- macro: m\n- rule: r\n- foo\n")
    assert [diagnostic.code for diagnostic in diagnostics] == ["R0503", "R0503", "R0503", "R0503", "R0503", "R0503", "R0502"]


@pytest.mark.parametrize(
    "text", ["- macro: m\n", "- list: m\n", "- rule: m\n  priority: INFO\n", "- macro: m\n  condition: x\n  \tbad\n"]
)
def test_an_item_that_cannot_be_used_leaves_its_name(text: str) -> None:
    assert read(text)[0].broken == ("m",)


def test_a_rule_with_a_bad_priority_is_still_read() -> None:
    file, _ = read(RULE.replace("INFO", "HIGH"))
    (rule,) = file.items
    assert isinstance(rule, RuleDecl)
    assert rule.condition is not None


yaml_words = st.sampled_from(
    ["rule", "macro", "list", "items", "condition", "output", "desc", "priority", "INFO", "override", "append", "exceptions",
     "name", "fields", "values", "comps", "proc.name", "a", "true", "null", "required_engine_version", "tags"]
)  # fmt: skip


def trees(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(yaml_words, children), max_size=5).map(lambda p: "{" + ", ".join(f"{k}: {v}" for k, v in p) + "}")
    return st.lists(children, max_size=4).map(lambda items: "[" + ", ".join(items) + "]") | pairs


@given(st.recursive(yaml_words, trees, max_leaves=30))
def test_any_structure_is_read_without_an_exception(text: str) -> None:
    file, diagnostics = read_falco(Source("x.yaml", text))
    assert all(diagnostic.span is not None and diagnostic.span.located().end <= len(text) for diagnostic in diagnostics)
    assert file.dialect == "falco"


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("-:[]{}\n \"'&*|>#"), max_size=200))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    file, _ = read_falco(Source("x.yaml", text))
    assert file.dialect == "falco"
