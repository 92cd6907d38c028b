"""Records -> AuditEvents: what shares node, time and serial belongs together.

Records of different events interleave, and may come out of order. An event is complete when its end was seen (EOE, or
PROCTITLE, which the kernel writes last and which is all that log files have) and no PATH record that its SYSCALL announces is
missing. What never completes (the kernel closes no event without a system call, and records get lost) is handed on as it is
when its node's time has gone on by two seconds, when too much is held, at the end, or on `tick`.

Nothing here grows without bound; whatever is dropped is counted in the ledger with its place.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ruleng.normalise.audit import AuditEvent, Record
from ruleng.ports import Ledger
from ruleng.sources.audit.record import Kind, parse_serial, parse_time

WHERE = "audit.assemble"
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    age_ns: int = 2 * _SECOND_NS  # auditd.conf(5): end_of_event_timeout
    events: int = 4096  # open at once
    held_bytes: int = 16_777_216  # of all open events; one execve's arguments can be 6 MB of hex
    backwards_ns: int = 10 * _SECOND_NS  # less is disorder, more is a clock that was set
    finished: int = 8192  # remembered, so that late and repeated records are known for what they are
    nodes: int = 1024


DEFAULT_LIMITS = Limits()


class Assembler:
    def __init__(self, ledger: Ledger, source: str, limits: Limits = DEFAULT_LIMITS) -> None:
        self.ready: list[AuditEvent] = []
        """Complete events, for the owner to take."""
        self.source = source
        self._ledger = ledger
        self._limits = limits
        self._open: dict[bytes, AuditEvent] = {}
        self._stamp = b""
        self._key = b""
        self._event: AuditEvent | None = None
        self._finished: set[bytes] = set()
        self._finished_order: deque[bytes] = deque()
        self._newest_ns: dict[str | None, int] = {}
        self._age_due_ns = 0
        self._time_text = b""
        self._time_ns = 0
        self._held_bytes = 0
        self._ticked: set[bytes] = set()

    def add(self, kind: Kind, stamp: bytes, body: bytes, line: int) -> None:
        """One record. `stamp` is TIME:SERIAL; `line` is where it stands, 0 where there are no lines."""
        event = self._event
        if event is None or stamp != self._stamp or kind.node != event.node or kind.role == "alone":
            event = self._find(kind, stamp, line)
            if event is None:
                return
        records = event.records
        role = kind.role
        if role == "end":
            event.ended = True
        elif (records and records[-1][1] == body and records[-1][0] == kind.type) or (role == "syscall" and _syscall(records)):
            self._lost("a record came twice", line)
            return
        else:
            records.append((kind.type, body))
            if role == "title":
                event.ended = True
        if event.ended and is_whole(records):
            self._close(self._key)
        else:
            self._held_bytes += len(body)
            if self._held_bytes > self._limits.held_bytes:
                self._shrink()

    def flush(self) -> None:
        """The stream ends here: everything is as complete as it gets. Time may begin anew."""
        for key in list(self._open):
            self._close(key)
        self._newest_ns.clear()
        self._age_due_ns = 0

    def tick(self) -> None:
        """Time passes and nothing comes: what was open at the last tick already is handed on. Once a second or so."""
        for key in self._ticked:
            if key in self._open:
                self._close(key)
        self._ticked = set(self._open)

    def _find(self, kind: Kind, stamp: bytes, line: int) -> AuditEvent | None:
        """The open event of a record, or a new one; None when it has none."""
        key = kind.key + stamp
        if kind.role == "alone":
            key += kind.type.encode()
        event = self._open.get(key)
        if event is None:
            if key in self._finished:
                if kind.role != "end":
                    self._lost("a record came after its event was complete, or twice", line)
                return None
            if kind.role == "end":
                self._lost("an event was lost, all but its end", line)
                return None
            try:
                event = self._begin(kind, stamp, line)
            except ValueError as error:
                self._ledger.lost("audit.parse", str(error), sample=self._place(line))
                return None
            if len(self._open) >= self._limits.events:
                self._lost("too many events are open: the oldest was closed early", line)
                self._close(next(iter(self._open)))
            event.ended = kind.role == "alone"
            self._open[key] = event
        self._stamp, self._key, self._event = stamp, key, event
        return event

    def _begin(self, kind: Kind, stamp: bytes, line: int) -> AuditEvent:
        time_text, _, serial = stamp.partition(b":")
        number = parse_serial(serial)
        if time_text != self._time_text:
            self._time_ns = parse_time(time_text)
            self._time_text = time_text
            self._passed(kind.node, self._time_ns, line)
        return AuditEvent(self._time_ns, number, kind.node, [], self.source, line)

    def _passed(self, node: str | None, time_ns: int, line: int) -> None:
        """A node's clock shows this time."""
        newest_ns = self._newest_ns.get(node, time_ns)
        if time_ns < newest_ns - self._limits.backwards_ns:
            self._lost("time went backwards: what was open is closed", line)
            self._close_older(node, None)
            newest_ns = time_ns
        elif len(self._newest_ns) >= self._limits.nodes and node not in self._newest_ns:
            self._lost("too many nodes: the clocks of all were forgotten", line)
            self._newest_ns.clear()
        self._newest_ns[node] = max(newest_ns, time_ns)
        quarter_ns = self._limits.age_ns // 4
        if not self._age_due_ns - quarter_ns <= time_ns < self._age_due_ns:
            self._age_due_ns = time_ns + quarter_ns
            self._close_older(node, time_ns - self._limits.age_ns)

    def _close_older(self, node: str | None, before_ns: int | None) -> None:
        old = [key for key, event in self._open.items() if event.node == node and (before_ns is None or event.time_ns < before_ns)]
        for key in old:
            self._close(key)

    def _close(self, key: bytes) -> None:
        event = self._open.pop(key)
        self.ready.append(event)
        if event is self._event:
            self._event = None
        if len(self._finished_order) >= self._limits.finished:
            self._finished.discard(self._finished_order.popleft())
        self._finished_order.append(key)
        self._finished.add(key)

    def _shrink(self) -> None:
        """Count anew what is held, and close the oldest until it is little enough."""
        sizes = {key: sum(len(body) for _, body in event.records) for key, event in self._open.items()}
        held = sum(sizes.values())
        while held > self._limits.held_bytes // 2:
            key = next(iter(self._open))
            held -= sizes[key]
            self._ledger.lost(WHERE, "open events hold too much memory: the oldest was closed early", sample=self._open[key].place)
            self._close(key)
        self._held_bytes = held

    def _lost(self, reason: str, line: int) -> None:
        self._ledger.lost(WHERE, reason, sample=self._place(line))

    def _place(self, line: int) -> str:
        return f"{self.source}:{line}" if line else self.source


def is_whole(records: list[Record]) -> bool:
    """Whether nothing that is announced is missing, of an event whose end was seen."""
    body = _syscall(records)
    if body is None:
        return not any(kind in _COMPANY for kind, _ in records)
    start = body.find(b" items=") + 7
    items = body[start : body.find(b" ", start)]
    if items == b"0" or not items.isdigit():
        return True
    return [kind for kind, _ in records].count("PATH") >= int(items)


_COMPANY = frozenset({"PATH", "CWD", "EXECVE", "PROCTITLE", "SOCKADDR"})
"""Records that are written only beside a SYSCALL."""


def _syscall(records: list[Record]) -> bytes | None:
    for kind, body in records:
        if kind == "SYSCALL":
            return body
    return None
