"""Alert -> text for a person: one line with what happened, and a line for each thing done about it."""

from __future__ import annotations

from ruleng.alert import Alert, Outcome, Priority
from ruleng.sinks.encode.values import iso, printable

_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_COLOURS = {  # SGR codes, ECMA-48
    Priority.EMERGENCY: "\x1b[1;37;41m",
    Priority.ALERT: "\x1b[1;37;41m",
    Priority.CRITICAL: "\x1b[1;31m",
    Priority.ERROR: "\x1b[31m",
    Priority.WARNING: "\x1b[33m",
    Priority.NOTICE: "\x1b[36m",
    Priority.INFORMATIONAL: "\x1b[32m",
    Priority.DEBUG: "\x1b[2m",
}
_WIDTH = max(len(priority.label) for priority in Priority)


def block(alert: Alert, *, colour: bool = False) -> str:
    """Ends with a line end. Times are UTC. Nothing that the alert's process wrote can steer the terminal."""
    when, label, rule = iso(alert.time_ns, 3), alert.priority.label.ljust(_WIDTH), printable(alert.rule)
    if colour:
        when, label, rule = f"{_DIM}{when}{_RESET}", f"{_COLOURS[alert.priority]}{label}{_RESET}", f"{_BOLD}{rule}{_RESET}"
    lines = [f"{when} {label} {rule}: {printable(alert.output)}"]
    lines += [f"    {done(outcome)}" for outcome in alert.actions]
    if alert.suppressed:
        lines.append(f"    {alert.suppressed} more like this were held back by the rule's throttle")
    return "\n".join(lines) + "\n"


def done(outcome: Outcome) -> str:
    """`kill pid 4711 (bash): refused, it is protected`."""
    action = outcome.action if outcome.target is None else f"{outcome.action} {outcome.target}"
    result = outcome.outcome if outcome.error is None else f"{outcome.outcome}, {outcome.error}"
    return printable(f"{action}: {result}")
