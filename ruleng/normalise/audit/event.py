"""What the normaliser takes: one audit event, its records as they stood in the log or came from the kernel.

`ruleng.sources.audit` makes these from bytes; the bodies are interpreted only when something asks for them.
"""

from __future__ import annotations

import re

import msgspec

from ruleng.normalise.audit.syscall import Syscall

Record = tuple[bytes, bytes]
"""(type: SYSCALL, PATH, ...; body: what follows `msg=audit(TIME:SERIAL): `, without line end)"""

_RECORDS = re.compile(rb"type=([^ \n]*+) ([^\n]*+)\n").findall


class AuditEvent(msgspec.Struct, gc=False):
    """The records that share node, time and serial."""

    time_ns: int
    serial: int
    node: str | None  # the host, where the log names it
    syscall: Syscall | None  # the SYSCALL record
    company: bytes  # the other records, in the order in which they came, each as `type=TYPE BODY\n`
    title: bytes | None  # body of the PROCTITLE record
    source: str  # the file or stream, and the line of the first record; 0 where there are no lines
    line: int

    @property
    def place(self) -> str:
        """FILE:LINE, for people who look for it."""
        return f"{self.source}:{self.line}" if self.line else f"{self.source}: event {self.serial}"


def taken_apart(company: bytes) -> list[Record]:
    """The records of an AuditEvent's company."""
    found: list[Record] = _RECORDS(company)
    return found
