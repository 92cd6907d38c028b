"""R0201-R0219: fields, their arguments and event types that are not what a rule takes them for."""

from __future__ import annotations

from collections.abc import Iterable

from ruleng.fields.types import Field
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import Explanation, ticked
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

COMPILE = "LOAD_ERR_COMPILE_CONDITION"
DEPRECATED = "LOAD_DEPRECATED_ITEM"

UNKNOWN = frozenset({"R0203", "R0206", "R0207"})
"""What Falco's skip-if-unknown-filter forgives: a field, a parameter or an event type that this version does not know."""

FALCO_DEPRECATES = frozenset({"evt.dir", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency"})
"""The fields of which Falco itself warns, falco_load_result.cpp."""

CODES = {
    "R0203": Explanation(
        "unknown field",
        "The name before the operator, in val() or after a percent sign is not in the field catalogue. `ruleng fields` lists all"
        " fields with their types and meanings.",
    ),
    "R0204": Explanation(
        "a field without its argument",
        "Some fields are families: `evt.arg` needs the parameter's name (`evt.arg.flags`), `container.label` the label's"
        " (`container.label[app]`). `ruleng fields` says what the argument of each is.",
    ),
    "R0205": Explanation(
        "an argument where none belongs",
        "Only some fields take an argument in brackets or after a dot, like `proc.aname[2]` or `proc.env[HOME]`.",
    ),
    "R0206": Explanation(
        "an argument that the field does not have",
        "The argument in brackets or after the dot is not one that the field understands: `evt.arg` takes the name of a parameter"
        " that some event type has, `proc.aname` a number from 0.",
    ),
    "R0207": Explanation(
        "unknown event type",
        "`evt.type` is compared with a name that no event type has, so the check could never be true. Event types are names of"
        " system calls (`openat`, `execve`) and of a few other kernel events.",
    ),
    "R0208": Explanation(
        "a deprecated field",
        "The field still works, but it has no meaning any more or a better one has taken its place. The message says what to do.",
    ),
    "R0209": Explanation(
        "a field that is only for outputs", "The field has a value when alerts are printed, not yet when conditions are decided."
    ),
    "R0210": Explanation(
        "a field that is only for conditions",
        "The field stands for more than one value (`fd.ip` is the client or the server), so it can be compared but not printed."
        " Print the ends: `%fd.cip`, `%fd.sip`.",
    ),
}


def unknown_field(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        code="R0203",
        severity="error",
        message=f"unknown field {ticked(name)}",
        span=span,
        help=did_you_mean(name, known),
        falco=COMPILE,
    )


def argument_missing(span: Span, field: Field) -> Diagnostic:
    return Diagnostic(
        code="R0204",
        severity="error",
        message=f"`{field.name}` needs an argument",
        span=span,
        help=field.argument_doc or None,
        falco=COMPILE,
    )


def argument_unwanted(span: Span, field: Field, arg: str) -> Diagnostic:
    return Diagnostic(
        code="R0205",
        severity="error",
        message=f"`{field.name}` takes no argument, found {ticked(arg)}",
        span=span,
        falco=COMPILE,
    )


def bad_argument(span: Span, field: Field, arg: str, reason: str, near: str | None) -> Diagnostic:
    return Diagnostic(
        code="R0206",
        severity="error",
        message=f"{ticked(arg)} is no argument of `{field.name}`",
        span=span,
        label=reason,
        help=field.argument_doc or None if near is None else f"did you mean `{field.name}.{near}`?",
        falco=COMPILE,
    )


def unknown_event_type(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    return Diagnostic(
        code="R0207",
        severity="error",
        message=f"unknown event type {ticked(name)}",
        span=span,
        help=did_you_mean(name, known),
        falco=COMPILE,
    )


def deprecated_field(span: Span, field: Field) -> Diagnostic:
    return Diagnostic(
        code="R0208",
        severity="warning",
        message=f"`{field.name}` is deprecated",
        span=span,
        help=field.deprecated,
        falco=DEPRECATED if field.name in FALCO_DEPRECATES else None,
    )


def output_only(span: Span, field: Field) -> Diagnostic:
    return Diagnostic(
        code="R0209",
        severity="error",
        message=f"`{field.name}` is for outputs, a condition cannot ask for it",
        span=span,
        falco=COMPILE,
    )


def condition_only(span: Span, field: Field) -> Diagnostic:
    return Diagnostic(
        code="R0210",
        severity="error",
        message=f"`{field.name}` is for conditions, an output cannot print it",
        span=span,
        falco="LOAD_ERR_COMPILE_OUTPUT",
    )


def many_values(span: Span, field: Field) -> Diagnostic:
    return Diagnostic(
        code="R0210",
        severity="error",
        message=f"`{field.name}` has many values, one is wanted here",
        span=span,
        help=f"`{field.name}[1]` is one of them" if field.argument == "optional" else None,
    )
