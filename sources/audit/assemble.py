"""Records -> AuditEvents: what shares node, time and serial belongs together.

Records of different events interleave, and may come out of order. An event is complete when its end was seen (EOE, or
PROCTITLE, which the kernel writes last and which is all that log files have) and no PATH record that its SYSCALL announces is
missing. What never completes (the kernel closes no event without a system call, and records get lost) is handed on as it is
when its node's time has gone on by two seconds, when too much is held, at the end, or on `tick`.

Nothing here grows without bound; whatever is dropped is counted in the ledger with its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from ruleng.normalise.audit import AuditEvent, Syscall, parse_syscall
from ruleng.ports import Ledger
from ruleng.sources.audit.record import MAX_SERIAL, MAX_TIME_NS, Kind, parse_time

WHERE = "audit.assemble"
_SECOND_NS = 1_000_000_000
_LOOK_NS = _SECOND_NS // 10
"""Clocks are looked at no more often than this."""
_ONLY_BESIDE = (b"type=PATH ", b"type=CWD ", b"type=EXECVE ", b"type=SOCKADDR ")
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


Parts = tuple[Syscall, bytes, bytes]
"""(SYSCALL, company, body of PROCTITLE) of an AuditEvent"""


class _Open:
    """An event that is not complete yet."""

    __slots__ = ("company", "has_ended", "line", "node", "paths", "serial", "size_bytes", "source", "syscall", "time_ns", "title")

    def __init__(self, time_ns: int, serial: int, node: str | None, source: str, line: int) -> None:
        self.time_ns = time_ns
        self.serial = serial
        self.node = node
        self.source = source
        self.line = line
        self.syscall: Syscall | None = None
        self.title: bytes | None = None
        self.company: list[bytes] = []
        self.paths = 0
        self.size_bytes = 0
        self.has_ended = False

    def is_complete(self) -> bool:
        """Whether its end was seen and nothing that is announced is missing."""
        if not self.has_ended:
            return False
        if self.syscall is None:
            return self.title is None and not any(part.startswith(_ONLY_BESIDE) for part in self.company)
        return self.paths >= int(self.syscall.items)

    def event(self) -> AuditEvent:
        company = b"".join(self.company)
        return AuditEvent(self.time_ns, self.serial, self.node, self.syscall, company, self.title, self.source, self.line)


class Assembler:
    def __init__(self, ledger: Ledger, source: str, limits: Limits = DEFAULT_LIMITS) -> None:
        self.ready: list[AuditEvent] = []
        """Complete events, for the owner to take."""
        self.source = source
        self._ledger = ledger
        self._limits = limits
        self._open: dict[bytes, _Open] = {}
        self._finished: set[bytes] = set()
        self._finished_before: set[bytes] = set()
        self._newest_ns: dict[str | None, int] = {}
        self._time_text = b""
        self._time_ns = 0
        self._looked_ns = 0
        self._added_bytes = 0
        self._ticked: list[bytes] = []

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
        if role in ("part", "alone"):
            event.company.append(b"type=%b %b\n" % (kind.type, body))
            event.paths += kind.type == b"PATH"
            event.has_ended = event.has_ended or role == "alone"
        elif role == "syscall":
            if event.syscall is not None:
                self._lost("a SYSCALL record came twice", line)
                return
            event.syscall = parse_syscall(body)
            if event.syscall is None:
                self._ledger.lost("audit.parse", "a SYSCALL record cannot be read", sample=self._place(line))
                return
        else:
            event.has_ended = True
            if role == "title":
                event.title = body
        event.size_bytes += len(body)
        if event.is_complete():
            self._close(key)

    def add_whole(self, key: bytes, stamp: bytes, node: str | None, parts: Parts, line: int) -> bool:
        """An event whose records stand together and lack nothing, its stamp too. False when it must be added record by record."""
        if key in self._finished or key in self._open or key in self._finished_before:
            return False
        time_text, _, serial = stamp.partition(b":")
        if time_text != self._time_text:
            time_ns = int(time_text.replace(b".", b"")) * 1_000_000
            if time_ns > MAX_TIME_NS:
                return False
            self._time_text, self._time_ns = time_text, time_ns
            if not 0 <= time_ns - self._looked_ns < _LOOK_NS:
                self._looked_ns = time_ns
                self._passed(node, time_ns, line)
        syscall, company, title = parts
        self.ready.append(AuditEvent(self._time_ns, int(serial), node, syscall, company, title, self.source, line))
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
        self._ticked = list(self._open)

    def _begin(self, key: bytes, kind: Kind, stamp: bytes, line: int) -> _Open | None:
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
        event = self._open[key] = _Open(self._time_ns, int(serial), kind.node, self.source, line)
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
        self.ready.append(self._open.pop(key).event())
        self._finished.add(key)
        if len(self._finished) >= self._limits.finished:
            self._forget_finished()

    def _forget_finished(self) -> None:
        self._finished_before = self._finished
        self._finished = set()

    def _shrink(self) -> None:
        """Count what is held, and close the oldest until it is little enough."""
        held = sum([event.size_bytes for event in self._open.values()])
        while held > self._limits.held_bytes // 2:
            key, event = next(iter(self._open.items()))
            held -= event.size_bytes
            self._lost("open events hold too much memory: the oldest was closed early", event.line)
            self._close(key)
        self._added_bytes = 0

    def _lost(self, reason: str, line: int) -> None:
        self._ledger.lost(WHERE, reason, sample=self._place(line))

    def _place(self, line: int) -> str:
        return f"{self.source}:{line}" if line else self.source
