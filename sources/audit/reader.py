"""Bytes in, AuditEvents out: the one way from a stream of audit to its events.

`feed` takes the bytes of a log in pieces of any size, `feed_netlink` messages of the kernel; both, like `flush` and `tick`,
give the events that are complete. What is no record (too long, NUL bytes, not UTF-8, cut off) is skipped and counted with
FILE:LINE. At most one line is held, and the assembler's bounded store.
"""

from __future__ import annotations

import re
from typing import Protocol

from ruleng.normalise.audit import AuditEvent, Syscall
from ruleng.ports import Ledger
from ruleng.sources.audit.assemble import DEFAULT_LIMITS, Assembler, Limits
from ruleng.sources.audit.record import BLOCK, Kind, kind_of, numbered, split

WHERE = "audit.parse"
MAX_LINE = 1_048_576
"""The longest record that the kernel or auditd writes is 8970 bytes (MAX_AUDIT_MESSAGE_LENGTH, libaudit.h)."""
_PIECE = 262_144
_MAX_KINDS = 1024
_MAX_SHAPES = 4096
_SYSCALL = b"type=SYSCALL "


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
        self._kinds: dict[bytes, Kind] = {}  # by what stands before `msg=`
        self._numbers: dict[int, Kind] = {}
        self._shapes: dict[bytes, tuple[int, bytes]] = {}
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
        end = data.rfind(b"\n") + 1
        if end:
            text = data[:end]
            if self._is_skipping:
                self._is_skipping = False
                self._line += 1
                text = text[text.index(b"\n") + 1 :]
            elif self._rest:
                text = b"".join([*self._rest, text])
                self._forget_rest()
                if text.index(b"\n") > MAX_LINE:
                    self._line += 1
                    self._too_long()
                    text = text[text.index(b"\n") + 1 :]
            if text.isascii() and b"\0" not in text:
                self._text(text)
            else:
                self._unclean(text)
            self._assembler.added(len(data))
        if end < len(data) and not self._is_skipping:
            self._rest.append(data[end:])
            self._rest_bytes += len(data) - end
            if self._rest_bytes > MAX_LINE:
                self._forget_rest()
                self._is_skipping = True
                self._too_long(ahead=1)

    def _forget_rest(self) -> None:
        self._rest = []
        self._rest_bytes = 0

    def _text(self, text: bytes) -> None:
        """Whole lines of clean text: event by event where they stand together, else line by line."""
        at, end = 0, len(text)
        while at < end:
            found = BLOCK(text, at)
            if found is not None and self._block(found):
                at = found.end()
            else:
                stop = text.index(b"\n", at)
                self._one(text[at:stop])
                at = stop + 1

    def _unclean(self, text: bytes) -> None:
        """Whole lines, not all of them clean."""
        for line in text.split(b"\n")[:-1]:
            reason = _complaint(line)
            if reason is None:
                self._one(line)
            else:
                self._line += 1
                self._lost(reason, self._line)

    def _block(self, found: re.Match[bytes]) -> bool:
        """A match of BLOCK. False when its lines have to be taken one by one."""
        prefix, between, stamp, number, result, a0, a1, a2, a3, items, task, pid, company, title, end = found.groups()
        syscall = Syscall(number, result, a0, a1, a2, a3, items, task, pid)
        node, key, lines = None, stamp, 0
        size = len(company)
        if size:
            company = company.replace(between, b"")
            size -= len(company)
        if prefix:
            company = company.removeprefix(prefix).replace(b"\n" + prefix, b"\n")
            kind = self._kind(prefix + _SYSCALL)
            node, key = kind.node, kind.key + stamp
        if company:
            lines, paths = self._shapes.get(company) or self._shape(company)
            if size != lines * len(between) or (paths != items and int(paths) < int(items)):
                return False  # a body holds what stands between, too; or a record is missing
        elif items != b"0":
            return False
        if not self._assembler.add_whole(key, stamp, node, (syscall, company, title), self._line + 1):
            return False
        self._line += lines + (2 if end is None else 3)
        return True

    def _shape(self, company: bytes) -> tuple[int, bytes]:
        """(lines, how many of them are PATH records), remembered: the same lines come again and again."""
        paths = company.count(b"\ntype=PATH ") + company.startswith(b"type=PATH ")
        shape = company.count(b"\n"), b"%d" % paths
        if len(self._shapes) >= _MAX_SHAPES:
            self._shapes.clear()
        self._shapes[company] = shape
        return shape

    def _one(self, line: bytes) -> None:
        """A clean line."""
        self._line += 1
        head, colon, body = line.partition(b"): ")
        prefix, _, stamp = head.partition(b"msg=audit(")
        kind = self._kinds.get(prefix)
        if kind is None or not colon or not stamp:
            if not line or line.isspace():
                return
            try:
                prefix, stamp, body = split(line)
                kind = self._kind(prefix)
            except ValueError as error:
                self._lost(str(error), self._line)
                return
        self._assembler.add(kind, stamp, body, self._line)

    def _kind(self, prefix: bytes) -> Kind:
        """Raises ValueError."""
        found = self._kinds.get(prefix)
        if found is None:
            found = kind_of(prefix)
            if len(self._kinds) >= _MAX_KINDS:
                self._kinds.clear()
            self._kinds[prefix] = found
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


def _complaint(line: bytes) -> str | None:
    """What is wrong with the bytes of a line; None for nothing."""
    if b"\0" in line:
        return "NUL bytes in a line"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "a line is not UTF-8"
    return None
