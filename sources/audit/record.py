"""One line of a log, or one netlink message -> what kind of record, its stamp, its body. Pure.

    type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 ...
    node=web1 type=CWD msg=audit(1364481363.243:24287):  cwd="/home"
    ... audit: type=1300 audit(1364481363.243:24287): arch=...          (the kernel's log, and syslog's)

Everything before `audit(` repeats itself from line to line, so a Kind is made once for each text there. The stamp stays
as it is until an event needs its time. Bodies are for `ruleng.normalise.audit`.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from ruleng.abi.audit import PARTS, RECORDS
from ruleng.normalise.audit.syscall import PATTERN

Role = Literal["part", "syscall", "title", "end", "alone"]
"""What a record does to its event: begins with `syscall`; `title` (PROCTITLE) is the last that the kernel writes of a system
call, `end` (EOE) says so; `alone` never has company."""

_ALONE = (range(1100, 1300), range(2000, 3000))
"""Messages of programs and of auditd, and printk's KERNEL: linux/audit.h."""
_ROLES: dict[bytes, Role] = {
    b"SYSCALL": "syscall",
    b"PROCTITLE": "title",
    b"EOE": "end",
    **{name.encode(): "alone" for number, name in RECORDS.items() if any(number in span for span in _ALONE)},
}
MAX_SERIAL = 20  # digits
_MAX_NAME = 64
MAX_TIME_NS = (1 << 63) - 1  # in the year 2262
_MAX_DIGITS = 13


class Kind(msgspec.Struct, frozen=True):
    """What the text before `audit(` says."""

    type: bytes
    node: str | None
    role: Role
    key: bytes  # goes before the stamp to tell events of different nodes apart; empty without a node


def split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """(what is before `audit(`, the stamp, the body). Raises ValueError when the line is no audit record."""
    start = line.find(b"audit(")
    end = line.find(b"):", start)
    if start < 0 or end < 0:
        raise ValueError("no audit record")
    body = line[end + 2 :]
    return line[:start].removesuffix(b"msg=").rstrip(), line[start + 6 : end], body[1:] if body[:1] == b" " else body


_PARTS = b"|".join(sorted(name.encode() for name in PARTS - {"SYSCALL", "PROCTITLE", "EOE"}))
BLOCK = re.compile(
    rb"((?:node=[^ \n]++ )?)type=SYSCALL (msg=audit\(([0-9]{1,11}+\.[0-9]{3}:[0-9]{1,20}+)\): )" + PATTERN + rb"\n"
    rb"((?:\1type=(?:" + _PARTS + rb") \2[^\n]*+\n)*)"
    rb"\1type=PROCTITLE \2([^\n]*+)\n"
    rb"(\1type=EOE \2[^\n]*+\n)?"
).match
"""A whole event as it mostly stands in a log, from SYSCALL to PROCTITLE with nothing of others in between. Groups: node, what
stands before each body, stamp, the fields of Syscall, the lines in between, body of PROCTITLE, EOE. Linear: nothing is tried
twice."""


def kind_of(prefix: bytes) -> Kind:
    """Raises ValueError when no type is named."""
    node: str | None = None
    kind: bytes | None = None
    for token in prefix.split():
        key, _, value = token.partition(b"=")
        if key == b"type" and value:
            kind = value
        elif key == b"node" and value:
            node = value.decode("utf-8", "replace")
    if kind is None or len(kind) > _MAX_NAME:
        raise ValueError("an audit record does not say its type")
    return named(kind, node)


def named(kind: bytes, node: str | None = None) -> Kind:
    """The Kind of a record type by name: SYSCALL, also as the number 1300 or UNKNOWN[1300]."""
    number = kind.removeprefix(b"UNKNOWN[").removesuffix(b"]")
    if number.isdigit() and len(number) < 6:
        return numbered(int(number), node)
    return Kind(kind, node, _ROLES.get(kind, "part"), b"" if node is None else node.encode() + b" ")


def numbered(number: int, node: str | None = None) -> Kind:
    """The Kind of a record type by number, as netlink has it."""
    name = RECORDS.get(number)
    if name is not None:
        return named(name.encode(), node)
    role: Role = "alone" if any(number in span for span in _ALONE) else "part"
    return Kind(b"UNKNOWN[%d]" % number, node, role, b"" if node is None else node.encode() + b" ")


def parse_time(text: bytes) -> int:
    """SECONDS.MILLISECONDS since the epoch -> nanoseconds. Raises ValueError."""
    digits = text.replace(b".", b"", 1)
    if text[-4:-3] != b"." or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise ValueError("the time of an audit record cannot be read")
    time_ns = int(digits) * 1_000_000
    if time_ns > MAX_TIME_NS:
        raise ValueError("the time of an audit record is beyond 64 bits of nanoseconds")
    return time_ns


def parse_serial(text: bytes) -> int:
    """Raises ValueError."""
    if not text.isdigit() or len(text) > MAX_SERIAL:
        raise ValueError("the serial number of an audit record cannot be read")
    return int(text)
