"""Falco files as `.rules` files: the same rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from ruleng.fields.catalogue import standard
from ruleng.lang.ast import Check, Expr, ListLit, Literal
from ruleng.lang.checked import Rule
from ruleng.lang.convert import convert, convert_sources
from ruleng.lang.load import Loaded, load_sources
from ruleng.lang.source import Source
from ruleng.lang.trees import Leaf, map_leaves
from tests.lang.said import said

SHARED = Path(__file__).parents[3] / "shared"


def sources(*texts: str) -> list[Source]:
    return [Source(f"{number}.yaml", dedent(text)) for number, text in enumerate(texts)]


def converted(*texts: str) -> str:
    """The .rules texts of Falco texts, that load to the same rules."""
    result = convert_sources(sources(*texts))
    assert [diagnostic for diagnostic in result.diagnostics if diagnostic.is_error] == []
    before = load_sources(sources(*texts), standard())
    after = load_sources([Source(f"{number}.rules", text) for number, text in enumerate(result.texts)], standard())
    assert [diagnostic for diagnostic in after.diagnostics if diagnostic.is_error] == []
    assert meaning(after) == meaning(before)
    return "# ---\n".join(result.texts)


def meaning(loaded: Loaded) -> list[tuple[object, ...]]:
    """What must not change. Whether a value stood in quotes does not matter when the lists are put in."""
    trees = {rule.decl.name.text: map_leaves(rule.expr, unquoted) for rule in loaded.resolved.rules}
    return [(*shown(rule), trees[rule.name]) for rule in loaded.rules]


def shown(rule: Rule) -> tuple[object, ...]:
    meta = {key: rule.meta[key] for key in ("exception_names", "warn_evttypes", "capture", "capture_duration_ms", "macros")}
    return rule.name, rule.condition, rule.output, rule.priority, rule.desc, rule.tags, rule.source, rule.enabled, meta


def unquoted(leaf: Leaf) -> Expr:
    match leaf:
        case Check(left, op, ListLit(items), modifier):
            return Check(left, op, ListLit(tuple(Literal(item.text) for item in items)), modifier)
        case Check(left, op, Literal(text), modifier):
            return Check(left, op, Literal(text), modifier)
        case _:
            return leaf


def test_items_stay_what_they_are() -> None:
    text = """\
        - required_engine_version: 0.50.0
        - list: shells
          items: [bash, '"(sd-pam)"', two words]
        - macro: opened
          condition: evt.type = open and proc.name in (shells, 'x#y')
        - rule: A rule
          desc: It says "hello"
          condition: >
            opened
            and not fd.name startswith /tmp
          output: opened by %proc.name
          priority: WARNING
          tags: [a, b]
          enabled: false
        """
    assert converted(text) == dedent(
        """\
        engine_version "0.50.0"

        list shells: [bash, "(sd-pam)", "two words"]

        macro opened: evt.type = open and proc.name in (shells, "x#y")

        rule "A rule" {
          desc:      "It says \\"hello\\""
          condition: opened and not fd.name startswith /tmp
          output:    "opened by %proc.name"
          priority:  WARNING
          tags:      [a, b]
          enabled:   false
        }
        """
    )


BASE = """\
- list: l
  items: [a]
- macro: m
  condition: proc.name in (l)
- rule: r
  desc: d
  condition: evt.type = open and m
  output: o
  priority: INFO
  tags: [x]
  exceptions:
    - {name: e, fields: proc.name, values: [z, "y y"]}
    - {name: f, fields: [proc.name, fd.name], comps: [in, startswith], values: [["(v, w)", "/t t"], [l, /u]]}
"""


@pytest.mark.parametrize(
    ("text", "said_in_rules"),
    [
        ("- {list: l, items: [b], override: {items: append}}", "append list l: [b]\n"),
        ("- {list: l, items: [b]}", "override list l: [b]\n"),
        ("- {macro: m, condition: or proc.name = b, append: true}", "append macro m: or proc.name = b\n"),
        ("- {macro: m, condition: proc.name = b}", "override macro m: proc.name = b\n"),
        (
            "- {rule: r, condition: and fd.num = 1, tags: [y], priority: ERROR,"
            " override: {condition: append, tags: append, priority: replace}}",
            'append rule "r" {\n  condition: and fd.num = 1\n  tags:      [y]\n}\n\noverride rule "r" {\n  priority:  ERROR\n}\n',
        ),
        ("- {rule: r, enabled: false}", 'override rule "r" {\n  enabled:   false\n}\n'),
        (
            "- {rule: r, desc: e, condition: evt.type = close, output: p, priority: DEBUG}",
            'override rule "r" {\n  desc:      "e"\n  condition: evt.type = close\n  output:    "p"\n  priority:  DEBUG\n'
            "  tags:      []\n  exceptions: {\n  }\n}\n",
        ),
        (
            '- {rule: r, exceptions: [{name: e, values: [x]}, {name: f, values: [["p, q", "s, t"]]}],'
            " override: {exceptions: append}}",
            'append rule "r" {\n  exceptions: {\n    e: [x]\n    f: [((p, q), "s, t")]\n  }\n}\n',
        ),
    ],
)  # fmt: skip
def test_changes_of_what_is_there_say_so(text: str, said_in_rules: str) -> None:
    assert converted(BASE, text).endswith("# ---\n" + said_in_rules)


@pytest.mark.parametrize("condition", ["(fd.num = 1 or fd.num = 2)", "fd.num = 1 or fd.num = 2", "(fd.num = 1) or (fd.num = 2)"])
def test_what_is_appended_later_binds_as_before(condition: str) -> None:
    text = "- {{rule: {name}, desc: d, condition: {condition}, output: o, priority: INFO}}"
    change = "- {rule: r, condition: and proc.name = x, override: {condition: append}}\n"
    change += "- {macro: m, condition: and proc.pid = 1, append: true}"
    macro = f"- {{macro: m, condition: {condition}}}"
    converted("\n".join([text.format(name="r", condition=condition), macro, text.format(name="s", condition="m")]), change)


def test_a_list_gets_a_name_that_conditions_can_mention() -> None:
    text = converted(
        """\
        - list: test list
          items: [open, close]
        - list: test_list
          items: [x]
        - rule: r
          desc: d
          condition: evt.type in (test list) and proc.name in (test_list)
          output: o
          priority: INFO
        """
    )
    assert "list _test_list: [open, close]\n" in text
    assert "evt.type in (_test_list) and proc.name in (test_list)" in text


def test_mistakes_of_the_falco_file_are_said_at_their_place() -> None:
    result = convert_sources(sources("- macro: m\n  condition: proc.name =\n- list: l\n"))
    assert [line[:10] for line in said(result.diagnostics)] == ["R0102 2:24", "R0503 3:9 "]


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    result = convert([tmp_path / "gone.yaml"])
    assert (result.texts, [diagnostic.code for diagnostic in result.diagnostics]) == (("",), ["R0601"])


# --- over all files there are -----------------------------------------------------------------------------------------


LOUD = {
    "undefined_list_bare": "a list that nothing defines is an error in .rules files",
    "evt_unknown_skip": "a rule that is skipped is skipped with another message",
    "test_falco_engine.macro_override_replace_before_macro_definition": "the macro is first no condition, and then defined again",
}
"""Cases that convert to a file with an error, or not at all, and why that is right."""


def files_of(name: str) -> Iterator[object]:
    """The rule files of a file of cases that load in Falco."""
    path = SHARED / "conformance" / name
    if not path.exists():
        return
    data = json.loads(path.read_bytes())
    for case in data.get("falco_unit", ()):
        if case["ok"] and case["test"] not in LOUD:
            yield pytest.param([file["content"] for file in case["files"]], id=case["test"])
    for case in data.get("cases", ()):
        if case["ok"] and case["id"] not in LOUD:
            yield pytest.param([case["content"]], id=case["id"])


@pytest.mark.parametrize("texts", [*files_of("rule_loader_cases.json"), *files_of("rule_loader_probe_cases.json")])
def test_every_file_of_falcos_cases_means_the_same(texts: Sequence[str]) -> None:
    converted(*texts)


def test_falcos_own_rules_mean_the_same() -> None:
    paths = sorted((SHARED / "falco-rules").glob("*.yaml"), reverse=True)
    if not paths:
        pytest.skip(f"needs {SHARED}/falco-rules")
    converted(*(path.read_text() for path in paths))
