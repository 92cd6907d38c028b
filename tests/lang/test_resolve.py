"""Names put in: lists, macros, exceptions, appends and overrides, in one file and in several."""

from __future__ import annotations

from textwrap import dedent
from time import process_time

import pytest

from ruleng.lang.ast import And, Check, Expr, FieldRef, ListLit, Literal, Not, Or, RuleFile
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.falco import read_falco
from ruleng.lang.parse import parse_file
from ruleng.lang.resolve import Resolved, ResolvedRule, resolve
from ruleng.lang.source import Source
from tests.lang.said import cases, said

RULE = "- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: "


def falco(*texts: str) -> tuple[list[RuleFile], list[Diagnostic]]:
    files, diagnostics = [], []
    for number, text in enumerate(texts):
        file, found = read_falco(Source(f"{number}.yaml", dedent(text)))
        files.append(file)
        diagnostics += found
    return files, diagnostics


def resolved(*texts: str) -> Resolved:
    return resolve(falco(*texts)[0])


def rule(*texts: str) -> ResolvedRule:
    files, diagnostics = falco(*texts)
    assert [diagnostic for diagnostic in diagnostics if diagnostic.is_error] == []
    found = resolve(files)
    assert said(diagnostic for diagnostic in found.diagnostics if diagnostic.is_error) == []
    (only,) = found.rules
    return only


def expr(*texts: str) -> Expr:
    return rule(*texts).expr


def equal(field: str, value: str, op: str = "=") -> Check:
    return Check(FieldRef(field), op, Literal(value))


def within(field: str, *values: str, op: str = "in") -> Check:
    return Check(FieldRef(field), op, ListLit(tuple(Literal(value) for value in values)))


OPEN = equal("evt.type", "open")
BASH = equal("proc.name", "bash")


@pytest.mark.parametrize(("text", "said_of_it"), cases("falco_names.txt"))
def test_each_mistake_of_names_is_said_once_at_its_place(text: str, said_of_it: list[str]) -> None:
    files, diagnostics = falco(*text.split("# ---\n"))
    diagnostics += resolve(files).diagnostics
    assert said(item for item in diagnostics if item.code not in {"R0503"}) == said_of_it


@pytest.mark.parametrize(("text", "said_of_it"), cases("rules_names.txt"))
def test_each_mistake_of_names_in_rules_files_is_said_once(text: str, said_of_it: list[str]) -> None:
    diagnostics: list[Diagnostic] = []
    files = []
    for number, part in enumerate(text.split("# ---\n")):
        file, mistakes = parse_file(Source(f"{number}.rules", part))
        files.append(file)
        diagnostics += mistakes
    found = [*diagnostics, *resolve(files).diagnostics]
    assert said(diagnostic for diagnostic in found if not diagnostic.code.startswith("R01")) == said_of_it


# --- lists ------------------------------------------------------------------------------------------------------------


def test_lists_in_lists_are_put_in_at_any_depth() -> None:
    text = "- {list: a, items: [x]}\n- {list: b, items: [a, y]}\n- {list: c, items: [b, z]}\n"
    assert expr(text + RULE + "proc.name in (c, w)") == within("proc.name", "x", "y", "z", "w")


def test_a_list_of_one_item_may_stand_alone() -> None:
    assert expr("- {list: cat, items: [x]}\n" + RULE + "proc.name=cat") == equal("proc.name", "x")


def test_a_list_name_inside_quotes_stays_text() -> None:
    found = expr("- {list: bash, items: [x]}\n" + RULE + 'proc.cmdline = "run bash now"')
    assert found == Check(FieldRef("proc.cmdline"), "=", Literal("run bash now", quoted=True))


def test_an_empty_list_leaves_an_empty_list() -> None:
    assert expr("- {list: l, items: []}\n" + RULE + "proc.name in (l)") == within("proc.name")


def test_a_list_with_a_blank_in_its_name_is_put_in() -> None:
    assert expr("- {list: test list, items: [a, b]}\n" + RULE + "proc.name in (x, test list)") == within("proc.name", "x", "a", "b")


def test_appended_items_come_last() -> None:
    base = "- {list: l, items: [a]}\n" + RULE + "proc.name in (l)"
    assert expr(base, "- {list: l, items: [b], override: {items: append}}") == within("proc.name", "a", "b")
    assert expr(base, "- {list: l, items: [b]}") == within("proc.name", "b")


def test_lists_that_double_each_other_are_refused() -> None:
    text = "- {list: l0, items: [x, x]}\n" + "".join(f"- {{list: l{n}, items: [l{n - 1}, l{n - 1}]}}\n" for n in range(1, 40))
    found = resolved(text + RULE + "proc.name in (l39)")
    assert [item.message for item in found.diagnostics if item.is_error] == ["the list `l19` grows to more than 1000000 items"]


# --- macros -----------------------------------------------------------------------------------------------------------


def test_macros_are_put_in_as_they_stand() -> None:
    text = "- {macro: a, condition: proc.name = bash}\n- {macro: b, condition: not a or evt.type = open}\n"
    assert expr(text + RULE + "a and b") == And((BASH, Or((Not(BASH), OPEN))))


def test_an_appended_condition_continues_the_text() -> None:
    base = RULE + "evt.type = open or evt.type = close"
    change = "- {rule: r, condition: and proc.name = bash, override: {condition: append}}"
    assert expr(base, change) == Or((OPEN, And((equal("evt.type", "close"), BASH))))


def test_a_mistake_in_an_appended_condition_is_in_the_file_that_appends() -> None:
    found = resolved(RULE + "evt.type = open", "- rule: r\n  condition: and proc.name =\n  override: {condition: append}\n")
    (mistake,) = found.diagnostics
    assert mistake.span is not None
    place = mistake.span.located()
    assert (place.source.name, place.source.position(place.start)[0]) == ("1.yaml", 2)


def test_a_redefined_macro_holds_for_the_rules_before_it() -> None:
    text = "- {macro: m, condition: proc.name = x}\n" + RULE + "m and evt.type = open"
    assert expr(text, "- {macro: m, condition: proc.name = bash}") == And((BASH, OPEN))


def test_equal_macros_stay_one_object() -> None:
    found = expr("- {macro: m, condition: proc.name = bash}\n" + RULE + "m or not m")
    assert isinstance(found, Or)
    one, other = found.children
    assert isinstance(other, Not)
    assert one is other.child


def test_macros_that_double_each_other_are_refused_at_once() -> None:
    text = "- {macro: m0, condition: a.b exists}\n"
    text += "".join(f"- {{macro: m{n}, condition: m{n - 1} and m{n - 1}}}\n" for n in range(1, 200))
    found = resolved(text + RULE + "m199")
    assert [item.message for item in found.diagnostics if item.is_error] == ["the macro `m17` grows to more than 100000 checks"]


def test_macros_that_nest_too_deep_are_refused() -> None:
    text = "- {macro: m0, condition: a.b exists}\n"
    text += "".join(f"- {{macro: m{n}, condition: not m{n - 1}}}\n" for n in range(1, 5000))
    found = resolved(text + RULE + "m4999")
    assert [item.message for item in found.diagnostics if item.is_error] == ["the macro `m200` grows to more than 200 levels"]


def test_a_rule_knows_the_macros_and_lists_that_it_mentions() -> None:
    text = (
        "- {list: l, items: [a]}\n- {list: k, items: [l]}\n- {macro: m, condition: proc.name in (l)}\n- {macro: n, condition: m}\n"
    )
    found = rule(text + RULE + "n and m and proc.name in (k)")
    assert (found.macros, found.lists) == (("m", "n"), ("k",))


# --- exceptions -------------------------------------------------------------------------------------------------------


def test_exceptions_are_built_as_falco_builds_them() -> None:
    found = expr(
        RULE
        + """\
evt.type = open or evt.type = close
  exceptions:
    - {name: none, fields: proc.name}
    - {name: flat, fields: proc.name, values: [a, b]}
    - {name: one, fields: [proc.name], values: [[a]]}
    - {name: rows, fields: [proc.name, fd.name], comps: [in, startswith anyof], values: [[x, [y, z]], ["(v, w)", "l, u"]]}
    - {name: modified, fields: fd.name, comps: startswith oneof, values: [/a, /b]}
- {list: l, items: [m, n]}
"""
    )
    assert found == And(
        (
            Or((OPEN, equal("evt.type", "close"))),
            Not(within("proc.name", "a", "b")),
            Not(equal("proc.name", "a")),
            Not(
                Or(
                    (
                        And((within("proc.name", "x"), Check(FieldRef("fd.name"), "startswith", words("y", "z"), "anyof"))),
                        And(
                            (within("proc.name", "v", "w"), Check(FieldRef("fd.name"), "startswith", words("m", "n", "u"), "anyof"))
                        ),
                    )
                )
            ),
            Not(Check(FieldRef("fd.name"), "startswith", words("/a", "/b"), "oneof")),
        )
    )


def words(*texts: str) -> ListLit:
    return ListLit(tuple(Literal(text) for text in texts))


def test_appended_values_join_the_exception() -> None:
    base = RULE + "evt.type = open\n  exceptions: [{name: e, fields: proc.name, values: [a]}]"
    change = "- {rule: r, exceptions: [{name: e, values: [b]}], override: {exceptions: append}}"
    assert expr(base, change) == And((OPEN, Not(within("proc.name", "a", "b"))))
    assert expr(base, change.replace("append", "replace").replace("name: e,", "name: e, fields: fd.name,")) == And(
        (OPEN, Not(within("fd.name", "b")))
    )


# --- rules ------------------------------------------------------------------------------------------------------------


def test_appends_and_replacements_apply_to_each_key() -> None:
    found = rule(
        RULE + "evt.type = open\n  tags: [a, b]\n  enabled: false",
        """\
        - rule: r
          desc: e
          output: p
          tags: [b, c]
          priority: ERROR
          enabled: true
          override: {desc: append, output: replace, tags: append, priority: replace, enabled: replace}
        """,
    ).decl
    assert found.desc is not None
    assert found.output is not None
    assert found.priority is not None
    assert (found.desc.text, found.desc.span.text, found.output.text, found.priority.text) == ("d e", "d e", "p", "ERROR")
    assert [tag.text for tag in found.tags or ()] == ["a", "b", "c"]
    assert found.enabled is True


def test_a_redefinition_keeps_the_place_and_nothing_else() -> None:
    found = resolved(
        RULE
        + "evt.type = open\n  tags: [a]\n"
        + RULE.replace("rule: r", "rule: s")
        + "evt.type = open\n"
        + RULE
        + "proc.name = bash"
    )
    assert [rule.decl.name.text for rule in found.rules] == ["r", "s"]
    assert found.rules[0].expr == BASH
    assert found.rules[0].decl.tags is None


def test_names_are_no_mistakes_when_a_file_could_not_be_read() -> None:
    files, _ = falco(RULE + "m and proc.name in l", "- {rule: s, enabled: false}")
    assert said(resolve(files, complete=False).diagnostics) == []


def test_ten_thousand_rules_take_linear_time() -> None:
    def seconds(count: int) -> float:
        text = "- {list: l, items: [a, b]}\n- {macro: m, condition: proc.name in (l)}\n" + "".join(
            f"- {{rule: r{n}, desc: d, output: o, priority: INFO, condition: m and proc.pid = {n}}}\n" for n in range(count)
        )
        started = process_time()
        found = resolved(text)
        assert len(found.rules) == count
        return process_time() - started

    small, large = seconds(500), seconds(5000)
    assert large < 25 * small
