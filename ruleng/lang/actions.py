"""What a rule wants done: `kill(signal=SIGTERM, scope=tree)` to checked actions.

In go the calls as written, out come the actions, in order, and what is wrong with them. `deny` is refused where no source
can deny anything: a rule must not promise what will not happen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ruleng.abi.names import ERRNO, SIGNALS
from ruleng.lang.ast import ActionCall, Name
from ruleng.lang.checked import Action
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import outputs as mistakes

LAST_SIGNAL = 64  # _NSIG of asm-generic/signal.h
MAX_ERRNO = 4095  # linux/err.h: the greatest number that a call can return as an error

Scope = Literal["process", "tree", "container"]
SCOPES: Mapping[str, Scope] = {"process": "process", "tree": "tree", "container": "container"}
Report = Callable[[Diagnostic], None]


@dataclass(frozen=True, slots=True)
class Form:
    """How an action may be written."""

    usage: str
    options: tuple[str, ...] = ()
    arguments: int | None = 0  # at most; None: any number


FORMS: Mapping[str, Form] = {
    "alert": Form("alert(SINK, ...)", arguments=None),
    "log": Form("log"),
    "kill": Form("kill(signal=SIGTERM, scope=tree)", ("signal", "scope")),
    "stop": Form("stop(scope=tree)", ("scope",)),
    "freeze": Form("freeze(scope=container)", ("scope",)),
    "deny": Form("deny(EPERM)", arguments=1),
}


def check_actions(calls: Sequence[ActionCall] | None, *, inline: bool) -> tuple[tuple[Action, ...], list[Diagnostic]]:
    """The actions of a rule; without any, it alerts. `inline`: whether a source of this run can deny."""
    if calls is None:
        return (Action("alert"),), []
    problems: list[Diagnostic] = []
    actions: dict[str, Action] = {}
    for call in calls:
        action = _action(call, problems.append)
        if action is None:
            continue
        if action.name == "deny" and not inline:
            problems.append(mistakes.deny_impossible(call.name.span))
        if action.name in actions:
            problems.append(mistakes.action_repeated(call.name.span, action.name))
        actions[action.name] = action
    return tuple(actions.values()), problems


def _action(call: ActionCall, report: Report) -> Action | None:
    span, form = call.name.span, FORMS.get(call.name.text)
    if form is None:
        report(mistakes.unknown_action(span, call.name.text, FORMS))
        return None
    options = _options(call, form, report)
    for argument in [] if form.arguments is None else call.args[form.arguments :]:
        report(mistakes.argument_unwanted(argument.span, call.name.text, argument.text, form.usage))
    scope = _scope(options.get("scope"), report)
    match call.name.text:
        case "alert":
            return Action("alert", sinks=tuple(argument.text for argument in call.args), span=span)
        case "log":
            return Action("log", span=span)
        case "stop":
            return Action("stop", scope=scope, span=span)
        case "freeze":
            return Action("freeze", scope=scope, span=span)
        case "kill":
            return Action("kill", signal=_signal(options.get("signal"), report), scope=scope, span=span)
        case _:
            return Action("deny", errno=_errno(call.args[0] if call.args else None, report), span=span)


def _options(call: ActionCall, form: Form, report: Report) -> dict[str, Name]:
    options: dict[str, Name] = {}
    for option, value in call.options:
        if option.text not in form.options:
            report(mistakes.unknown_option(option.span, call.name.text, option.text, form.options))
        elif option.text in options:
            report(mistakes.option_repeated(option.span, option.text))
        else:
            options[option.text] = value
    return options


def _signal(given: Name | None, report: Report) -> int:
    if given is None:
        return SIGNALS["SIGKILL"]
    number = _number(given.text, SIGNALS, "SIG")
    if number is None or not 1 <= number <= LAST_SIGNAL:
        report(mistakes.unknown_signal(given.span, given.text, [*SIGNALS, *(name[3:] for name in SIGNALS)]))
        return SIGNALS["SIGKILL"]
    return number


def _errno(given: Name | None, report: Report) -> int:
    if given is None:
        return ERRNO["EPERM"]
    number = _number(given.text, ERRNO, "E")
    if number is None or not 1 <= number <= MAX_ERRNO:
        report(mistakes.unknown_errno(given.span, given.text, ERRNO))
        return ERRNO["EPERM"]
    return number


def _number(text: str, table: Mapping[str, int], prefix: str) -> int | None:
    """The number that a name stands for (SIGTERM, TERM, sigterm), or that the text is."""
    if text.isascii() and text.isdecimal():
        return int(text[:5])  # longer ones are out of range whatever follows
    name = text.upper()
    return table.get(name, table.get(prefix + name))


def _scope(given: Name | None, report: Report) -> Scope:
    if given is None:
        return "process"
    if given.text not in SCOPES:
        report(mistakes.unknown_scope(given.span, given.text, list(SCOPES)))
    return SCOPES.get(given.text, "process")
