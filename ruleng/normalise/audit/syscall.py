"""The SYSCALL record: which call, what it returned, its arguments, and the end of the record that says who made it. Pure.

arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7f19a72300b1 a2=80000 a3=0 items=1 ppid=1 pid=2 auid=... key=...
"""

from __future__ import annotations

import re

import msgspec

from ruleng.normalise.audit.text import ENRICHED, integer, raw

PATTERN = (
    rb"arch=([0-9a-f]{1,8}+ syscall=[0-9]{1,10}+)(?: per=[0-9a-f]++)?(?: success=[a-z]++ exit=(-?[0-9]{1,19}+))?"
    rb" a0=([0-9a-f]{1,16}+) a1=([0-9a-f]{1,16}+) a2=([0-9a-f]{1,16}+) a3=([0-9a-f]{1,16}+)"
    rb" items=([0-9]{1,5}+) (ppid=[0-9]{1,10}+ pid=([0-9]{1,10}+) [^\n]*+)"
)
"""The whole body as the kernel writes it since 2.6: kernel/auditsc.c, audit_log_exit, and audit_log_task_info. Its groups are
the fields of `Syscall`."""
_match = re.compile(PATTERN).fullmatch


class Syscall(msgspec.Struct, frozen=True, gc=False):
    """A SYSCALL record, unparsed; arguments are hex, the others decimal."""

    key: bytes  # `ARCH syscall=NUMBER`
    exit: bytes | None  # what it returned; None when it did not return
    a0: bytes
    a1: bytes
    a2: bytes
    a3: bytes
    items: bytes  # how many PATH records the kernel announces
    task: bytes  # from ppid= to the end, with what auditd added
    pid: bytes

    def hex(self, position: int) -> bytes:
        """Argument 0 to 3 as it stands."""
        return (self.a0, self.a1, self.a2, self.a3)[position]

    def unsigned(self, position: int) -> int:
        """An argument as a C unsigned int."""
        return int(self.hex(position), 16) & 0xFFFFFFFF

    def number(self, position: int) -> int:
        """An argument as a C int or long: a descriptor, a pid."""
        return signed(int(self.hex(position), 16))


def signed(value: int) -> int:
    """Audit writes the register, of which an int fills only the lower half."""
    if value >> 63:
        return value - (1 << 64)
    return value - (1 << 32) if 0x80000000 <= value <= 0xFFFFFFFF else value


def parse_syscall(body: bytes) -> Syscall | None:
    """None when it cannot be read."""
    match = _match(body)
    return Syscall(*match.groups()) if match is not None else _irregular(body)


def _irregular(body: bytes) -> Syscall | None:
    """A record whose fields are in another order, or not all there."""
    plain = body.partition(ENRICHED)[0]
    arch, number, pid = raw(plain, b"arch"), raw(plain, b"syscall"), raw(plain, b"pid")
    if arch is None or number is None or pid is None:
        return None
    try:
        key = b"%x syscall=%d" % (int(arch, 16), int(number))
        a0, a1, a2, a3 = [b"%x" % (int(raw(plain, b"a%d" % index) or b"0", 16) & _REGISTER) for index in range(4)]
        result = raw(plain, b"exit")
        result = None if result is None or result == b"?" else b"%d" % integer(result)
        items = b"%d" % min(int(raw(plain, b"items") or b"0"), _MAX_ITEMS)
        pid = b"%d" % integer(pid)
    except ValueError:
        return None
    return Syscall(key, result, a0, a1, a2, a3, items, body[max(0, body.find(b"ppid=")) :], pid)


_REGISTER = 0xFFFFFFFFFFFFFFFF
_MAX_ITEMS = 65_535
