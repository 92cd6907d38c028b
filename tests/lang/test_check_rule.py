"""Rules as a whole, and what they want done."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ruleng.alert import Priority
from ruleng.lang.ast import ActionCall, Expr, FieldRef, Name, RuleDecl, ThrottleDecl
from ruleng.lang.check import check_rule
from ruleng.lang.checked import Action, FieldUse, Rule, Throttle
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.parse import parse_condition
from ruleng.lang.resolve import ResolvedRule
from ruleng.lang.source import Source, Span
from tests.lang.made_up import CATALOGUE


def name(text: str) -> Name:
    return Name(text, Span(Source("test.rules", text), 0, len(text)))


def condition(text: str) -> Expr:
    expr, problems = parse_condition(Source("test.rules", text))
    assert expr is not None, problems
    return expr


DECL = RuleDecl(name("A rule"), output=name("%t.text"), priority=name("warning"), span=name("rule").span)


def check(decl: RuleDecl = DECL, text: str = "t.text = a", *, inline: bool = False) -> tuple[Rule | None, list[Diagnostic]]:
    return check_rule(ResolvedRule(decl, condition(text), "rules", ("m",), ("l",)), CATALOGUE, inline=inline)


def codes(decl: RuleDecl, *, inline: bool = False) -> list[tuple[str, str]]:
    return [(problem.code, problem.span.text if problem.span else "") for problem in check(decl, inline=inline)[1]]


def calls(*written: ActionCall) -> RuleDecl:
    return replace(DECL, actions=written)


def call(action: str, *args: str, **options: str) -> ActionCall:
    pairs = tuple((name(option), name(value)) for option, value in options.items())
    return ActionCall(name(action), tuple(map(name, args)), pairs)


def actions(*written: ActionCall, inline: bool = False) -> tuple[Action, ...]:
    rule, problems = check(calls(*written), inline=inline)
    assert rule is not None, problems
    return tuple(replace(action, span=None) for action in rule.actions)


def test_a_rule_without_options_alerts_and_is_enabled() -> None:
    rule, problems = check()
    assert problems == []
    assert rule is not None
    assert (rule.name, rule.priority, rule.enabled, rule.source) == ("A rule", Priority.WARNING, True, "syscall")
    assert rule.actions == (Action("alert"),)
    assert rule.throttle is None
    assert rule.text == "t.text = a"
    assert (rule.meta["macros"], rule.meta["lists"]) == (("m",), ("l",))


def test_all_parts_of_a_rule_are_checked_at_once() -> None:
    decl = replace(DECL, output=name("%no.such"), priority=name("urgent"), actions=(call("explode"),))
    rule, problems = check(decl, "t.txt = a")
    assert rule is None
    assert [problem.code for problem in problems] == ["R0203", "R0203", "R0420", "R0410"]
    assert {problem.rule for problem in problems} == {"A rule"}


def test_a_rule_needs_an_output_and_a_priority() -> None:
    rule, problems = check(replace(DECL, output=None, priority=None))
    assert rule is None
    assert [problem.message for problem in problems] == ["rule `A rule` has no `output`", "rule `A rule` has no `priority`"]


@pytest.mark.parametrize(("text", "priority"), [("INFO", Priority.INFORMATIONAL), ("eMerGency", Priority.EMERGENCY)])
def test_a_priority_is_read_in_any_case(text: str, priority: Priority) -> None:
    rule, _ = check(replace(DECL, priority=name(text)))
    assert rule is not None
    assert rule.priority is priority


# --- actions ----------------------------------------------------------------------------------------------------------


def test_actions_are_read_with_their_options() -> None:
    assert actions(call("alert", "soc", "kafka")) == (Action("alert", sinks=("soc", "kafka")),)
    assert actions(call("log"), call("kill")) == (Action("log"), Action("kill", signal=9))
    assert actions(call("kill", signal="SIGTERM", scope="tree")) == (Action("kill", signal=15, scope="tree"),)
    assert actions(call("stop", scope="container")) == (Action("stop", scope="container"),)
    assert actions(call("freeze", scope="tree")) == (Action("freeze", scope="tree"),)
    assert actions(call("deny"), inline=True) == (Action("deny", errno=1),)
    assert actions(call("deny", "EACCES"), inline=True) == (Action("deny", errno=13),)


@pytest.mark.parametrize(("text", "number"), [("TERM", 15), ("sigterm", 15), ("15", 15), ("64", 64), ("SIGKILL", 9)])
def test_a_signal_has_a_name_or_a_number(text: str, number: int) -> None:
    assert actions(call("kill", signal=text)) == (Action("kill", signal=number),)


WRONG = {
    "unknown action": (call("kil"), ("R0410", "kil")),
    "unknown option": (call("kill", sginal="TERM"), ("R0411", "sginal")),
    "option of another action": (call("stop", signal="TERM"), ("R0411", "signal")),
    "argument of an action without": (call("log", "x"), ("R0411", "x")),
    "second error": (call("deny", "EPERM", "EACCES"), ("R0411", "EACCES")),
    "unknown signal": (call("kill", signal="SIGTREM"), ("R0413", "SIGTREM")),
    "signal 0": (call("kill", signal="0"), ("R0413", "0")),
    "signal 65": (call("kill", signal="65"), ("R0413", "65")),
    "a number of many digits": (call("kill", signal="9" * 9999), ("R0413", "9" * 9999)),
    "unknown error": (call("deny", "EPREM"), ("R0414", "EPREM")),
    "error 4096": (call("deny", "4096"), ("R0414", "4096")),
    "unknown scope": (call("kill", scope="pod"), ("R0415", "pod")),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_in_an_action_is_marked(case: str) -> None:
    written, expected = WRONG[case]
    assert codes(calls(written), inline=True) == [expected]


def test_an_option_and_an_action_stand_once() -> None:
    twice = ActionCall(name("kill"), options=((name("scope"), name("tree")), (name("scope"), name("process"))))
    assert codes(calls(twice)) == [("R0412", "scope")]
    assert codes(calls(call("kill"), call("alert"), call("kill", scope="tree"))) == [("R0417", "kill")]


def test_deny_is_refused_where_nothing_is_inline_and_says_which_level_it_needs() -> None:
    rule, problems = check(calls(call("deny")))
    assert rule is None
    assert [problem.code for problem in problems] == ["R0416"]
    assert "level `inline`" in problems[0].message


# --- throttle ---------------------------------------------------------------------------------------------------------


def throttled(*by: tuple[str, str | None]) -> tuple[Rule | None, list[Diagnostic]]:
    fields = tuple(FieldRef(field, arg, name(field).span) for field, arg in by)
    return check(replace(DECL, throttle=ThrottleDecl(5, 60_000_000_000, fields, name("x").span)))


def test_a_throttle_counts_by_fields() -> None:
    rule, problems = throttled(("t.text", None), ("t.nth", "1"))
    assert rule is not None, problems
    assert isinstance(rule.throttle, Throttle)
    assert [(use.field.name, use.arg) for use in rule.throttle.by] == [("t.text", None), ("t.nth", "1")]
    assert all(isinstance(use, FieldUse) for use in rule.throttle.by)


@pytest.mark.parametrize(("by", "code"), [(("t.txt", None), "R0203"), (("t.ends", None), "R0210"), (("t.nth", None), "R0210")])
def test_a_throttle_needs_fields_of_one_value(by: tuple[str, str | None], code: str) -> None:
    rule, problems = throttled(by, ("t.text", None))
    assert rule is None
    assert [problem.code for problem in problems] == [code]
