"""What follows from what: the bases of derived fields, and what is the same said otherwise.

`FOLLOWS[name]` sets the slots of which the field is made, so that it reads as it was given, where nothing else says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ruleng.abi.words import error_number, signal_number
from ruleng.errors import InputError
from ruleng.fields.catalogue import standard
from ruleng.fields.draft import Draft
from ruleng.fields.given import command_arguments

_NS = 1_000_000_000


def work_out(draft: Draft, later: Mapping[str, Any]) -> None:
    """Bases of the derived fields that were given, in the order of the table."""
    for name, follow in FOLLOWS.items():
        if name in later:
            follow(draft, later[name])
            draft.claims.append((name, standard().fields[name], None, later[name]))


def _result(draft: Draft, value: Any) -> None:
    number = None if value == "SUCCESS" else error_number(value)
    if value != "SUCCESS" and number is None:
        raise InputError(f"`evt.res` wants SUCCESS or the name of an error, got {value!r}")
    draft.default("event", "result", 0 if number is None else -number)


def _failed(draft: Draft, value: Any) -> None:
    draft.default("event", "result", -1 if value else 0)  # EPERM: the first of errno(3)


def _buflen(draft: Draft, value: Any) -> None:
    draft.default("event", "result", value)


def _flags(number: int) -> Callable[[Draft, Any], None]:
    """Open flags that make a field true; false asks for nothing."""

    def follow(draft: Draft, value: Any) -> None:
        if value and "flags" not in draft.args:
            draft.parts["event"]["open_flags"] = (draft.get("event", "open_flags") or 0) | number

    return follow


def _opens_to_read(draft: Draft, value: Any) -> None:
    flags = draft.get("event", "open_flags")
    if value and "flags" not in draft.args:
        draft.parts["event"]["open_flags"] = 0 if flags is None else flags & ~0o3 | 0o2  # O_RDWR when it opens to write, too


def _opens_executable(draft: Draft, value: Any) -> None:
    if value:
        _flags(0o100)(draft, value)  # O_CREAT
        draft.args.setdefault("mode", 0o755)


def _created(draft: Draft, value: Any) -> None:
    draft.parts["event"]["created"] = value
    _flags(0o100)(draft, value)


def _started(part: str, slot: str) -> Callable[[Draft, Any], None]:
    """A duration until the event gives a start."""

    def follow(draft: Draft, value: Any) -> None:
        slots = draft.ancestor(1) if part == "parent" else draft.parts[part]
        slots.setdefault(slot, draft.parts["event"].setdefault("time_ns", 0) - value)

    return follow


def _before(slot: str, later_slot: str) -> Callable[[Draft, Any], None]:
    """A duration between two times of the process gives the earlier one, and the later one if need be."""

    def follow(draft: Draft, value: Any) -> None:
        end = draft.parts["proc"].setdefault(later_slot, draft.parts["event"].setdefault("time_ns", 0))
        draft.default("proc", slot, end - value)

    return follow


def _part_of_time(name: str, unit: int) -> Callable[[Draft, Any], None]:
    """Whole seconds, or the rest, of a duration in `extra`, unless that was given."""

    def follow(draft: Draft, value: Any) -> None:
        known = draft.extra.setdefault(name, 0)
        part = known // _NS if unit == _NS else known % _NS
        if not part:
            draft.extra[name] = known + value * unit

    return follow


def _part_of_moment(unit: int) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        known = draft.get("event", "time_ns")
        if known is None or (unit == 1 and known % _NS == 0):
            draft.parts["event"]["time_ns"] = (known or 0) + value * unit

    return follow


def _same_slot(part: str, slot: str) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        draft.default(part, slot, value)

    return follow


def _exeline(draft: Draft, value: Any) -> None:
    exe, _, rest = value.partition(" ")
    draft.default("proc", "exe", exe)
    if "args" not in draft.parts["proc"]:
        command_arguments(draft, rest)


def _device(high: bool) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        bits = (value & 0xFFF) << 8 if high else value & 0xFF | (value & ~0xFF) << 12  # new_encode_dev, linux/kdev_t.h
        draft.parts["fd"]["dev"] = (draft.get("fd", "dev") or 0) | bits

    return follow


def _port(slot: str) -> Callable[[Draft, Any], None]:
    """The text of a port; a service's name, whose port depends on the host, stays a text."""

    def follow(draft: Draft, value: Any) -> None:
        if value.isdecimal():
            draft.default("fd", slot, int(value))

    return follow


def _signal_number(draft: Draft, value: Any) -> None:
    number = signal_number(value)
    if number is None:
        raise InputError(f"`signal.name` wants the name of a signal, got {value!r}")
    draft.default("signal", "number", number)


def _command(shift: int) -> Callable[[Draft, Any], None]:
    """A part of an ioctl's number."""

    def follow(draft: Draft, value: Any) -> None:
        draft.args["request"] = draft.args.get("request", 0) | value << shift

    return follow


def _ioctl_name(draft: Draft, value: Any) -> None:
    from ruleng.abi.ioctls import IOCTL

    if value not in IOCTL:
        raise InputError(f"`ioctl.name` wants a command that ruleng knows by name, got {value!r}")
    draft.args.setdefault("request", IOCTL[value])


def _direction(draft: Draft, value: Any) -> None:
    bits = {"none": 0, "write": 1, "read": 2, "read|write": 3}.get(value)
    if bits is None:
        raise InputError(f"`ioctl.dir` is none, read, write or read|write, not {value!r}")
    _command(30)(draft, bits)


def _parameter_of(name: str) -> Callable[[Draft, Any], None]:
    def follow(draft: Draft, value: Any) -> None:
        draft.args.setdefault(name, value)

    return follow


FOLLOWS: Mapping[str, Callable[[Draft, Any], None]] = {
    "evt.rawtime.s": _part_of_moment(_NS),
    "evt.rawtime.ns": _part_of_moment(1),
    **{f"evt.{kind}.s": _part_of_time(f"evt.{kind}", _NS) for kind in ("reltime", "deltatime", "latency")},
    **{f"evt.{kind}.ns": _part_of_time(f"evt.{kind}", 1) for kind in ("reltime", "deltatime", "latency")},
    "evt.res": _result,
    "evt.failed": _failed,
    **{f"evt.count.error{which}": _failed for which in ("", ".file", ".net", ".memory", ".other")},
    **{
        f"evt.buflen{which}": _buflen
        for which in ("", ".in", ".out", ".file", ".file.in", ".file.out", ".net", ".net.in", ".net.out")
    },
    "evt.is_open_write": _flags(0o1),
    "evt.is_open_read": _opens_to_read,
    "evt.is_open_exec": _opens_executable,
    "evt.is_open_create": _created,
    "util.cnt": _same_slot("event", "num"),
    "proc.duration": _started("proc", "start_ns"),
    "proc.ppid.duration": _started("parent", "start_ns"),
    "container.duration": _started("container", "start_ns"),
    "proc.exe_ino.ctime_duration_proc_start": _before("exe_ctime_ns", "start_ns"),
    "proc.exe_ino.ctime_duration_pidns_start": _before("pidns_start_ns", "exe_ctime_ns"),
    "proc.vpgid.name": _same_slot("leader", "name"),
    "proc.vpgid.exe": _same_slot("leader", "exe"),
    "proc.vpgid.exepath": _same_slot("leader", "exepath"),
    "proc.exeline": _exeline,
    "fd.dev.major": _device(high=True),
    "fd.dev.minor": _device(high=False),
    **{f"fd.{end}proto": _port(f"{end}port") for end in "cslr"},
    "k8s.pod.id": _same_slot("container", "pod_uid"),
    "k8s.pod.sandbox_id": _same_slot("container", "pod_sandbox_id"),
    "k8s.pod.ip": _same_slot("container", "ip"),
    "signal.name": _signal_number,
    "ioctl.cmd": _parameter_of("request"),
    "ioctl.name": _ioctl_name,
    "ioctl.dir": _direction,
    "ioctl.size": _command(16),
    "ioctl.type": _command(8),
    "ioctl.nr": _command(0),
    "ioctl.arg": _parameter_of("argument"),
    "ioctl.device": _same_slot("fd", "name"),
}
"""Derived fields, and how their bases come of them, in the order in which they are worked out. All are claims as well."""


def finish_command_line(slots: dict[str, Any]) -> None:
    """Name, arguments and command line, each from the others where it was not given."""
    if "args" not in slots and "args_text" not in slots and "cmdline" in slots:
        name, _, rest = slots["cmdline"].partition(" ")
        if slots["cmdline"].startswith(slots.get("name", name)):
            name = slots.get("name", name)
            rest = slots["cmdline"][len(name) :].strip()
        slots.setdefault("name", name)
        slots |= {"args": tuple(rest.split()), "args_text": rest}
    if "args" in slots:
        slots.setdefault("args_text", " ".join(slots["args"]))
    if "args_text" in slots and "name" in slots:
        slots.setdefault("cmdline", f"{slots['name']} {slots['args_text']}".rstrip(" ") if slots["args_text"] else slots["name"])


_TYPE_OF_CHAR = {"f": "file", "d": "directory", "4": "ipv4", "6": "ipv6", "u": "unix", "p": "pipe", "e": "event", "s": "signalfd",
                 "l": "eventpoll", "i": "inotify", "t": "timerfd", "n": "netlink", "b": "bpf", "r": "io_uring", "m": "memfd",
                 "P": "pidfd"}  # fmt: skip
_CHAR_OF_TYPE = {word: char for char, word in _TYPE_OF_CHAR.items()} | {"userfaultfd": "u"}


def finish_fd(slots: dict[str, Any]) -> None:
    """The kind from its letter and back, and a path's directory and file name."""
    if (char := slots.get("typechar")) is not None and char in _TYPE_OF_CHAR:
        slots.setdefault("type", _TYPE_OF_CHAR[char])
    elif (word := slots.get("type")) is not None and word in _CHAR_OF_TYPE:
        slots.setdefault("typechar", _CHAR_OF_TYPE[word])
    name = slots.get("name")
    if name is not None and name.startswith("/") and slots.get("typechar", "f") in "fd":
        directory, _, filename = name.rpartition("/")
        slots.setdefault("directory", directory or "/")
        slots.setdefault("filename", filename)
