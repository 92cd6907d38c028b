"""System calls as raw_syscalls tells of them: which of six arguments is which parameter. Pure.

What strings and structures hold is not told: only their addresses are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ruleng.abi import syscalls
from ruleng.fields import params
from ruleng.fields.types import FieldType
from ruleng.normalise.audit.arguments import Numbers
from ruleng.normalise.audit.calls import RESULT, call

EXECS = frozenset({"execve", "execveat"})
"""Told by sched_process_exec."""
FORKS = frozenset({"fork", "vfork", "clone", "clone3"})
"""These return twice; in the child without having begun there."""
NO_RETURN = frozenset({"exit", "exit_group", "rt_sigreturn"})
"""These begin and never end."""
STATE = frozenset(
    {
        "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setsid", "setpgid", "chdir", "fchdir", "chroot",
        "setns", "unshare", "capset", "pivot_root",
    }
)  # fmt: skip
"""Calls that change what is known of their process: never left out. /proc tells how it is after them."""

FD_FIELDS = ("fd.", "evt.arg.fd", "evt.args", "evt.info", "evt.category")
"""Fields, or their beginning, for which descriptors are looked up."""

_BEYOND = {
    # arguments that audit's records do not hold
    "linkat": {"flags": 4},
    "renameat2": {"flags": 4},
    "fchownat": {"flags": 4},
    "mmap": {"fd": 4, "offset": 5},
    "mmap2": {"fd": 4, "pgoffset": 5},
    "move_mount": {"flags": 4},
    "splice": {"size": 4, "flags": 5},
    "copy_file_range": {"len": 4},
    "setxattr": {"flags": 4},
    "lsetxattr": {"flags": 4},
    "fsetxattr": {"flags": 4},
    "fsconfig": {"aux": 4},
    "setsockopt": {"optlen": 4},
    "kexec_file_load": {"flags": 4},
    "perf_event_open": {"flags": 4},
}
_OPEN_FLAGS = {"open": 1, "openat": 2, "open_by_handle_at": 2}
"""Where the flags are; the mode is behind them, where the call has one."""
_CREAT_FLAGS = 0o1101  # O_CREAT | O_WRONLY | O_TRUNC: creat(2)
_MAKES = 0o100 | 0o20000000  # O_CREAT, __O_TMPFILE: asm-generic/fcntl.h; only with these is there a mode


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions are those of the six arguments."""

    name: str
    numbers: Numbers
    fd: int | None  # position of the descriptor that it works on, RESULT when it returns it
    flags: int | None  # of an open

    def arguments(self, a: tuple[int, ...], open_flags: int | None) -> dict[str, int]:
        """Under the names of `ruleng.fields.params`."""
        found: dict[str, int] = {}
        for name, position, is_signed, mask in self.numbers:
            value = a[position] & mask
            found[name] = _signed(value) if is_signed else value
        if self.flags is not None and open_flags is not None:
            found["flags"] = open_flags
            if self.name != "open_by_handle_at":
                found["mode"] = a[self.flags + 1] & 0xFFFFFFFF if open_flags & _MAKES else 0
        elif self.name == "creat":
            found["mode"] = a[1] & 0xFFFFFFFF
        return found

    def open_flags(self, a: tuple[int, ...]) -> int | None:
        """O_* as this machine numbers them; None when the call opens nothing, or keeps them behind a pointer (openat2)."""
        if self.flags is not None:
            return a[self.flags] & 0xFFFFFFFF
        return _CREAT_FLAGS if self.name == "creat" else None

    def fd_num(self, a: tuple[int, ...] | None, result: int | None) -> int | None:
        """-1 when a call returned none, as in Falco."""
        if self.fd is None:
            return None
        if self.fd == RESULT:
            return result if result is not None and result >= 0 else -1
        return None if a is None else _int(a[self.fd])


def _signed(value: int) -> int:
    """A register as a C long; as an int, where that leaves its upper half empty."""
    if value >> 63:
        return value - (1 << 64)
    return value - (1 << 32) if 0x80000000 <= value <= 0xFFFFFFFF else value


def _int(value: int) -> int:
    """A register as a C int."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


@cache
def makers(arch: int) -> frozenset[str]:
    """The calls of an architecture that return a new descriptor."""
    return frozenset(name for name in syscalls.numbers(arch) if layout(name).fd == RESULT)


@cache
def layout(name: str) -> Layout:
    known = call(name)
    numbers, fd = list(known.numbers), known.fd
    beyond = _BEYOND.get(name, {})
    for param in params.event_type(name).params:
        position = beyond.get(param.name)
        if position is None:
            continue
        if param.kind.role == "fd":
            fd = position
        else:
            mask = 0xFFFFFFFF if param.kind.type in (FieldType.UINT32, FieldType.UINT8) else 0xFFFFFFFFFFFFFFFF
            numbers.append((param.name, position, param.kind.type is FieldType.INT64, mask))
    return Layout(name, tuple(numbers), fd, _OPEN_FLAGS.get(name))
