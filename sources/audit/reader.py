"""Bytes in, AuditEvents out: the one way from a stream of audit to its events.

`feed` takes the bytes of a log in pieces of any size, `feed_netlink` messages of the kernel; both, like `flush` and `tick`,
give the events that are complete. What is no record (too long, NUL bytes, not UTF-8, cut off) is skipped and counted with
FILE:LINE. At most one line is held, and the assembler's bounded store.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from ruleng.normalise.audit import AuditEvent, Record
from ruleng.ports import Ledger
from ruleng.sources.audit.assemble import DEFAULT_LIMITS, Assembler, Limits
from ruleng.sources.audit.record import Kind, kind_of, numbered, split

WHERE = "audit.parse"
MAX_LINE = 1_048_576
"""The longest record that the kernel or auditd writes is 8970 bytes (MAX_AUDIT_MESSAGE_LENGTH, libaudit.h)."""
_PIECE = 262_144
_MAX_KINDS = 1024
_NEVER = b"\n"
"""No line holds one."""
_NO_RECORDS: list[Record] = []
_NO_PARTS: Mapping[bytes, str] = MappingProxyType({})


class Backend(Protocol):
    """What turns the bytes of logs into events: `Reader`, or libauparse behind the same methods."""

    def begin(self, source: str) -> None:
        """Another file or stream follows, whose name stands in places. Lines count anew."""
        ...

    def feed(self, data: bytes) -> list[AuditEvent]: ...

    def flush(self) -> list[AuditEvent]:
        """The end: a line without its newline is lost, events are as complete as they get."""
        ...

    def tick(self) -> list[AuditEvent]:
        """A second has passed in which nothing came."""
        ...


class Reader:
    """The default backend."""

    def __init__(self, ledger: Ledger, source: str = "audit", limits: Limits = DEFAULT_LIMITS) -> None:
        self._ledger = ledger
        self._assembler = Assembler(ledger, source, limits)
        self._kinds: dict[bytes, Kind] = {}  # by what stands before ` msg=`
        self._parts: dict[str | None, dict[bytes, str]] = {}  # of those, by node, the types that are a part of an event
        self._numbers: dict[int, Kind] = {}
        self._rest: list[bytes] = []  # of the line whose end has not come yet
        self._rest_bytes = 0
        self._is_skipping = False
        self._line = 0

    def begin(self, source: str) -> None:
        self._cut_off()
        self._assembler.source = source
        self._line = 0

    def feed(self, data: bytes) -> list[AuditEvent]:
        if len(data) <= _PIECE:
            self._feed(data)
        else:
            for start in range(0, len(data), _PIECE):
                self._feed(data[start : start + _PIECE])
        return self._take()

    def feed_netlink(self, kind: int, payload: bytes) -> list[AuditEvent]:
        """One message: its type (nlmsg_type, linux/audit.h) and what follows the header: `audit(TIME:SERIAL): ...`."""
        found = self._numbers.get(kind)
        if found is None:
            found = numbered(kind)
            if len(self._numbers) < _MAX_KINDS:
                self._numbers[kind] = found
        payload = payload.rstrip(b"\0\n")
        try:
            if b"\0" in payload:
                raise ValueError("NUL bytes in a record")
            _, stamp, body = split(payload)
        except ValueError as error:
            self._lost(str(error), 0)
        else:
            self._assembler.add(found, stamp, body, 0)
            self._assembler.added(len(body))
        return self._take()

    def flush(self) -> list[AuditEvent]:
        self._cut_off()
        self._assembler.flush()
        return self._take()

    def tick(self) -> list[AuditEvent]:
        self._assembler.tick()
        return self._take()

    def _take(self) -> list[AuditEvent]:
        ready = self._assembler.ready
        if ready:
            self._assembler.ready = []
        return ready

    def _feed(self, data: bytes) -> None:
        lines = data.split(b"\n")
        last = lines.pop()
        if lines:
            is_clean = data.isascii() and b"\0" not in data
            if self._is_skipping:
                self._is_skipping = False
                self._line += 1
                del lines[0]
            elif self._rest:
                self._rest.append(lines[0])
                lines[0] = first = b"".join(self._rest)
                self._forget_rest()
                is_clean = is_clean and first.isascii() and b"\0" not in first
                if len(first) > MAX_LINE:
                    self._line += 1
                    self._too_long()
                    del lines[0]
            self._lines(lines, is_clean=is_clean)
            self._assembler.added(len(data))
        if last and not self._is_skipping:
            self._rest.append(last)
            self._rest_bytes += len(last)
            if self._rest_bytes > MAX_LINE:
                self._forget_rest()
                self._is_skipping = True
                self._too_long(ahead=1)

    def _forget_rest(self) -> None:
        self._rest = []
        self._rest_bytes = 0

    def _lines(self, lines: list[bytes], *, is_clean: bool) -> None:
        assembler, kinds = self._assembler, self._kinds
        number = self._line
        # most lines belong to the event of the line before: what stands between their type and their body, and where they go
        stamp, between, records, parts = b"", _NEVER, _NO_RECORDS, _NO_PARTS
        for line in lines:
            number += 1
            if not is_clean and (reason := complaint(line)) is not None:
                self._lost(reason, number)
                continue
            prefix, same, body = line.partition(between)
            if same:
                part = parts.get(prefix)
                if part is not None:
                    record = (part, body)
                    if record == records[-1]:
                        assembler.twice(number)
                    else:
                        records.append(record)
                    continue
            else:
                head, same, body = line.partition(b"): ")
                prefix, _, stamp = head.partition(b" msg=audit(")
            kind = kinds.get(prefix)
            if kind is None or not same or not stamp:
                if not line or line.isspace():
                    continue
                try:
                    prefix, stamp, body = split(line)
                    kind = self._kind(prefix)
                except ValueError as error:
                    self._lost(str(error), number)
                    continue
            assembler.add(kind, stamp, body, number)
            event = assembler.current
            if event is None:
                between = _NEVER
            else:
                between = b" msg=audit(%b): " % stamp
                records = event.records
                parts = self._parts.get(event.node, _NO_PARTS)
        self._line = number

    def _kind(self, prefix: bytes) -> Kind:
        found = self._kinds.get(prefix)
        if found is None:
            found = kind_of(prefix)
            if len(self._kinds) >= _MAX_KINDS:
                self._kinds.clear()
                self._parts.clear()
            self._kinds[prefix] = found
            if found.role == "part":
                self._parts.setdefault(found.node, {})[prefix] = found.type
        return found

    def _cut_off(self) -> None:
        if self._rest:
            self._forget_rest()
            self._lost("the last line has no newline: it may be cut off", self._line + 1)
        self._is_skipping = False

    def _too_long(self, ahead: int = 0) -> None:
        self._lost("a line is longer than 1 MiB", self._line + ahead)

    def _lost(self, reason: str, line: int) -> None:
        source = self._assembler.source
        self._ledger.lost(WHERE, reason, sample=f"{source}:{line}" if line else source)


def complaint(line: bytes) -> str | None:
    """What is wrong with the bytes of a line; None for nothing."""
    if b"\0" in line:
        return "NUL bytes in a line"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "a line is not UTF-8"
    return None
