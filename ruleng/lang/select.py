"""Which rules run: enabled or disabled by name or tag, in order, and no less severe than a minimum priority."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from ruleng.alert import Priority
from ruleng.lang.checked import Rule
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import sources as mistakes

_TAG = "tag:"


@dataclass(frozen=True, slots=True)
class Choice:
    """One step of a selection: `what` is the name of a rule, with `*` and `?`, or `tag:NAME`."""

    enable: bool
    what: str

    def chooses(self, rule: Rule) -> bool:
        if self.what.startswith(_TAG):
            return self.what.removeprefix(_TAG) in rule.tags
        return fnmatchcase(rule.name, self.what.replace("[", "[[]"))  # brackets are common in names of rules


def select(
    rules: Iterable[Rule], choices: Sequence[Choice], minimum: Priority = Priority.DEBUG
) -> tuple[tuple[Rule, ...], list[Diagnostic]]:
    """The rules that are severe enough, enabled as the last choice that concerns them says.

    A choice that concerns no rule is a warning.
    """
    effective: set[int] = set()
    selected = []
    for rule in rules:
        enabled = rule.enabled
        for number, choice in enumerate(choices):
            if choice.chooses(rule):
                enabled = choice.enable
                effective.add(number)
        if rule.priority <= minimum:
            selected.append(rule if enabled == rule.enabled else replace(rule, enabled=enabled))
    idle = [choice for number, choice in enumerate(choices) if number not in effective]
    return tuple(selected), [mistakes.selects_nothing(choice.what, enable=choice.enable) for choice in idle]
