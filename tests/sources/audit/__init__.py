"""Small logs with what they say beside them, and the short way from bytes to events that the tests of the audit source share.

Most logs were recorded on Linux 6 (users 54377 and 54378 did it); aarch64, several hosts, names that auditd adds, logins and an
argument in pieces were written down from what the kernel and auditd write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.fields.record import Record, to_fields
from ruleng.normalise.audit import AuditEvent, AuditNormaliser
from ruleng.ports import Demand, Ledger
from ruleng.sources.audit.reader import Backend, Reader
from ruleng.state import Limits, State
from tests.state.support import StillClock

FOLDER = Path(__file__).parent
LOGS = sorted(FOLDER.glob("*.log"))
EVERYTHING = Demand(event_types=standard().event_types, fields=frozenset(standard().fields))

FIELDS = (
    "evt.rawtime", "evt.hostname", "evt.type", "evt.res", "evt.args", "fd.num", "fd.typechar", "fd.name",
    "fd.cport", "fd.sport", "fs.path.name", "fs.path.source", "fs.path.target", "proc.pid", "proc.name", "proc.exepath",
    "proc.args", "proc.cwd", "proc.is_exe_from_memfd", "proc.ppid", "proc.pname", "user.uid", "user.name", "user.loginuid",
    "user.loginname", "group.gid",
)  # fmt: skip
"""What goldens show of an event."""


class Places:
    """A Ledger that keeps where: (what, reason, FILE:LINE of each loss in order)."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, str | None]] = []

    def lost(self, where: str, reason: str, count: int = 1, *, sample: str | None = None) -> None:
        self.all += [(where, reason, sample)] * count


def read(data: bytes | Iterable[bytes], ledger: Ledger, source: str = "log", backend: Backend | None = None) -> list[AuditEvent]:
    """One stream from its beginning to its end, in one piece or several."""
    reader = backend or Reader(ledger, source)
    reader.begin(source)
    pieces = [data] if isinstance(data, bytes) else data
    found = [event for piece in pieces for event in reader.feed(piece)]
    return found + reader.flush()


def normalised(found: Iterable[AuditEvent], ledger: Ledger) -> Iterator[Event]:
    """Of a host of which nothing is known but what the records say."""
    normaliser = AuditNormaliser(State(None, StillClock(), Limits(), ledger), ledger)
    normaliser.demand(EVERYTHING)
    for event in found:
        yield from normaliser.events(event)


def records(data: bytes, ledger: Ledger, source: str = "log", backend: Backend | None = None) -> list[Record]:
    """Log to events, as far as goldens show them."""
    return [to_fields(event, FIELDS) for event in normalised(read(data, ledger, source, backend), ledger)]


def of_one_host(event: AuditEvent) -> AuditEvent:
    """The event without where it stood."""
    return AuditEvent(event.time_ns, event.serial, event.node, event.syscall, event.company, event.title, "", 0)


def all_lines() -> list[bytes]:
    """Of all logs, with their line ends."""
    return [line for path in LOGS for line in path.read_bytes().splitlines(keepends=True)]
