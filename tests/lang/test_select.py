"""Which rules run: by name, wildcard, tag and priority, the last word counts."""

from __future__ import annotations

import pytest

from ruleng.alert import Priority
from ruleng.lang.checked import All, Output, Rule
from ruleng.lang.select import Choice, select


def rule(name: str, *tags: str, enabled: bool = True, priority: Priority = Priority.NOTICE) -> Rule:
    return Rule(name, All(()), Output(()), priority, tags=tags, enabled=enabled)


RULES = (
    rule("Shell in container", "container", "shell"),
    rule("Shell on host", "host", "shell"),
    rule("Write below /etc [old]", "host", enabled=False),
    rule("Anything?", "debug", priority=Priority.DEBUG),
)


def enabled(*choices: Choice) -> list[str]:
    selected, _ = select(RULES, choices)
    return [rule.name for rule in selected if rule.enabled]


@pytest.mark.parametrize(
    ("choices", "names"),
    [
        ((), ["Shell in container", "Shell on host", "Anything?"]),
        ((Choice(False, "*"),), []),
        ((Choice(False, "*"), Choice(True, "tag:host")), ["Shell on host", "Write below /etc [old]"]),
        ((Choice(True, "tag:host"), Choice(False, "*")), []),
        ((Choice(False, "Shell*"),), ["Anything?"]),
        ((Choice(False, "*o*"),), ["Anything?"]),
        ((Choice(False, "Shell"),), ["Shell in container", "Shell on host", "Anything?"]),
        ((Choice(False, "shell*"),), ["Shell in container", "Shell on host", "Anything?"]),
        ((Choice(True, "Write below /etc [old]"),), [rule.name for rule in RULES]),
        ((Choice(False, "Shell ?n *"),), ["Anything?"]),
        ((Choice(False, "*hing?"),), ["Shell in container", "Shell on host"]),
    ],
)  # fmt: skip
def test_the_last_choice_that_concerns_a_rule_counts(choices: tuple[Choice, ...], names: list[str]) -> None:
    assert enabled(*choices) == names


def test_rules_below_the_minimum_priority_are_dropped() -> None:
    selected, _ = select(RULES, (), Priority.NOTICE)
    assert [rule.name for rule in selected] == ["Shell in container", "Shell on host", "Write below /etc [old]"]


def test_a_choice_that_concerns_no_rule_is_a_warning() -> None:
    _, diagnostics = select(RULES, (Choice(False, "Shel"), Choice(True, "tag:hots"), Choice(True, "*")))
    assert [(diagnostic.code, diagnostic.is_error, diagnostic.message) for diagnostic in diagnostics] == [
        ("R0614", False, "no rule is named `Shel`, so disabling it changes nothing"),
        ("R0614", False, "no rule has the tag `hots`, so enabling it changes nothing"),
    ]


def test_a_rule_that_no_choice_changes_is_the_same_object() -> None:
    selected, _ = select(RULES, (Choice(True, "Shell*"),))
    assert selected[0] is RULES[0]


def test_a_pattern_of_many_wildcards_takes_no_time() -> None:
    assert not Choice(True, "*a" * 30 + "b").chooses(rule("a" * 60))
