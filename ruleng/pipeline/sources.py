"""Sources by name: what each is, what opens it. `run --source`, its help and the configuration come from this table."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ruleng.errors import UsageError
from ruleng.fields.catalogue import standard
from ruleng.lang.reach import Reach
from ruleng.pipeline.settings import Settings
from ruleng.ports import Ledger, Source
from ruleng.state import State


@dataclass(frozen=True, slots=True)
class Kind:
    """`fills` is the source's name in the field catalogue."""

    name: str
    doc: str
    fills: str
    make: Callable[[Settings, State, Ledger], Source]


def _audit(settings: Settings, state: State, ledger: Ledger) -> Source:
    from ruleng.sources.audit.live import AuditLive

    config = settings.config
    return AuditLive(
        state,
        ledger,
        multicast=config.get("audit", "mode") == "multicast",
        manage=settings.manages_audit_rules(),
        heavy=config.get("audit", "heavy"),
        backlog_limit=config.get("audit", "backlog_limit"),
    )


def _perf(settings: Settings, state: State, ledger: Ledger) -> Source:
    from ruleng.sources.perf.live import PerfLive

    return PerfLive(state, ledger)


def _stdin(settings: Settings, state: State, ledger: Ledger) -> Source:
    from ruleng.sources.audit.source import AuditStdin

    return AuditStdin(state, ledger, backend=settings.audit_backend())


KINDS: tuple[Kind, ...] = (
    Kind("audit", "the kernel's audit stream, beside an audit daemon or without one", "audit", _audit),
    Kind("perf", "the kernel's tracepoints: system calls, programs and signals, without strings", "perf", _perf),
    Kind("stdin", "audit records on standard input, as auditd hands them to its plugins", "audit", _stdin),
)
_BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
_NAMED = 10  # event types in one remark
AUTO = "auto"
BEST = "audit"
"""What `auto` takes."""


def help_text() -> str:
    return "; ".join([f"{AUTO} ({BEST})", *(f"{kind.name} ({kind.doc})" for kind in KINDS)])


def chosen(settings: Settings) -> Kind:
    """Raises UsageError for an unknown name."""
    try:
        return _named(settings.source_names())
    except UsageError as error:
        raise error if settings.sources else settings.config.mistake("source", "names", error) from error


def _named(names: Sequence[str]) -> Kind:
    if len(names) != 1:
        raise UsageError(f"one source at a time, not {', '.join(names) or 'none'}")
    name = BEST if names[0] == AUTO else names[0]
    if name not in _BY_NAME:
        near = difflib.get_close_matches(name, _BY_NAME, 1)
        raise UsageError(
            f"`{name}` is no source{f', did you mean `{near[0]}`?' if near else ''}",
            hint=f"there are {', '.join([AUTO, *_BY_NAME])}",
        )
    return _BY_NAME[name]


def reach(kind: Kind) -> Reach:
    """What rules may expect of it."""
    return Reach(frozenset({kind.fills}))


def reach_of(names: Sequence[str]) -> Reach:
    """What rules may expect of sources together, those among them that only other hosts have. Raises UsageError."""
    known = {name: name for field in standard() for name in field.sources} | {kind.name: kind.fills for kind in KINDS}
    for name in names:
        if name not in known:
            raise UsageError(f"`{name}` is no source that a field knows", hint=f"there are {', '.join(sorted(known))}")
    return Reach(frozenset(known[name] for name in names))


@runtime_checkable
class _Candid(Protocol):
    """A source that says, once it is open, what it does not see."""

    notes: Sequence[str]
    left_out: Mapping[str, str]  # why, by event type


def remarks(source: Source) -> Iterator[str]:
    """What a person should know of an open source: what it does not see, and why."""
    if not isinstance(source, _Candid):
        return
    yield from source.notes
    why: dict[str, list[str]] = {}
    for event_type, reason in sorted(source.left_out.items()):
        why.setdefault(reason, []).append(event_type)
    for reason, event_types in why.items():
        more = f" and {len(event_types) - _NAMED} more" if len(event_types) > _NAMED else ""
        yield f"not all is recorded of {', '.join(event_types[:_NAMED])}{more}: {reason}"
