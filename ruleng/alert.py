"""What a rule said of an event, and what was done about it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import msgspec

from ruleng.event import Event


class Priority(IntEnum):
    """syslog's severities, RFC 5424 section 6.2.1: the lower the more severe."""

    EMERGENCY = 0
    ALERT = 1
    CRITICAL = 2
    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFORMATIONAL = 6
    DEBUG = 7

    @property
    def label(self) -> str:
        """As Falco prints it: `Warning`."""
        return self.name.capitalize()

    @classmethod
    def parse(cls, text: str) -> Priority | None:
        """The priority of that name in any case (`info` is short for informational), else None."""
        name = text.upper()
        return cls.__members__.get("INFORMATIONAL" if name == "INFO" else name)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one action."""

    action: str  # kill, stop, freeze, deny, alert, log
    outcome: str  # done, failed, refused (by the guard), gone (before it could be done), dry-run, skipped
    target: str | None = None  # pid 4711 (bash)
    error: str | None = None  # why not
    time_ns: int | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, complete: a sink needs nothing else. `output_fields` keeps the order of the rule's output."""

    uuid: str
    time_ns: int
    rule: str
    priority: Priority
    source: str  # Falco's event source: syscall
    hostname: str
    output: str  # the rule's output, fields put in, without time and priority
    output_fields: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    actions: tuple[Outcome, ...] = ()
    sinks: tuple[str, ...] = ()  # empty: all alert sinks; else the ones that the rule names
    suppressed: int = 0  # alerts of this rule and key that the throttle held back since the last one
    event: Event | None = None
