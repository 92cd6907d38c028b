"""What the functions of `ruleng.fields.read` make of an event's values, by table."""

from __future__ import annotations

from typing import Any

import pytest

from ruleng.event import NO_PROCESS, Container, Event, Fd, Mount, Process, Task
from ruleng.fields import read
from ruleng.fields.catalogue import standard
from ruleng.fields.proc import DEEPEST
from ruleng.fields.reading import find, value


def event(type: str, **slots: Any) -> Event:
    return Event(type=type, time_ns=slots.pop("time_ns", 0), **slots)


def field(event: Event, name: str) -> Any:
    return value(event, *find(name))


@pytest.mark.parametrize(
    ("type", "char", "category"),
    [
        ("open", None, "file"),
        ("connect", "4", "net"),
        ("read", "f", "file"),
        ("read", "6", "net"),
        ("write", "u", "ipc"),
        ("close", "p", "ipc"),
        ("close", "o", "unknown"),
        ("ioctl", None, "unknown"),
        ("pipe", "p", "IPC"),
        ("getpid", None, "other"),
        ("procexit", None, "process"),
        ("user_login", None, "other"),
        ("ruleng.lost", None, "internal"),
    ],
)
def test_a_category_is_that_of_the_call_or_of_its_descriptor(type: str, char: str | None, category: str) -> None:
    assert field(event(type, fd=Fd(typechar=char)), "evt.category") == category


ERRORS = [
    # type, letter of the descriptor, result; then evt.count.error and its .file .net .memory .other
    ("open", None, -2, (1, 1, None, None, None)),
    ("read", "f", 3, (0, 0, None, None, None)),
    ("connect", "4", -111, (1, None, 1, None, None)),
    ("write", "u", 1, (0, None, 0, None, None)),
    ("mmap", None, -12, (1, None, None, 1, None)),
    ("mmap", "f", 4096, (0, 0, None, 0, None)),
    ("stat", None, -2, (1, None, None, None, 1)),
    ("stat", None, None, (None, None, None, None, None)),
]


@pytest.mark.parametrize(("type", "char", "result", "counts"), ERRORS)
def test_errors_are_counted_by_class(type: str, char: str | None, result: int | None, counts: tuple[int | None, ...]) -> None:
    happened = event(type, fd=Fd(typechar=char), result=result)
    kinds = ("", ".file", ".net", ".memory", ".other")
    assert tuple(field(happened, f"evt.count.error{kind}") for kind in kinds) == counts


@pytest.mark.parametrize(
    ("type", "flags", "mode", "opens"),
    [
        ("open", 0, None, "read"),
        ("openat", 0o1, None, "write"),
        ("openat2", 0o2, None, "read write"),
        ("open", 0o101, 0o644, "write"),
        ("open", 0o301, 0o755, "write exec create"),
        ("open", 0o1, 0o755, "write"),
        ("open", 0o20200002, 0o700, "read write exec create"),
        ("creat", None, 0o755, "exec"),
        ("read", 0o2, 0o755, ""),
        ("open", None, 0o755, ""),
    ],
)
def test_ways_of_opening(type: str, flags: int | None, mode: int | None, opens: str) -> None:
    happened = event(type, open_flags=flags, args={} if mode is None else {"mode": mode}, result=3)
    found = [way for way in ("read", "write", "exec", "create") if field(happened, f"evt.is_open_{way}")]
    assert " ".join(found) == opens


@pytest.mark.parametrize(("created", "result", "new"), [(True, 3, True), (False, 3, False), (None, 3, True), (None, -17, False)])
def test_a_file_is_new_as_the_source_says_or_as_o_excl_proves(created: bool | None, result: int, new: bool) -> None:
    assert field(event("open", open_flags=0o301, created=created, result=result), "evt.is_open_create") is new


@pytest.mark.parametrize(
    ("type", "char", "result", "lengths"),
    [
        ("read", "f", 7, {"evt.buflen", "evt.buflen.in", "evt.buflen.file", "evt.buflen.file.in"}),
        ("sendto", "4", 7, {"evt.buflen", "evt.buflen.out", "evt.buflen.net", "evt.buflen.net.out"}),
        ("close", "f", 7, {"evt.buflen", "evt.buflen.file"}),
        ("read", "f", -5, set()),
        ("mkdir", None, 7, set()),
    ],
)
def test_bytes_moved_are_counted_by_way_and_kind(type: str, char: str | None, result: int, lengths: set[str]) -> None:
    happened = event(type, fd=Fd(typechar=char), result=result)
    names = [row.name for row in standard() if row.name.startswith("evt.buflen")]
    assert {name for name in names if field(happened, name) is not None} == lengths


def test_times_are_utc_with_nine_digits() -> None:
    happened = event("open", time_ns=1470327477_000000007)
    names = (
        "evt.time",
        "evt.time.s",
        "evt.time.iso8601",
        "evt.datetime",
        "evt.datetime.s",
        "evt.outputtime",
        "evt.rawtime.s",
        "evt.rawtime.ns",
    )
    assert [field(happened, name) for name in names] == [
        "16:17:57.000000007",
        "16:17:57",
        "2016-08-04T16:17:57.000000007+0000",
        "2016-08-04 16:17:57.000000007",
        "2016-08-04 16:17:57",
        "16:17:57.000000007",
        1470327477,
        7,
    ]


def lineage(*names: str) -> Process:
    """The first is the process, the last its furthest ancestor; pids count from 1."""
    process = NO_PROCESS
    for pid, name in reversed(list(enumerate(names, 1))):
        process = (
            Process(pid=pid, name=name, sid=9, parent=Task(process))
            if process is not NO_PROCESS
            else Process(pid=pid, name=name, sid=9)
        )
    return process


def test_ancestors_are_read_by_level_and_by_any() -> None:
    happened = event("execve", proc=lineage("ls", "bash", "sshd", "systemd"))
    assert [field(happened, f"proc.aname[{level}]") for level in range(5)] == ["ls", "bash", "sshd", "systemd", None]
    assert field(happened, "proc.aname") == ["bash", "sshd", "systemd"]
    assert field(happened, "proc.apid") == [2, 3, 4]
    assert field(happened, "proc.loginshellid") == 2
    assert field(happened, "proc.sname") == "systemd"


def test_a_lineage_that_leads_in_a_circle_ends() -> None:
    task = Task()
    task.now = Process(name="loop", parent=task)
    assert len(read.ancestors(task.now)) == DEEPEST


@pytest.mark.parametrize(("later", "earlier", "duration"), [(5, 3, 2), (3, 3, 0), (3, 5, None), (None, 3, None), (3, None, None)])
def test_a_duration_needs_both_times_in_order(later: int | None, earlier: int | None, duration: int | None) -> None:
    assert read.since(later, earlier) == duration


MOUNTS = Container(mounts=(Mount("/proc", "/host/proc", "ro", False, "private"), Mount("/etc/kubernetes", "/k", "", True, "")))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("container.mounts", "/proc:/host/proc:ro:false:private /etc/kubernetes:/k::true:"),
        ("container.mount[0]", "/proc:/host/proc:ro:false:private"),
        ("container.mount[7]", "none"),
        ("container.mount[/none]", "none"),
        ("container.mount.dest[/proc*]", "/host/proc"),
        ("container.mount.dest[/etc/*]", "/k"),
        ("container.mount.dest[/etc]", None),
        ("container.mount.source[/host/*]", "/proc"),
        ("container.mount.rdwr[0]", "false"),
        ("container.mount.mode[/proc]", "ro"),
        ("container.mount.propagation[0]", "private"),
    ],
)
def test_mounts_are_found_by_place_and_by_glob(name: str, text: str | None) -> None:
    assert field(event("open", proc=Process(container=MOUNTS)), name) == text


def test_without_mounts_there_is_no_answer() -> None:
    assert field(event("open"), "container.mount[0]") is None


@pytest.mark.parametrize(
    ("device", "numbers"), [(0x801, (8, 1)), (0x12C << 12 & 0xFFF00000 | 0x800 | 0x2C, (8, 300 & 0xFFF)), (None, (None, None))]
)
def test_device_numbers_are_taken_apart(device: int | None, numbers: tuple[int | None, int | None]) -> None:
    assert (read.major(device), read.minor(device)) == numbers


def test_an_ioctl_is_taken_apart() -> None:
    happened = event("ioctl", args={"request": 0x80045430, "argument": 4096}, fd=Fd(name="/dev/ptmx"))
    names = ("name", "dir", "type", "nr", "size", "arg", "device")
    assert [field(happened, f"ioctl.{name}") for name in names] == ["TIOCGPTN", "read", 0x54, 0x30, 4, 4096, "/dev/ptmx"]
    assert field(event("ptrace", args={"request": 16}), "ioctl.cmd") is None


@pytest.mark.parametrize(
    ("cgroups", "name", "path"),
    [
        ("cpu=/a memory=/b", "memory", "/b"),
        ("cpu,cpuacct=/a", "cpuacct", "/a"),
        ("=/a", "", "/a"),
        ("cpu=/a", "mem", None),
        (None, "cpu", None),
    ],
)
def test_a_cgroup_is_found_by_subsystem(cgroups: str | None, name: str, path: str | None) -> None:
    assert read.subsystem(cgroups, name) == path


def test_environments_are_searched_upward() -> None:
    parent = Process(env=("A=1",), parent=Task(Process(env=("A=2", "B=3"))))
    happened = event("execve", proc=Process(env=("C=4",), parent=Task(parent)))
    names = ("proc.env", "proc.env[C]", "proc.env[A]", "proc.aenv[A]", "proc.aenv[B]", "proc.aenv[C]", "proc.aenv[2]", "proc.aenv")
    assert [field(happened, name) for name in names] == ["C=4", "4", None, "1", "3", None, "A=2 B=3", ["A=1", "A=2 B=3"]]


def test_sizes_and_threads_come_of_the_process() -> None:
    process = Process(pid=5, vpid=1, extra={"proc.vmsize": 8, "proc.nthreads": 3})
    names = ("thread.vtid", "thread.vmsize", "thread.vmsize.b", "proc.nchilds", "thread.vmrss")
    assert [field(event("open", proc=process, tid=5), name) for name in names] == [1, 8, 8192, 2, None]
    assert [field(event("open", proc=process, tid=6), name) for name in names] == [None, 0, 0, 2, None]
