"""R06xx: files that cannot be read, event sources, and rules that never match or match too much where they run."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ruleng.lang.diagnostics import Diagnostic, Severity
from ruleng.lang.mistakes import Explanation
from ruleng.lang.near import did_you_mean
from ruleng.lang.source import Span

CODES = {
    "R0601": Explanation("a file that cannot be read", "The system's reason is in the message. None of its rules are loaded."),
    "R0602": Explanation(
        "not a text", "Rule files are UTF-8 text. This one holds bytes that are none, so it is perhaps no rule file at all."
    ),
    "R0603": Explanation("a file that is too large", "No rule file has that size; a path is mistaken."),
    "R0604": Explanation(
        "a file of neither kind", "Rules are read from NAME.rules, and Falco's from NAME.yaml or NAME.yml. Rename the file."
    ),
    "R0605": Explanation("a folder without rules", "It holds no file NAME.rules, NAME.yaml or NAME.yml."),
    "R0610": Explanation(
        "an event source that is not there",
        "`source` says which kind of events a rule is for. Rules of kinds that nothing provides are left out, as Falco does.",
    ),
    "R0611": Explanation(
        "a rule that events cannot reach",
        "The rule asks for event types or fields that none of the sources in use provides, so it never matches. Add a source"
        " (`ruleng doctor` says which work here), or disable the rule.",
    ),
    "R0612": Explanation(
        "a rule for nearly all events",
        "The condition does not say which event types it is for, so it is asked for each event, which costs time. Begin with"
        " `evt.type in (...)`, or say `warn_evttypes: false`.",
    ),
    "R0613": Explanation(
        "a rule that this version does not know",
        "The rule uses a field, a parameter or an event type that is unknown here. It says `skip-if-unknown-filter: true`, so it is"
        " left out and nothing else happens.",
    ),
    "R0614": Explanation("a selection without effect", "No rule has the name or tag that is enabled or disabled."),
}


def _of_file(code: str, path: str, message: str, severity: Severity = "error", falco: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, severity=severity, message=message, path=path, falco=falco)


def unreadable(path: str, reason: str) -> Diagnostic:
    return _of_file("R0601", path, f"cannot be read: {reason}", falco="LOAD_ERR_FILE_READ")


def no_text(path: str, line: int, byte: int) -> Diagnostic:
    return _of_file("R0602", path, f"not UTF-8 text: byte {byte:#04x} in line {line}", falco="LOAD_ERR_YAML_PARSE")


def too_large(path: str, size: int, limit: int) -> Diagnostic:
    return _of_file("R0603", path, f"has {size} bytes, more than {limit}", falco="LOAD_ERR_FILE_READ")


def neither_kind(path: str) -> Diagnostic:
    return _of_file("R0604", path, "is neither NAME.rules nor NAME.yaml, so how to read it is unknown")


def no_rules_in(path: str) -> Diagnostic:
    return _of_file("R0605", path, "holds no file with rules", severity="warning")


def unknown_source(span: Span, name: str, known: Collection[str]) -> Diagnostic:
    return Diagnostic(
        code="R0610",
        severity="warning",
        message=f"no source provides `{name}` events, the rule is left out",
        span=span,
        help=did_you_mean(name, known),
        falco="LOAD_UNKNOWN_SOURCE",
    )


def never_matches(span: Span, lacking: Iterable[str], sources: Iterable[str]) -> Diagnostic:
    names = sorted(lacking)
    shown = ", ".join(f"`{name}`" for name in names[:5]) + (", ..." if len(names) > 5 else "")
    used = ", ".join(sorted(sources)) or "none"
    return Diagnostic(
        code="R0611",
        severity="warning",
        message=f"never matches here: {shown} come{'s' * (len(names) == 1)} from no source in use",
        span=span,
        label=f"sources in use: {used}",
    )


def too_many_event_types(span: Span) -> Diagnostic:
    return Diagnostic(
        code="R0612",
        severity="warning",
        message="is asked for nearly every event, as its condition does not limit `evt.type`",
        span=span,
        falco="LOAD_NO_EVTTYPE",
    )


def skipped(span: Span | None, reason: str) -> Diagnostic:
    return Diagnostic(
        code="R0613", severity="warning", message=f"the rule is left out: {reason}", span=span, falco="LOAD_UNKNOWN_FILTER"
    )


def selects_nothing(what: str, *, enable: bool) -> Diagnostic:
    kind = "has the tag" if what.startswith("tag:") else "is named"
    message = f"no rule {kind} `{what.removeprefix('tag:')}`, so {'enabling' if enable else 'disabling'} it changes nothing"
    return Diagnostic(code="R0614", severity="warning", message=message)
