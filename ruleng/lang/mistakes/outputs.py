"""R04xx: outputs and actions that cannot be printed or done as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import Explanation, ticked
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

COMPILE = "LOAD_ERR_COMPILE_OUTPUT"

CODES = {
    "R0401": Explanation(
        "an output that ends with a percent sign",
        "A percent sign begins a field, and there is no way to write one alone: `%%` is an error too, in Falco as here. Write the"
        " word percent.",
    ),
    "R0402": Explanation(
        "a percent sign without a field",
        "After a percent sign stands a field or a transformer: `%proc.name`, `%12proc.name` (cut or filled to 12 characters),"
        " `%proc.aname[2]`, `%toupper(proc.name)`. There is no way to write a percent sign alone.",
    ),
    "R0403": Explanation("a width that cannot be", "The number after a percent sign is how many characters the value gets."),
    "R0404": Explanation(
        "`%container.info` is deprecated", "It prints nothing any more. Name the fields: `%container.id %container.name`."
    ),
    "R0405": Explanation(
        "a field's name with letters after it",
        "The longest beginning that names a field is the field, and the rest is text: `%fd.names` prints the name and an s. If that"
        " is not meant, the name is misspelt.",
    ),
    "R0410": Explanation(
        "unknown action", "The actions are alert, log, kill, stop, freeze and deny. Without `actions` a rule alerts."
    ),
    "R0411": Explanation(
        "an option that the action does not have",
        "kill has `signal` and `scope`, stop and freeze have `scope`; `alert(soc, kafka)` names sinks, `deny(EPERM)` an error.",
    ),
    "R0412": Explanation("an option twice", "Only one value can hold."),
    "R0413": Explanation(
        "unknown signal", "A signal is given by name (`SIGTERM`, `TERM`) or by number from 1 to 64, see signal(7)."
    ),
    "R0414": Explanation(
        "unknown error", "The error that the denied call returns: a name like `EPERM`, or a number, see errno(3)."
    ),
    "R0415": Explanation(
        "unknown scope",
        "`process` is the process alone, `tree` its descendants too, `container` all processes of its container.",
    ),
    "R0416": Explanation(
        "deny where nothing can be denied",
        "A call can be denied only by a source that holds it until ruleng has decided (seccomp notification, fanotify, BPF-LSM)."
        " Audit and tracepoints tell of calls that are done. `ruleng doctor` says which levels this host offers.",
    ),
    "R0417": Explanation("the same action twice", "An action is done once."),
    "R0420": Explanation(
        "invalid priority",
        "The priorities are emergency, alert, critical, error, warning, notice, informational (or info) and debug, in any case.",
    ),
    "R0421": Explanation("a rule without a part that it needs", "A rule needs `condition`, `output` and `priority`."),
}


def _error(code: str, message: str, span: Span, *, help: str | None = None, falco: str | None = COMPILE) -> Diagnostic:
    return Diagnostic(code=code, severity="error", message=message, span=span, help=help, falco=falco)


# --- outputs ----------------------------------------------------------------------------------------------------------


def ends_with_percent(span: Span) -> Diagnostic:
    return _error("R0401", "an output cannot end with `%`", span, help="write `percent`: there is no way to write the sign alone")


def percent_without_field(span: Span) -> Diagnostic:
    return _error("R0402", "after `%` a field is wanted", span, help="write `percent`: there is no way to write the sign alone")


def width_without_field(span: Span) -> Diagnostic:
    return _error("R0403", "after a width a field is wanted", span, help="`%12proc.name` prints 12 characters")


def width_too_large(span: Span, limit: int) -> Diagnostic:
    return _error("R0403", f"a width of more than {limit}", span)


def container_info(span: Span) -> Diagnostic:
    return Diagnostic(
        code="R0404",
        severity="warning",
        message="`%container.info` is deprecated and prints nothing",
        span=span,
        help="write `%container.id %container.name`",
        falco="LOAD_DEPRECATED_ITEM",
    )


def field_with_letters_after(span: Span, field: str, rest: str) -> Diagnostic:
    return Diagnostic(code="R0405", severity="warning", message=f"this prints `{field}` and then {ticked(rest)}", span=span)


# --- actions ----------------------------------------------------------------------------------------------------------


def unknown_action(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0410", f"unknown action {ticked(name)}", span, help=did_you_mean(name, known), falco=None)


def unknown_option(span: Span, action: str, option: str, known: Sequence[str]) -> Diagnostic:
    hint = did_you_mean(option, known) or (f"it has {' and '.join(known)}" if known else None)
    return _error("R0411", f"`{action}` has no option {ticked(option)}", span, help=hint, falco=None)


def argument_unwanted(span: Span, action: str, argument: str, usage: str) -> Diagnostic:
    return _error("R0411", f"`{action}` does not take {ticked(argument)}", span, help=f"write `{usage}`", falco=None)


def option_repeated(span: Span, option: str) -> Diagnostic:
    return _error("R0412", f"`{option}` is given twice", span, falco=None)


def unknown_signal(span: Span, text: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0413", f"unknown signal {ticked(text)}", span, help=did_you_mean(text, known), falco=None)


def unknown_errno(span: Span, text: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0414", f"unknown error {ticked(text)}", span, help=did_you_mean(text, known), falco=None)


def unknown_scope(span: Span, text: str, known: Sequence[str]) -> Diagnostic:
    return _error("R0415", f"unknown scope {ticked(text)}", span, help=f"one of {', '.join(known)}", falco=None)


def deny_impossible(span: Span) -> Diagnostic:
    return _error(
        "R0416",
        "`deny` needs enforcement level `inline`, and no source of this run is inline",
        span,
        help="use a source that holds calls until ruleng decides (seccomp, fanotify, BPF-LSM), or `kill`",
        falco=None,
    )


def action_repeated(span: Span, action: str) -> Diagnostic:
    return _error("R0417", f"`{action}` stands here twice", span, falco=None)


# --- rules ------------------------------------------------------------------------------------------------------------


def invalid_priority(span: Span, text: str, known: Iterable[str]) -> Diagnostic:
    return _error("R0420", f"invalid priority {ticked(text)}", span, help=did_you_mean(text, known), falco="LOAD_ERR_YAML_VALIDATE")


def part_missing(span: Span, rule: str, part: str) -> Diagnostic:
    return _error("R0421", f"rule `{rule}` has no `{part}`", span, falco="LOAD_ERR_YAML_VALIDATE")
