"""Single looks below /proc/PID, for sources that are told that something happened and not what. Racy: each says what holds now.

Each answers None for what has gone or cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISREG
from typing import Any

from ruleng.errors import InputError
from ruleng.event import Fd
from ruleng.state.procfs import parse_cmdline, parse_status, text
from ruleng.state.procfs_io import ProcDir, ProcReader

_ANONYMOUS = {"eventfd": ("event", "e"), "eventpoll": ("eventpoll", "l"), "signalfd": ("signalfd", "s"),
              "timerfd": ("timerfd", "t"), "inotify": ("inotify", "i"), "bpf-map": ("bpf", "b"), "bpf-prog": ("bpf", "b"),
              "userfaultfd": ("userfaultfd", "u"), "io_uring": ("io_uring", "r"), "pidfd": ("pidfd", "P")}  # fmt: skip
"""What a link anon_inode:[NAME] or anon_inode:NAME stands for: fd.type and fd.typechar."""

_KEPT = 0o3 | 0o2000000
"""O_ACCMODE, O_CLOEXEC: flags of an open that its descriptor keeps, the same on all architectures (asm-generic/fcntl.h)."""


@dataclass(frozen=True, slots=True)
class Image:
    """What a process runs. `ids`: attributes of Process by name."""

    name: str
    exepath: str | None
    argv: tuple[str, ...] | None
    ids: dict[str, Any]


def image(reader: ProcReader, pid: int, limit_bytes: int) -> Image | None:
    """`limit_bytes` of argv are read."""
    with reader.process(pid) as directory:
        if directory is None:
            return None
        cmdline = directory.read("cmdline", limit_bytes)  # first: a process that ends loses its memory before its name
        comm = directory.read("comm")
        if comm is None:
            return None
        argv = parse_cmdline(cmdline, limit_bytes)[0] if cmdline else None
        return Image(text(comm.removesuffix(b"\n")), directory.link("exe"), argv or None, _ids(directory))


def _ids(directory: ProcDir) -> dict[str, Any]:
    data = directory.read("status")
    if data is None:
        return {}
    try:
        status = parse_status(data)
    except InputError:
        return {}
    return {"uid": status.uid, "gid": status.gid, "euid": status.euid, "egid": status.egid}


def thread_group(reader: ProcReader, tid: int) -> int | None:
    """The process of a thread."""
    data = _status(reader, tid)
    if data is None:
        return None
    try:
        return parse_status(data).tgid
    except InputError:
        return None


@dataclass(frozen=True, slots=True)
class SignalMasks:
    """Bit n - 1 is signal n; proc_pid_status(5). `pending` at the process and its main thread."""

    ignored: int
    caught: int
    pending: int


def signal_masks(reader: ProcReader, pid: int) -> SignalMasks | None:
    data = _status(reader, pid)
    if data is None:
        return None
    masks: dict[bytes, int] = {}
    for line in data.splitlines():
        key, _, value = line.partition(b":\t")
        if key in (b"SigIgn", b"SigCgt", b"SigPnd", b"ShdPnd"):
            try:
                masks[key] = int(value, 16)
            except ValueError:
                return None
    if len(masks) < 4:
        return None
    return SignalMasks(masks[b"SigIgn"], masks[b"SigCgt"], masks[b"SigPnd"] | masks[b"ShdPnd"])


def _status(reader: ProcReader, pid: int) -> bytes | None:
    with reader.process(pid) as directory:
        return directory.read("status") if directory is not None else None


def descriptor(reader: ProcReader, pid: int, number: int, flags: int | None = None) -> Fd | None:
    """What an open descriptor stands for. Of a socket only that it is one: its ends are not told there.

    `flags`: what it was opened with, O_*; one that is open in another way is another one, and not told.
    """
    with reader.process(pid) as directory:
        link = directory.link(f"fd/{number}") if directory is not None else None
        if directory is None or link is None:
            return None
        if flags is not None and not _is_open_with(directory.read(f"fdinfo/{number}"), flags):
            return None
        if not link.startswith("/"):
            return _special(link)
        status = directory.status(f"fd/{number}")
    mode = 0 if status is None else status.mode
    if S_ISDIR(mode):
        kind, char = "directory", "d"
    elif status is None or S_ISREG(mode) or S_ISCHR(mode) or S_ISBLK(mode):
        kind, char = "file", "f"
    else:
        kind, char = "pipe", "p"
    folder, _, filename = link.rpartition("/")
    return Fd(
        type=kind,
        typechar=char,
        name=link,
        directory=folder or "/",
        filename=filename,
        dev=None if status is None else _device(*status.device),
        ino=None if status is None else status.ino,
    )


def _is_open_with(fdinfo: bytes | None, flags: int) -> bool:
    """proc_pid_fdinfo(5): `flags:\t02100000`, in octal."""
    _, _, value = (fdinfo or b"").partition(b"flags:\t")
    try:
        return (int(value.split(b"\n", 1)[0], 8) ^ flags) & _KEPT == 0
    except ValueError:
        return False


def _special(link: str) -> Fd:
    kind, _, rest = link.partition(":")
    if kind == "pipe":
        return Fd(type="pipe", typechar="p", name="")
    if kind == "anon_inode":
        known = _ANONYMOUS.get(rest.strip("[]"))
        if known is not None:
            return Fd(type=known[0], typechar=known[1], name="")
    return Fd(name="")


def _device(major: int, minor: int) -> int:
    """new_encode_dev of linux/kdev_t.h."""
    return minor & 0xFF | (major & 0xFFF) << 8 | (minor & 0xFFF00) << 12
