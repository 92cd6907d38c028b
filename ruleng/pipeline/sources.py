"""Sources by name: what each is, what opens it. `run --source`, its help and the configuration come from this table."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ruleng.errors import UsageError
from ruleng.lang.reach import Reach
from ruleng.pipeline.settings import Settings
from ruleng.ports import Ledger, Source
from ruleng.state import State


@dataclass(frozen=True, slots=True)
class Kind:
    """`live` ones read this host's state; `fills` is the source's name in the field catalogue."""

    name: str
    doc: str
    fills: str
    make: Callable[[Settings, State, Ledger], Source]
    live: bool = True


def _audit(settings: Settings, state: State, ledger: Ledger) -> Source:
    from ruleng.sources.audit.live import AuditLive

    config = settings.config
    return AuditLive(
        state,
        ledger,
        multicast=config.get("audit", "mode") == "multicast",
        manage=(settings.audit_rules or config.get("audit", "rules")) == "manage",
        heavy=config.get("audit", "heavy"),
        backlog_limit=config.get("audit", "backlog_limit"),
    )


def _stdin(settings: Settings, state: State, ledger: Ledger) -> Source:
    from ruleng.sources.audit.source import AuditStdin

    return AuditStdin(state, ledger, backend=settings.config.get("audit", "backend"))


KINDS: tuple[Kind, ...] = (
    Kind("audit", "the kernel's audit stream, beside an audit daemon or without one", "audit", _audit),
    Kind("stdin", "audit records on standard input, as auditd hands them to its plugins", "audit", _stdin),
)
_BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
AUTO = "auto"
BEST = "audit"
"""What `auto` takes."""


def help_text() -> str:
    return "; ".join([f"{AUTO} ({BEST})", *(f"{kind.name} ({kind.doc})" for kind in KINDS)])


def chosen(names: Sequence[str]) -> Kind:
    """Raises UsageError for an unknown name."""
    if len(names) != 1:
        raise UsageError(f"one source at a time, not {', '.join(names)}")
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
