"""What the normaliser takes: one audit event, its records as they stood in the log or came from the kernel.

`ruleng.sources.audit` makes these from bytes; the bodies are interpreted only when something asks for them.
"""

from __future__ import annotations

import msgspec

Record = tuple[bytes, bytes]
"""(type: SYSCALL, PATH, ...; body: what follows `msg=audit(TIME:SERIAL): `, without line end)"""


class AuditEvent(msgspec.Struct, gc=False):
    """The records that share node, time and serial, in the order in which they came."""

    time_ns: int
    serial: int
    node: str | None  # the host, where the log names it
    records: list[Record]
    source: str  # the file or stream, and the line of the first record; 0 where there are no lines
    line: int
    ended: bool = False  # its end was seen

    @property
    def place(self) -> str:
        """FILE:LINE, for people who look for it."""
        return f"{self.source}:{self.line}" if self.line else f"{self.source}: event {self.serial}"
