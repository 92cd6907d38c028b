"""Files below /proc/PID as values: bytes in, values out, no I/O. See proc(5).

Everything that a program can choose itself (its name, arguments, environment, cgroup) is taken as hostile: it may hold
any byte, be empty or be cut off. A file that is not what the kernel writes raises InputError saying why.
"""

from __future__ import annotations

from dataclasses import dataclass

from ruleng.errors import InputError

PF_KTHREAD = 0x00200000  # linux/sched.h
UNSET_ID = 0xFFFFFFFF  # (uid_t) -1: linux/audit.h AUDIT_UID_UNSET


def text(data: bytes) -> str:
    """As the vocabulary has text: UTF-8, no byte lost."""
    return data.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that are used; times in clock ticks, see sysconf(_SC_CLK_TCK)."""

    pid: int
    name: str
    state: str  # R S D Z T t X I
    ppid: int
    pgid: int
    sid: int
    tty: int
    flags: int
    threads: int
    start_ticks: int  # after boot

    @property
    def is_kernel_thread(self) -> bool:
        return bool(self.flags & PF_KTHREAD)


def parse_stat(data: bytes) -> Stat:
    """The name stands in brackets and may itself hold brackets, blanks and newlines: the last bracket ends it."""
    opening, closing = data.find(b" ("), data.rfind(b")")
    if opening < 0 or closing < opening:
        raise InputError("stat: no name in brackets")
    rest = data[closing + 1 :].split()
    if len(rest) < 20:
        raise InputError(f"stat: {len(rest)} fields after the name, wanted 20 or more")
    try:
        return Stat(
            pid=int(data[:opening]),
            name=text(data[opening + 2 : closing]),
            state=text(rest[0]),
            ppid=int(rest[1]),
            pgid=int(rest[2]),
            sid=int(rest[3]),
            tty=int(rest[4]),
            flags=int(rest[6]),
            threads=int(rest[17]),
            start_ticks=int(rest[19]),
        )
    except ValueError as error:
        raise InputError(f"stat: {error}") from None


@dataclass(frozen=True, slots=True)
class Status:
    """The lines of /proc/PID/status that are used; None where the kernel has no such line. Sizes in kB."""

    uid: int | None = None
    euid: int | None = None
    gid: int | None = None
    egid: int | None = None
    tgid: int | None = None
    vpid: int | None = None  # as the innermost pid namespace numbers it
    vpgid: int | None = None
    cap_inheritable: int | None = None
    cap_permitted: int | None = None
    cap_effective: int | None = None
    vm_size_kb: int | None = None
    vm_rss_kb: int | None = None
    vm_swap_kb: int | None = None
    threads: int | None = None


# beginning of a line -> (attribute, index of the value in the line, base)
_STATUS: dict[bytes, tuple[tuple[str, int, int], ...]] = {
    b"\nUid:": (("uid", 0, 10), ("euid", 1, 10)),  # real, effective, saved, file system
    b"\nGid:": (("gid", 0, 10), ("egid", 1, 10)),
    b"\nTgid:": (("tgid", 0, 10),),
    b"\nNSpid:": (("vpid", -1, 10),),  # one number per nested namespace, innermost last
    b"\nNSpgid:": (("vpgid", -1, 10),),
    b"\nCapInh:": (("cap_inheritable", 0, 16),),
    b"\nCapPrm:": (("cap_permitted", 0, 16),),
    b"\nCapEff:": (("cap_effective", 0, 16),),
    b"\nVmSize:": (("vm_size_kb", 0, 10),),
    b"\nVmRSS:": (("vm_rss_kb", 0, 10),),
    b"\nVmSwap:": (("vm_swap_kb", 0, 10),),
    b"\nThreads:": (("threads", 0, 10),),
}


def parse_status(data: bytes) -> Status:
    """The kernel escapes newlines in the name, so that no line can be forged."""
    found: dict[str, int] = {}
    data = b"\n" + data
    for key, wanted in _STATUS.items():
        start = data.find(key)
        if start < 0:
            continue
        line, _, _ = data[start + 1 :].partition(b"\n")
        values = line[len(key) - 1 :].split()
        for attribute, index, base in wanted:
            try:
                found[attribute] = int(values[index], base)
            except (ValueError, IndexError):
                raise InputError(f"status: no number in the line {text(line[:80])!r}") from None
    return Status(**found)


def parse_cmdline(data: bytes, limit_bytes: int) -> tuple[tuple[str, ...], bool]:
    """(argv, whether it was cut at the limit). A program may have overwritten it: then it is one argument, or none."""
    cut = len(data) > limit_bytes
    data = data[:limit_bytes] if cut else data
    return tuple(text(data.removesuffix(b"\0")).split("\0")) if data else (), cut


def parse_environ(data: bytes, limit_bytes: int) -> tuple[tuple[str, ...], bool]:
    """(`NAME=VALUE`s, whether it was cut at the limit)."""
    cut = len(data) > limit_bytes
    data = data[:limit_bytes] if cut else data
    return tuple(filter(None, text(data).split("\0"))), cut


def parse_loginuid(data: bytes) -> int:
    """-1 when unset."""
    try:
        value = int(data)
    except ValueError:
        raise InputError(f"loginuid: {text(data[:80])!r} is no number") from None
    return -1 if value == UNSET_ID else value


@dataclass(frozen=True, slots=True)
class CgroupLine:
    """One line of /proc/PID/cgroup, see cgroups(7); the unified hierarchy has number 0 and no controllers."""

    hierarchy: int
    controllers: tuple[str, ...]
    path: str


def parse_cgroup(data: bytes) -> tuple[CgroupLine, ...]:
    """The path may hold colons."""
    lines = []
    for line in data.split(b"\n"):
        if not line:
            continue
        hierarchy, colon, rest = line.partition(b":")
        controllers, second, path = rest.partition(b":")
        if not (colon and second and hierarchy.isdigit() and len(hierarchy) < 10):
            raise InputError(f"cgroup: {text(line[:80])!r} is not NUMBER:CONTROLLERS:PATH")
        lines.append(CgroupLine(int(hierarchy), tuple(text(controllers).split(",")) if controllers else (), text(path)))
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class IdRange:
    """A line of uid_map or gid_map, see user_namespaces(7)."""

    inside: int
    outside: int
    count: int


def parse_id_map(data: bytes) -> tuple[IdRange, ...]:
    ranges = []
    for line in data.splitlines():
        try:
            inside, outside, count = (int(number) for number in line.split())
        except ValueError:
            raise InputError(f"id map: {text(line[:80])!r} is not three numbers") from None
        ranges.append(IdRange(inside, outside, count))
    return tuple(ranges)


def id_inside(ranges: tuple[IdRange, ...], outside: int) -> int | None:
    """What the user namespace calls an id of its parent; None when it is not mapped."""
    for mapped in ranges:
        if mapped.outside <= outside < mapped.outside + mapped.count:
            return mapped.inside + outside - mapped.outside
    return None


def parse_namespace(link: str) -> int | None:
    """The inode in `mnt:[4026531832]`; None for anything else."""
    _, bracket, rest = link.partition(":[")
    digits = rest.removesuffix("]")
    return int(digits) if bracket and digits.isdecimal() and digits.isascii() and len(digits) <= 20 else None


@dataclass(frozen=True, slots=True)
class MountLine:
    """A line of /proc/PID/mountinfo, the parts that are used."""

    mount_id: int
    root: str
    point: str
    fs_type: str
    super_options: str


def parse_mountinfo(data: bytes) -> tuple[MountLine, ...]:
    """Blanks, tabs, newlines and backslashes in paths stand as octal escapes, see proc(5)."""
    mounts = []
    for line in data.split(b"\n"):
        if not line:
            continue
        before, dash, after = line.partition(b" - ")
        left, right = before.split(b" "), after.split(b" ")
        if not dash or len(left) < 6 or len(right) < 3 or not left[0].isdigit() or len(left[0]) > 10:
            raise InputError(f"mountinfo: cannot read {text(line[:80])!r}")
        mounts.append(MountLine(int(left[0]), unescape(left[3]), unescape(left[4]), text(right[0]), text(right[2])))
    return tuple(mounts)


def unescape(data: bytes) -> str:
    r"""`\040` and its like as the byte they stand for."""
    if b"\\" not in data:
        return text(data)
    first, *rest = data.split(b"\\")
    parts = [first]
    for part in rest:
        code = part[:3]
        if len(code) == 3 and all(digit in b"01234567" for digit in code) and int(code, 8) < 256:
            parts.append(bytes([int(code, 8)]) + part[3:])
        else:
            parts.append(b"\\" + part)
    return text(b"".join(parts))
