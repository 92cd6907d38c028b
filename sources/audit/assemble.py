"""Records -> AuditEvents: what shares node, time and serial belongs together.

Records of different events interleave, and may come out of order. An event is complete when its end was seen (EOE, or
PROCTITLE, which the kernel writes last and which is all that log files have) and no PATH record that its SYSCALL announces is
missing. What never completes (the kernel closes no event without a system call, and records get lost) is handed on as it is
when its node's time has gone on by two seconds, when too much is held, at the end, or on `tick`.

Nothing here grows without bound; whatever is dropped is counted in the ledger with its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from ruleng.normalise.audit import AuditEvent, Record
from ruleng.ports import Ledger
from ruleng.sources.audit.record import MAX_SERIAL, Kind, announced, parse_time

WHERE = "audit.assemble"
_SECOND_NS = 1_000_000_000
_LOOK_NS = _SECOND_NS // 10
"""Clocks are looked at no more often than this."""
_COMPANY = frozenset({b"PATH", b"CWD", b"EXECVE", b"PROCTITLE", b"SOCKADDR"})
"""Records that are written only beside a SYSCALL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    age_ns: int = 2 * _SECOND_NS  # auditd.conf(5): end_of_event_timeout
    events: int = 4096  # open at once
    held_bytes: int = 16_777_216  # of all open events; one execve's arguments can be 6 MB of hex
    backwards_ns: int = 10 * _SECOND_NS  # less is disorder, more is a clock that was set
    finished: int = 4096  # remembered (and as many before), so that late and repeated records are known for what they are
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
        self._finished: set[bytes] = set()
        self._finished_before: set[bytes] = set()
        self._newest_ns: dict[str | None, int] = {}
        self._time_text = b""
        self._time_ns = 0
        self._looked_ns = 0
        self._added_bytes = 0
        self._ticked: set[bytes] = set()

    def add(self, kind: Kind, stamp: bytes, body: bytes, line: int) -> None:
        """One record. `stamp` is TIME:SERIAL; `line` is where it stands, 0 where there are no lines."""
        key = kind.key + stamp
        role = kind.role
        if role == "alone":
            key += b" " + kind.type
        event = self._open.get(key)
        if event is None:
            event = self._begin(key, kind, stamp, line)
            if event is None:
                return
        if role in ("title", "end", "alone"):
            event.ended = True
        if role == "syscall" and _syscall(event.records) is not None:
            self._lost("a SYSCALL record came twice", line)
        elif role != "end":
            event.records.append((kind.type, body))
        if event.ended and is_whole(event.records):
            self._close(key)

    def add_whole(self, key: bytes, stamp: bytes, node: str | None, records: list[Record], *, line: int) -> bool:
        """An event whose records stand together and lack nothing, its stamp too. False when it must be added record by record."""
        if key in self._finished or key in self._open or key in self._finished_before:
            return False
        time_text, _, serial = stamp.partition(b":")
        if time_text != self._time_text:
            self._is_time(time_text, node, line)
        self.ready.append(AuditEvent(self._time_ns, int(serial), node, records, self.source, line, True))
        self._finished.add(key)
        if len(self._finished) >= self._limits.finished:
            self._forget_finished()
        return True

    def added(self, size_bytes: int) -> None:
        """So much has been added since the last time; now and then it is counted what of it is still held."""
        self._added_bytes += size_bytes
        if self._added_bytes > self._limits.held_bytes // 2:
            self._shrink()

    def flush(self) -> None:
        """The stream ends here: everything is as complete as it gets. Time may begin anew."""
        for key in list(self._open):
            self._close(key)
        self._newest_ns.clear()
        self._time_text = b""
        self._looked_ns = 0

    def tick(self) -> None:
        """Time passes and nothing comes: what was open at the last tick already is handed on. Once a second or so."""
        for key in self._ticked:
            if key in self._open:
                self._close(key)
        self._ticked = set(self._open)

    def _begin(self, key: bytes, kind: Kind, stamp: bytes, line: int) -> AuditEvent | None:
        """A new event; None when the record cannot begin one."""
        if key in self._finished or key in self._finished_before:
            if kind.role != "end":
                self._lost("a record came after its event was complete, or twice", line)
            return None
        if kind.role == "end":
            self._lost("an event was lost, all but its end", line)
            return None
        time_text, _, serial = stamp.partition(b":")
        if not serial.isdigit() or len(serial) > MAX_SERIAL:
            self._ledger.lost("audit.parse", "the serial number of an audit record cannot be read", sample=self._place(line))
            return None
        if time_text != self._time_text and not self._is_time(time_text, kind.node, line):
            self._ledger.lost("audit.parse", "the time of an audit record cannot be read", sample=self._place(line))
            return None
        if len(self._open) >= self._limits.events:
            self._lost("too many events are open: the oldest was closed early", line)
            self._close(next(iter(self._open)))
        event = self._open[key] = AuditEvent(self._time_ns, int(serial), kind.node, [], self.source, line)
        return event

    def _is_time(self, text: bytes, node: str | None, line: int) -> bool:
        """Make `text` the present; False when it is no time."""
        try:
            time_ns = parse_time(text)
        except ValueError:
            return False
        self._time_ns, self._time_text = time_ns, text
        if not 0 <= time_ns - self._looked_ns < _LOOK_NS:
            self._looked_ns = time_ns
            self._passed(node, time_ns, line)
        return True

    def _passed(self, node: str | None, time_ns: int, line: int) -> None:
        """A node's clock shows this time: what is too old by it is handed on."""
        newest_ns = self._newest_ns.get(node, time_ns)
        before_ns = time_ns - self._limits.age_ns
        if time_ns < newest_ns - self._limits.backwards_ns:
            self._lost("time went backwards: what was open is closed", line)
            before_ns, newest_ns = newest_ns + 1, time_ns
        elif len(self._newest_ns) >= self._limits.nodes and node not in self._newest_ns:
            self._lost("too many nodes: the clocks of all were forgotten", line)
            self._newest_ns.clear()
        self._newest_ns[node] = max(newest_ns, time_ns)
        for key in [key for key, event in self._open.items() if event.node == node and event.time_ns < before_ns]:
            self._close(key)

    def _close(self, key: bytes) -> None:
        self.ready.append(self._open.pop(key))
        self._finished.add(key)
        if len(self._finished) >= self._limits.finished:
            self._forget_finished()

    def _forget_finished(self) -> None:
        self._finished_before = self._finished
        self._finished = set()

    def _shrink(self) -> None:
        """Count what is held, and close the oldest until it is little enough."""
        sizes = {key: sum([len(body) for _, body in event.records]) for key, event in self._open.items()}
        held = sum(sizes.values())
        while held > self._limits.held_bytes // 2:
            key = next(iter(sizes))
            held -= sizes.pop(key)
            place = self._open[key].place
            self._ledger.lost(WHERE, "open events hold too much memory: the oldest was closed early", sample=place)
            self._close(key)
        self._added_bytes = 0

    def _lost(self, reason: str, line: int) -> None:
        self._ledger.lost(WHERE, reason, sample=self._place(line))

    def _place(self, line: int) -> str:
        return f"{self.source}:{line}" if line else self.source


def is_whole(records: list[Record]) -> bool:
    """Whether nothing that is announced is missing, of an event whose end was seen."""
    body = _syscall(records)
    if body is None:
        return not any(kind in _COMPANY for kind, _ in records)
    return [kind for kind, _ in records].count(b"PATH") >= announced(body)


def _syscall(records: list[Record]) -> bytes | None:
    for kind, body in records:
        if kind == b"SYSCALL":
            return body
    return None
