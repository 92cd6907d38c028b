"""Parameters in words, as Falco shows them."""

from __future__ import annotations

from typing import Any

import pytest

from ruleng.event import Event, Fd, Paths, Process, Signal, Task, User
from ruleng.fields.arguments import arg_at, arg_raw, arg_text, args_text

FILE = Fd(typechar="f", name="/etc/passwd")
SOCKET = Fd(typechar="4", l4proto="tcp", name="10.0.0.2:4711->10.0.0.1:443")
BASH = Process(pid=7, ppid=6, name="bash", uid=1000, user=User(name="ann"), parent=Task(Process(pid=6, name="sshd")))

TEXTS = [
    # type, what the event has, the parameter, its text
    ("open", {"result": -2}, "fd", "ENOENT"),
    ("open", {"result": 3, "fd_num": 3, "fd": FILE}, "fd", "<f>/etc/passwd"),
    ("open", {"result": 3}, "fd", "3"),
    ("open", {}, "fd", None),
    ("connect", {"result": -115, "fd_num": 4, "fd": SOCKET}, "fd", "<4t>10.0.0.2:4711->10.0.0.1:443"),
    ("socket", {"result": 4, "fd_num": 4, "fd": Fd(typechar="4")}, "fd", "<4>"),
    ("close", {"result": 0}, "res", "0"),
    ("close", {"result": -9}, "res", "EBADF"),
    ("open", {"open_flags": 0o102}, "flags", "O_CREAT|O_RDWR"),
    ("open", {"open_flags": 0, "args": {"flags": 1}}, "flags", "O_WRONLY"),
    ("open", {"args": {"mode": 0o644}}, "mode", "644"),
    ("open", {"args": {"name": "x"}, "proc": Process(cwd="/tmp/")}, "name", "/tmp/x"),
    ("open", {"args": {"name": "x"}}, "name", "x"),
    ("open", {"args": {"name": "../x"}, "paths": Paths(name="/x")}, "name", "/x"),
    ("openat", {"args": {"name": "x", "dirfd": 5}, "proc": Process(cwd="/tmp")}, "name", "x"),
    ("openat", {"args": {"dirfd": -100}}, "dirfd", "AT_FDCWD"),
    ("openat", {"paths": Paths(nameraw="x", name="/t/x")}, "name", "/t/x"),
    ("symlink", {"args": {"target": "../x"}, "proc": Process(cwd="/tmp")}, "target", "../x"),
    ("execve", {"args": {"args": ("-l", "/tmp")}}, "args", "-l./tmp."),
    ("execve", {"args": {"flags": 1}}, "flags", "EXE_WRITABLE"),
    ("read", {"args": {"data": b"\x7fELF\0a~"}}, "data", ".ELF.a~"),
    ("chmod", {"args": {"mode": 0o4100}}, "mode", "S_IXUSR|S_ISUID"),
    ("mmap", {"args": {"addr": 0x7FA6}}, "addr", "7FA6"),
    ("kill", {"args": {"sig": 9}}, "sig", "SIGKILL"),
    ("kill", {"args": {"pid": 9}, "signal": Signal(number=9, target=Process(pid=9, name="nginx"))}, "pid", "nginx"),
    ("kill", {"args": {"pid": 9}}, "pid", "9"),
    ("procexit", {"args": {"ret": -1}}, "ret", "EPERM"),
    ("clone", {"proc": BASH, "args": {"tid": 7}}, "tid", "bash"),
    ("clone", {"proc": BASH, "args": {"ptid": 6}}, "ptid", "sshd"),
    ("setuid", {"args": {"uid": 0}}, "uid", "0"),
    ("setuid", {"proc": BASH, "args": {"uid": 1000}}, "uid", "ann"),
    ("chown", {"args": {"uid": 0xFFFFFFFF}}, "uid", "-1"),
    ("setuid", {"args": {"uid": 33}, "extra": {"evt.arg.uid": "www-data"}}, "uid", "www-data"),
    ("capset", {"args": {"cap_effective": 1}}, "cap_effective", "CAP_CHOWN"),
    ("user_login", {"args": {"acct": "root"}}, "acct", "root"),
    ("user_login", {"args": {"new_key": "x"}}, "new_key", "x"),
    ("open", {}, "request", None),
]


@pytest.mark.parametrize(("type", "slots", "name", "text"), TEXTS)
def test_a_parameter_in_words(type: str, slots: dict[str, Any], name: str, text: str | None) -> None:
    assert arg_text(Event(type=type, time_ns=0, **slots), name) == text


@pytest.mark.parametrize(
    ("type", "slots", "text"),
    [
        (
            "access",
            {"result": -2, "args": {"name": "/etc/ld.so.nohwcap", "mode": 0}},
            "res=-2(ENOENT) name=/etc/ld.so.nohwcap mode=0(F_OK)",
        ),
        ("close", {"result": 0, "fd_num": 3, "fd": FILE}, "res=0 fd=3(<f>/etc/passwd)"),
        (
            "socket",
            {"result": 4, "args": {"domain": 2, "type": 1, "proto": 0, "flags": 0}},
            "fd=4 domain=2(AF_INET) type=1 proto=0 flags=0(O_NONE)",
        ),
        ("ioctl", {"result": 0, "fd_num": 1, "args": {"request": 0x5401}}, "res=0 fd=1 request=5401"),
        ("listen", {"result": 0}, "res=0"),
        ("getpid", {"result": 5}, ""),
        ("execve", {"result": 0, "args": {"exe": "cat", "args": ("/dev/null",)}}, "res=0 exe=cat args=/dev/null."),
        ("mkdir", {"extra": {"evt.args": "as Falco wrote it"}}, "as Falco wrote it"),
    ],
)
def test_all_parameters_in_one_text(type: str, slots: dict[str, Any], text: str) -> None:
    assert args_text(Event(type=type, time_ns=0, **slots)) == text


def test_a_parameter_by_its_place() -> None:
    event = Event(type="symlink", time_ns=0, result=0, args={"target": "a", "linkpath": "/b"})
    assert [arg_at(event, place) for place in range(4)] == ["0", "a", "/b", None]


def test_raw_values_come_from_where_the_event_has_them() -> None:
    event = Event(type="openat", time_ns=0, result=3, open_flags=2, paths=Paths(nameraw="x", name="/tmp/x"), args={"dirfd": -100})
    raw = {name: arg_raw(event, name) for name in ("fd", "flags", "name", "dirfd", "mode", "nothing")}
    assert raw == {"fd": 3, "flags": 2, "name": "x", "dirfd": -100, "mode": None, "nothing": None}
