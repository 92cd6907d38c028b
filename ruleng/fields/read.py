"""Functions that the catalogue's `read` expressions call. In: an event's values. Out: a field's value, None when it is missing.

Pure, and called for every event that reaches a check: nothing here looks up what load time could have looked up. The engine
puts every public name of this module into the namespace of the rules that it compiles.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from ruleng.abi.words import capability_names, error_name, signal_name
from ruleng.event import NO_PROCESS, NO_TASK, Container, Event, Mount, Process
from ruleng.fields.arguments import arg_at, arg_raw, arg_text, args_text, buffer
from ruleng.fields.params import CATEGORIES, NOT_SYSCALLS
from ruleng.fields.proc import DEEPEST

EMPTY: Mapping[str, Any] = MappingProxyType({})

READS = frozenset(
    {"read", "pread", "readv", "preadv", "recv", "recvfrom", "recvmsg", "recvmmsg", "copy_file_range", "finit_module"}
)
WRITES = frozenset({"write", "pwrite", "writev", "pwritev", "send", "sendto", "sendmsg", "sendmmsg", "copy_file_range"})
IO = {**dict.fromkeys(WRITES, "write"), **dict.fromkeys(READS, "read")}
"""Calls that move data through a descriptor, and which way; a copy between two descriptors reads and writes."""
WAITS = frozenset({"epoll_wait", "epoll_pwait", "poll", "ppoll", "select", "nanosleep"})

_OPENS = frozenset({"open", "openat", "openat2", "open_by_handle_at"})
_ACCESS_MODE = 0o3  # O_ACCMODE, asm-generic/fcntl.h
_WRITE_ONLY = 0o1
_CREATE = 0o100  # O_CREAT
_EXCLUSIVE = 0o200  # O_EXCL
_TEMPORARY = 0o20000000  # __O_TMPFILE
_EXECUTE = 0o111  # S_IXUSR, S_IXGRP, S_IXOTH

_NS = 1_000_000_000


# --- kind and outcome of an event ---------------------------------------------------------------------------------------


def syscall_type(e: Event) -> str | None:
    return None if e.type in NOT_SYSCALLS else e.type


_IO_CATEGORY = {"f": "file", "d": "file", "4": "net", "6": "net", "u": "ipc", "p": "ipc"}
"""By fd.typechar: what reading, writing, closing is counted as."""


def category(e: Event) -> str:
    """Class of the event; for calls that work on any descriptor, the class of what it stands for."""
    name = CATEGORIES.get(e.type, "other")
    if name in ("io", "read", "write"):
        return _IO_CATEGORY.get(e.fd.typechar or "", "unknown")
    return name


def res(result: int | None) -> str | None:
    """SUCCESS, or the error's name."""
    if result is None:
        return None
    return "SUCCESS" if result >= 0 else error_name(-result)


def failed(result: int | None) -> bool | None:
    return None if result is None else result < 0


_FILES_AND_SOCKETS = {"f": "file", "d": "file", "4": "net", "6": "net", "u": "net"}


def count_error(e: Event, which: str) -> int | None:
    """1 for a failure, 0 for a success, of calls of a class: "" any, file, net (by the descriptor), memory, other (the rest)."""
    if e.result is None:
        return None
    kind = "file" if e.type in _OPENS or e.type == "creat" else _FILES_AND_SOCKETS.get(e.fd.typechar or "", "")
    memory = CATEGORIES.get(e.type) == "memory"
    match which:
        case "":
            counted = True
        case "memory":
            counted = memory
        case "other":
            counted = not kind and not memory
        case _:
            counted = kind == which
    return int(e.result < 0) if counted else None


def buflen(e: Event, kind: str, direction: str) -> int | None:
    """Bytes moved by a call that works on a descriptor: of files or sockets ("file", "net"), read or written."""
    name = CATEGORIES.get(e.type)
    if e.result is None or e.result < 0 or name not in ("io", "read", "write") or (direction and name != direction):
        return None
    of = _FILES_AND_SOCKETS.get(e.fd.typechar or "")
    return e.result if (of is not None and kind in ("", of)) or (not kind and e.fd.type is not None) else None


def opens_to_read(e: Event) -> bool:
    flags = e.open_flags
    return flags is not None and e.type in _OPENS and flags & _ACCESS_MODE != _WRITE_ONLY


def opens_to_write(e: Event) -> bool:
    flags = e.open_flags
    return flags is not None and e.type in _OPENS and flags & _ACCESS_MODE != 0


def opens_executable(e: Event) -> bool:
    """Whether the call may make a file (O_CREAT, O_TMPFILE, creat) and gives it a mode with an execute bit."""
    mode = e.args.get("mode")
    if not isinstance(mode, int) or not mode & _EXECUTE:
        return False
    return e.type == "creat" or (e.type in _OPENS and bool((e.open_flags or 0) & (_CREATE | _TEMPORARY)))


def opens_new(e: Event) -> bool:
    """Whether the call made the file: as the source saw it, else by the flags that let it succeed only then."""
    if e.type not in _OPENS and e.type != "creat":
        return False
    if e.created is not None:
        return e.created
    flags = e.open_flags or 0
    made = flags & _TEMPORARY or flags & (_CREATE | _EXCLUSIVE) == _CREATE | _EXCLUSIVE
    return bool(made) and e.result is not None and e.result >= 0


def given(made: Any, extra: Mapping[str, Any] | None, name: str) -> Any:
    """What was made of other fields; where that is nothing, the value that a recording gave for the field itself."""
    return made if made is not None or extra is None else extra.get(name)


# --- time ---------------------------------------------------------------------------------------------------------------


def iso8601(time_ns: int) -> str:
    """2016-08-04T16:17:57.881785348+0000."""
    return f"{_date(time_ns, '%Y-%m-%dT%H:%M:%S')}.{time_ns % _NS:09}+0000"


def time_text(e: Event) -> str:
    return f"{_date(e.time_ns, '%H:%M:%S')}.{e.time_ns % _NS:09}"


def datetime_text(e: Event) -> str:
    return f"{_date(e.time_ns, '%Y-%m-%d %H:%M:%S')}.{e.time_ns % _NS:09}"


def _date(time_ns: int, form: str) -> str:
    return time.strftime(form, time.gmtime(time_ns // _NS))


def since(later: int | None, earlier: int | None) -> int | None:
    """Nanoseconds between two times; None when one is unknown or they stand the other way round."""
    if later is None or earlier is None or later < earlier:
        return None
    return later - earlier


def seconds(e: Event, name: str) -> int | None:
    """Whole seconds of a duration that came with the event."""
    value = (e.extra or EMPTY).get(name)
    return None if value is None else value // _NS


def nanoseconds(e: Event, name: str) -> int | None:
    value = (e.extra or EMPTY).get(name)
    return None if value is None else value % _NS


# --- processes ----------------------------------------------------------------------------------------------------------


def ancestors(p: Process) -> list[Process]:
    """The parent, its parent and so on."""
    found: list[Process] = []
    task = p.parent
    while task is not NO_TASK and len(found) < DEEPEST:
        p = task.now
        found.append(p)
        task = p.parent
    return found


def session_leader(p: Process) -> Process:
    """The leader of the session: as the source knows it, else the topmost known ancestor of the same session."""
    return _leader(p, p.session.now, "sid")


def group_leader(p: Process) -> Process:
    """The leader of the process group, likewise."""
    return _leader(p, p.group.now, "pgid")


def _leader(p: Process, leader: Process, attribute: str) -> Process:
    if _is_known(leader):
        return leader
    own = getattr(p, attribute)
    if own is None:
        return NO_PROCESS
    same = [ancestor for ancestor in ancestors(p) if getattr(ancestor, attribute) == own and _is_known(ancestor)]
    return same[-1] if same else p


def _is_known(p: Process) -> bool:
    return p.name is not None or p.exe is not None or p.exepath is not None


def login_shell(p: Process) -> int | None:
    """The pid of the topmost process, itself included, whose name ends like a shell's."""
    pid = p.pid if p.name is not None and p.name.endswith("sh") else None
    for ancestor in ancestors(p):
        if ancestor.name is not None and ancestor.name.endswith("sh"):
            pid = ancestor.pid
    return pid


def besides_main(p: Process) -> int | None:
    """Number of threads without the main one."""
    threads = (p.extra or EMPTY).get("proc.nthreads")
    return None if threads is None else threads - 1


def own_pid(e: Event) -> int | None:
    """The thread's id in its own pid namespace, which is known of main threads."""
    return e.proc.vpid if e.tid is not None and e.tid == e.proc.pid else None


def memory(e: Event, name: str) -> int | None:
    """A size of the process, in kB, counted for its main thread; 0 for the others."""
    size: int | None = (e.proc.extra or EMPTY).get(name)
    if size is None or e.tid is None or e.proc.pid is None:
        return None
    return size if e.tid == e.proc.pid else 0


def in_bytes(kilobytes: int | None) -> int | None:
    return None if kilobytes is None else kilobytes * 1024


def same(left: int | None, right: int | None) -> bool | None:
    return None if left is None or right is None else left == right


def slashed(path: str | None) -> str | None:
    """A directory with a slash at its end, as Falco writes proc.cwd."""
    return path if not path or path.endswith("/") else f"{path}/"


def escaped(ways: Sequence[str] | None) -> bool | None:
    return None if ways is None else bool(ways)


def capabilities(bits: int | None) -> str | None:
    return None if bits is None else capability_names(bits)


def subsystem(cgroups: str | None, name: str) -> str | None:
    """The path in `cpu=/a memory=/b` of one subsystem; the unified hierarchy has the empty name."""
    for part in (cgroups or "").split():
        controller, _, path = part.partition("=")
        if name in controller.split(","):
            return path
    return None


# --- texts and lists ----------------------------------------------------------------------------------------------------


def item(values: Sequence[str] | None, index: int) -> str | None:
    return values[index] if values is not None and index < len(values) else None


def count(values: Sequence[str] | None) -> int | None:
    return None if values is None else len(values)


def length(values: Sequence[str] | None) -> int | None:
    return None if values is None else sum(map(len, values))


def chained(first: str | None, second: object, between: str = ":") -> str | None:
    """Two values written together; None when neither is known."""
    if first is None and second is None:
        return None
    return f"{first or ''}{between}{'' if second is None else second}"


def env_text(env: Sequence[str] | None) -> str | None:
    return None if env is None else " ".join(env)


def variable(env: Sequence[str] | None, start: str) -> str | None:
    """The value of the variable whose line starts with `NAME=`."""
    for line in env or ():
        if line.startswith(start):
            return line[len(start) :]
    return None


_INHERITED_LEVELS = 20
"""Falco looks no further up for proc.aenv[NAME]."""


def inherited(p: Process, start: str) -> str | None:
    """The variable's value in the nearest ancestor that has it."""
    for ancestor in ancestors(p)[:_INHERITED_LEVELS]:
        if (value := variable(ancestor.env, start)) is not None:
            return value
    return None


def first12(text: str | None) -> str | None:
    return None if text is None else text[:12]


# --- descriptors --------------------------------------------------------------------------------------------------------


def major(device: int | None) -> int | None:
    """Of a device number as the kernel shows it to programs (new_encode_dev, include/linux/kdev_t.h)."""
    return None if device is None else device >> 8 & 0xFFF


def minor(device: int | None) -> int | None:
    return None if device is None else device & 0xFF | device >> 12 & 0xFFF00


def service(port: int | None) -> str | None:
    """The port as a text. Names of services depend on the host's /etc/services, so there are none here."""
    return None if port is None else str(port)


def nameraw(e: Event) -> str | None:
    """The path of the descriptor as the program gave it: kept with the descriptor, else named by the open itself."""
    if e.fd.nameraw is not None:
        return e.fd.nameraw
    return e.paths.nameraw if e.type in _OPENS or e.type == "creat" else None


def fd_uid(e: Event) -> str | None:
    return None if e.tid is None or e.fd_num is None else f"{e.tid}{e.fd_num}"


# --- containers ---------------------------------------------------------------------------------------------------------


def mounts_text(c: Container) -> str | None:
    return None if c.mounts is None else " ".join([_mount_text(mount) for mount in c.mounts])


def mount_part(c: Container, wanted: str, by: str, part: str) -> str | None:
    """One part of the mount at a place (0, 1, ...) or the first whose `by` (source or dest) matches the glob `wanted`.

    The whole mount when `part` is "", and then `none` when there is no such mount.
    """
    if c.mounts is None:
        return None
    mount = _find_mount(c.mounts, wanted, by)
    if not part:
        return "none" if mount is None else _mount_text(mount)
    if mount is None:
        return None
    return _bool_text(mount.rdwr) if part == "rdwr" else str(getattr(mount, part))


def _find_mount(mounts: Sequence[Mount], wanted: str, by: str) -> Mount | None:
    if wanted.isdecimal():
        return mounts[int(wanted)] if int(wanted) < len(mounts) else None
    return next((mount for mount in mounts if fnmatchcase(getattr(mount, by), wanted)), None)


def _mount_text(mount: Mount) -> str:
    return f"{mount.source}:{mount.dest}:{mount.mode}:{_bool_text(mount.rdwr)}:{mount.propagation}"


def _bool_text(value: bool) -> str:
    return "true" if value else "false"


def labels_text(labels: Mapping[str, str] | None) -> str | None:
    return None if labels is None else ", ".join([f"{name}:{value}" for name, value in labels.items()])


# --- ioctl --------------------------------------------------------------------------------------------------------------


def ioctl_command(e: Event) -> int | None:
    command = e.args.get("request") if e.type == "ioctl" else None
    return command if isinstance(command, int) else None


def ioctl_argument(e: Event) -> int | None:
    argument = e.args.get("argument") if e.type == "ioctl" else None
    return argument if isinstance(argument, int) else None


def ioctl_name(command: int | None) -> str | None:
    from ruleng.abi.words import ioctl_names

    return None if command is None else ioctl_names().get(command)


_DIRECTIONS = ("none", "write", "read", "read|write")  # _IOC_NONE 0, _IOC_WRITE 1, _IOC_READ 2; asm-generic/ioctl.h


def ioctl_direction(command: int | None) -> str | None:
    return None if command is None else _DIRECTIONS[command >> 30 & 3]


def bits(number: int | None, shift: int, width: int) -> int | None:
    return None if number is None else number >> shift & ((1 << width) - 1)


__all__ = [
    "EMPTY", "IO", "READS", "WAITS", "WRITES", "ancestors", "arg_at", "arg_raw", "arg_text", "args_text", "besides_main",
    "bits", "buffer", "buflen", "capabilities", "category", "chained", "count", "count_error", "datetime_text", "env_text",
    "escaped", "failed", "fd_uid", "first12", "given", "group_leader", "in_bytes", "inherited", "ioctl_argument",
    "ioctl_command", "ioctl_direction", "ioctl_name", "iso8601", "item", "labels_text", "length", "login_shell", "major",
    "memory", "minor", "mount_part", "mounts_text", "nameraw", "nanoseconds", "opens_executable", "opens_new",
    "opens_to_read", "opens_to_write", "own_pid", "res", "same", "seconds", "service", "session_leader", "signal_name",
    "since", "slashed", "subsystem", "syscall_type", "time_text", "variable",
]  # fmt: skip
