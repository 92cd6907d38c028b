"""System calls by number, per architecture, under the names that events have.

`names(arch)` and `name(arch, number)` take what the kernel says of an architecture in its audit records (AUDIT_ARCH_*,
linux/audit.h: the ELF machine and two bits for 64-bit and little endian).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

X86_64 = 0xC000003E
I386 = 0x40000003
AARCH64 = 0xC00000B7
ARCHITECTURES = {X86_64: "x86_64", I386: "i386", AARCH64: "aarch64"}

X32_BIT = 0x40000000
"""In numbers of X86_64: a call of the x32 ABI, arch/x86/include/uapi/asm/unistd.h."""

EVENT_NAMES = {
    # one event for what a call does, whatever width its arguments have on an architecture
    "pread64": "pread", "pwrite64": "pwrite", "prlimit64": "prlimit", "_llseek": "llseek", "fstatat": "newfstatat",
    "fcntl64": "fcntl", "truncate64": "truncate", "ftruncate64": "ftruncate", "sendfile64": "sendfile",
    "fadvise64_64": "fadvise64", "ugetrlimit": "getrlimit", "vm86old": "vm86",
    "chown32": "chown", "fchown32": "fchown", "lchown32": "lchown", "getuid32": "getuid", "getgid32": "getgid",
    "geteuid32": "geteuid", "getegid32": "getegid", "setuid32": "setuid", "setgid32": "setgid", "setreuid32": "setreuid",
    "setregid32": "setregid", "setresuid32": "setresuid", "setresgid32": "setresgid", "getresuid32": "getresuid",
    "getresgid32": "getresgid", "setfsuid32": "setfsuid", "setfsgid32": "setfsgid", "getgroups32": "getgroups",
    "setgroups32": "setgroups",
    "clock_gettime64": "clock_gettime", "clock_settime64": "clock_settime", "clock_adjtime64": "clock_adjtime",
    "clock_getres_time64": "clock_getres", "clock_nanosleep_time64": "clock_nanosleep", "timer_gettime64": "timer_gettime",
    "timer_settime64": "timer_settime", "timerfd_gettime64": "timerfd_gettime", "timerfd_settime64": "timerfd_settime",
    "utimensat_time64": "utimensat", "pselect6_time64": "pselect6", "ppoll_time64": "ppoll",
    "io_pgetevents_time64": "io_pgetevents", "recvmmsg_time64": "recvmmsg", "mq_timedsend_time64": "mq_timedsend",
    "mq_timedreceive_time64": "mq_timedreceive", "semtimedop_time64": "semtimedop", "rt_sigtimedwait_time64": "rt_sigtimedwait",
    "futex_time64": "futex", "sched_rr_get_interval_time64": "sched_rr_get_interval",
}  # fmt: skip

SOCKETCALL = {
    # linux/net.h: what the first argument of i386's socketcall(2) asks for
    1: "socket", 2: "bind", 3: "connect", 4: "listen", 5: "accept", 6: "getsockname", 7: "getpeername", 8: "socketpair",
    9: "send", 10: "recv", 11: "sendto", 12: "recvfrom", 13: "shutdown", 14: "setsockopt", 15: "getsockopt", 16: "sendmsg",
    17: "recvmsg", 18: "accept4", 19: "recvmmsg", 20: "sendmmsg",
}  # fmt: skip

UNIMPLEMENTED = frozenset(
    {
        "afs_syscall", "break", "ftime", "gtty", "lock", "mpx", "prof", "profil", "putpmsg", "security", "stty", "tuxcall",
        "ulimit", "vserver",
    }
)  # fmt: skip
"""Numbers that are taken and always answer ENOSYS; see unimplemented(2)."""


@cache
def names(arch: int) -> Mapping[int, str] | None:
    """Event names by number; None for an architecture that ruleng does not know."""
    if arch not in ARCHITECTURES:
        return None
    table = _table(ARCHITECTURES[arch])
    return table | {number | X32_BIT: name for number, name in _table("x32").items()} if arch == X86_64 else table


def name(arch: int, number: int) -> str | None:
    """The event name of a system call; None when the architecture or the number is unknown."""
    table = names(arch)
    return None if table is None else table.get(number)


@cache
def numbers(arch: int) -> Mapping[str, tuple[int, ...]]:
    """All numbers under which each event name can appear: i386 has two for setuid."""
    found: dict[str, tuple[int, ...]] = {}
    for number, event in (names(arch) or {}).items():
        found[event] = (*found.get(event, ()), number)
    return found


def _table(name: str) -> dict[int, str]:
    raw: dict[int, str] = import_module(f"{__name__}.{name}").NAMES
    return {number: EVENT_NAMES.get(word, word) for number, word in raw.items()}
