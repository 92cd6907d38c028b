"""Events to records of fields and back."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ruleng.errors import InputError
from ruleng.event import NO_ARGS, Event
from ruleng.fields.catalogue import standard
from ruleng.fields.reading import find, value
from ruleng.fields.record import from_fields, to_fields
from tests.fields.events import events

ARGUMENTS = {
    "evt.type.is": ("open",),
    "evt.arg": ("flags", "name", "res", "fd", "uid", "data", "args", "request", "0", "3"),
    "evt.rawarg": ("flags", "name", "res", "fd", "uid", "data", "args", "request"),
    "evt.around": ("1",),
    "evt.abspath": ("src", "dst"),
    "proc.env": ("a", "HOME"),
    "proc.aenv": ("1", "a"),
    "thread.cgroup": ("cpu",),
}
"""Arguments to read the fields with, besides 0, 1 and 2."""


def readings(event: Event) -> dict[str, Any]:
    """Every field of the catalogue, with and without argument."""
    found = {}
    for field in standard():
        if field.argument != "required":
            found[field.name] = value(event, field)
        if field.read_arg is not None:
            for arg in ARGUMENTS.get(field.name, ("0", "1", "2")):
                found[f"{field.name}[{arg}]"] = value(event, field, arg)
    return found


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(events())
def test_a_record_gives_back_an_event_of_which_every_field_reads_the_same(event: Event) -> None:
    record = to_fields(event)
    assert readings(from_fields(record)) == readings(event)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(events())
def test_a_record_is_json_and_survives_being_written_and_read(event: Event) -> None:
    record = to_fields(event)
    assert orjson.loads(orjson.dumps(record)) == record
    assert to_fields(from_fields(record)) == record


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(events())
def test_every_field_can_be_chosen_and_is_json(event: Event) -> None:
    names = [field.name for field in standard() if field.argument != "required"]
    record = to_fields(event, names)
    json.dumps(record)
    assert set(record) <= set(names)
    assert record["evt.type"] == event.type
    assert None not in record.values()


def test_a_record_of_a_small_event_says_no_more_than_the_event() -> None:
    event = from_fields(
        {"evt.type": "openat", "evt.rawres": 3, "fd.name": "/etc/shadow", "evt.arg.flags": "O_RDONLY", "proc.name": "cat"}
    )
    assert to_fields(event) == {
        "evt.type": "openat",
        "evt.rawtime": 0,
        "evt.rawres": 3,
        "proc.name": "cat",
        "fd.name": "/etc/shadow",
        "fd.directory": "/etc",
        "fd.filename": "shadow",
        "evt.arg.flags": "O_RDONLY",
    }


NAMES = [
    *standard().fields,
    *(f"{name}[{arg}]" for name in standard().fields for arg in ("0", "2", "x")),
    *(
        "evt.arg.flags",
        "evt.arg.mode",
        "evt.arg.name",
        "evt.rawarg.data",
        "evt.rawarg.args",
        "evt.type.is.open",
        "nonsense",
        "",
        "[",
        "a][",
    ),
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["SIGKILL", "O_RDWR|x", "1.2.3.4", "a=b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["hex", "source", "dest", "a"]), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None, max_examples=400)
@given(
    st.sampled_from(["open", "kill", "ioctl", "ruleng.lost", "user_login"]),
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)
def test_whatever_a_recording_says_it_is_an_event_or_an_input_error(type: str, mapping: dict[str, Any]) -> None:
    try:
        event = from_fields({**mapping, "evt.type": type}, strict=False)
    except InputError:
        return
    readings(event)
    orjson.dumps(to_fields(event))


FOLLOWS = [
    # given beside evt.type, and what then reads so
    ("open", {"evt.is_open_write": True}, {"evt.is_open_read": False, "evt.arg.flags": "O_WRONLY", "evt.is_open_create": False}),
    ("open", {"evt.is_open_write": True, "evt.is_open_read": True}, {"evt.arg.flags": "O_RDWR"}),
    ("open", {"evt.is_open_read": True}, {"evt.is_open_write": False, "evt.arg.flags": "O_RDONLY"}),
    ("openat", {"evt.is_open_create": True, "evt.is_open_write": True}, {"evt.arg.flags": "O_CREAT|O_WRONLY"}),
    ("open", {"evt.is_open_exec": True}, {"evt.arg.mode": "755"}),
    ("open", {"evt.arg.flags": "O_TRUNC|O_CREAT|O_WRONLY"}, {"evt.is_open_write": True, "evt.rawarg.flags": 0o1101}),
    ("open", {}, {"evt.is_open_read": False, "evt.is_open_write": False, "evt.arg.flags": None}),
    ("open", {"evt.res": "EACCES"}, {"evt.rawres": -13, "evt.failed": True, "evt.arg.fd": "EACCES"}),
    ("unlink", {"evt.res": "SUCCESS"}, {"evt.rawres": 0, "evt.failed": False, "evt.arg.res": "0"}),
    ("unlink", {"evt.failed": True}, {"evt.rawres": -1, "evt.res": "EPERM"}),
    ("open", {"evt.arg.fd": "ENOENT"}, {"evt.rawres": -2}),
    ("open", {"evt.time": "1970-01-01T00:00:01.5Z"}, {"evt.rawtime": 1_500_000_000, "evt.rawtime.s": 1}),
    ("open", {"evt.time.iso8601": "2016-08-04T18:17:57.881785348+0200"}, {"evt.rawtime": 1470327477881785348}),
    ("open", {"evt.rawtime.s": 2, "evt.rawtime.ns": 3}, {"evt.rawtime": 2_000_000_003}),
    (
        "execve",
        {"proc.cmdline": "ls -l /tmp"},
        {"proc.name": "ls", "proc.args": "-l /tmp", "proc.args[1]": "/tmp", "proc.cmdnargs": 2},
    ),
    ("execve", {"proc.name": "ls", "proc.args": "-l /tmp"}, {"proc.cmdline": "ls -l /tmp"}),
    ("execve", {"proc.name": "sh", "proc.args": ["-c", "rm x"]}, {"proc.args[1]": "rm x", "proc.cmdline": "sh -c rm x"}),
    ("execve", {"proc.name": "a b", "proc.cmdline": "a b c"}, {"proc.args": "c"}),
    ("execve", {"proc.name": "x", "proc.cmdline": "y z"}, {"proc.args": "z", "proc.cmdline": "y z"}),
    ("execve", {"proc.name": "true"}, {"proc.args": None, "proc.cmdline": None}),
    ("execve", {"proc.exeline": "/bin/ls -l", "proc.name": "ls"}, {"proc.exe": "/bin/ls", "proc.cmdline": "ls -l"}),
    ("execve", {"proc.pname": "bash"}, {"proc.aname[1]": "bash", "proc.aname": ["bash"]}),
    ("execve", {"proc.aname[2]": "sshd"}, {"proc.pname": None, "proc.aname": ["sshd"]}),
    ("execve", {"proc.aname": ["bash", None, "systemd"]}, {"proc.aname[3]": "systemd", "proc.aname[2]": None}),
    ("execve", {"proc.aname": "bash"}, {"proc.pname": "bash"}),
    ("execve", {"proc.aname[0]": "ls"}, {"proc.name": "ls"}),
    ("execve", {"proc.pcmdline": "sh -c x"}, {"proc.acmdline[1]": "sh -c x", "proc.aargs[1]": None}),
    ("execve", {"proc.apid[1]": 7, "proc.aname": ["zsh"]}, {"proc.loginshellid": 7}),
    ("execve", {"proc.env": "HOME=/root LD_PRELOAD=/tmp/x y"}, {"proc.env[LD_PRELOAD]": "/tmp/x y", "proc.env[HOME]": "/root"}),
    ("execve", {"proc.env[HOME]": "/root"}, {"proc.env": "HOME=/root"}),
    ("execve", {"proc.aenv[HOME]": "/root"}, {"proc.aenv[1]": "HOME=/root", "proc.aenv": ["HOME=/root"]}),
    ("execve", {"proc.duration": 5, "evt.rawtime": 100}, {"proc.pid.ts": 95}),
    ("execve", {"proc.ppid.duration": 5, "evt.rawtime": 100}, {"proc.ppid.ts": 95}),
    ("execve", {"proc.exe_ino.ctime_duration_proc_start": 5, "proc.pid.ts": 50}, {"proc.exe_ino.ctime": 45}),
    ("execve", {"proc.is_vpgid_leader": True, "proc.vpid": 1}, {"proc.vpgid": None}),
    ("execve", {"proc.sname": "sshd"}, {"proc.sid.exe": None}),
    ("execve", {"proc.vpgid.name": "bash"}, {"proc.pgid.name": "bash"}),
    ("execve", {"proc.cwd": "/tmp"}, {"proc.cwd": "/tmp/"}),
    ("execve", {"proc.escape": ["ns.mnt"]}, {"proc.escaped": True}),
    ("execve", {"thread.cap_effective": "CAP_SYS_ADMIN CAP_CHOWN"}, {"thread.cap_effective": "CAP_CHOWN CAP_SYS_ADMIN"}),
    ("execve", {"thread.cgroup[cpu]": "/a"}, {"thread.cgroups": "cpu=/a"}),
    ("execve", {"evt.arg.uid": "nobody"}, {"evt.arg.uid": "nobody", "evt.rawarg.uid": None}),
    ("setuid", {"evt.arg.uid": 99}, {"evt.arg.uid": "99"}),
    ("setuid", {"evt.arg.uid": 99, "user.uid": 99, "user.name": "nobody"}, {"evt.arg.uid": "nobody"}),
    ("open", {"fd.name": "/a/b"}, {"fd.directory": "/a", "fd.filename": "b", "fd.typechar": None}),
    ("open", {"fd.name": "/b"}, {"fd.directory": "/"}),
    ("connect", {"fd.name": "10.0.0.1:80"}, {"fd.directory": None}),
    ("open", {"fd.typechar": "f"}, {"fd.type": "file"}),
    ("open", {"fd.type": "ipv6"}, {"fd.typechar": "6"}),
    ("connect", {"fd.sip": "10.0.0.1", "fd.sport": 443}, {"fd.ip": ["10.0.0.1"], "fd.sproto": "443"}),
    ("connect", {"fd.ip": "10.0.0.1"}, {"fd.sip": "10.0.0.1"}),
    ("connect", {"fd.snet": "10.1.2.3/8"}, {"fd.sip": "10.0.0.0"}),
    ("connect", {"fd.cproto": "22"}, {"fd.cport": 22}),
    ("connect", {"fd.cproto": "ssh"}, {"fd.cport": None}),
    ("open", {"fd.dev.major": 8, "fd.dev.minor": 300}, {"fd.dev": (300 & 0xFF) | 8 << 8 | (300 & ~0xFF) << 12}),
    ("read", {"evt.buflen": 7, "fd.type": "file"}, {"evt.rawres": 7, "evt.buflen.file.in": 7}),
    ("read", {"evt.buffer": "ab"}, {"evt.arg.data": "ab", "evt.buffer": {"hex": "6162"}}),
    ("mkdir", {"evt.arg.path": "/a"}, {"fs.path.name": "/a", "evt.abspath": "/a"}),
    ("mkdir", {"fs.path.name": "/a"}, {"evt.arg.path": "/a"}),
    ("rename", {"evt.arg.newpath": "/b"}, {"fs.path.target": "/b", "evt.abspath.dst": "/b"}),
    ("link", {"evt.arg.newpath": "/b"}, {"fs.path.source": "/b"}),
    ("chmod", {"evt.arg.mode": "S_ISUID|S_IXUSR"}, {"evt.rawarg.mode": 0o4100}),
    ("chmod", {"evt.arg.mode": 0o4755}, {"evt.rawarg.mode": 0o4755}),
    ("ptrace", {"evt.arg.request": "PTRACE_ATTACH"}, {"evt.rawarg.request": 16}),
    ("socket", {"evt.arg.domain": "AF_UNIX"}, {"evt.arg.domain": "AF_LOCAL|AF_UNIX"}),
    ("kill", {"signal.name": "SIGRTMIN+3"}, {"signal.number": 37}),
    ("kill", {"signal.name": "SIGKILL", "signal.target.container.id": "host"}, {"signal.target.container.id": "host"}),
    ("kill", {"evt.arg.sig": "SIGTERM"}, {"evt.rawarg.sig": 15}),
    ("ioctl", {"ioctl.name": "TIOCSTI"}, {"ioctl.cmd": 0x5412, "evt.arg.request": "5412"}),
    ("ioctl", {"ioctl.dir": "read", "ioctl.type": 0x45, "ioctl.nr": 2, "ioctl.size": 8}, {"ioctl.cmd": 0x80084502}),
    ("ioctl", {"ioctl.arg.flags": 3, "ioctl.device": "/dev/tty"}, {"ioctl.arg[flags]": 3, "fd.name": "/dev/tty"}),
    (
        "ruleng.lost",
        {"evt.lost.count": 3, "evt.lost.types": ["open"]},
        {"evt.lost.types": ["open"], "evt.args": "count=3 types=open."},
    ),
    ("open", {"container.labels": "app:x, tier:db"}, {"container.label.app": "x", "container.label[tier]": "db"}),
    ("open", {"container.label[app]": "x"}, {"container.labels": "app:x"}),
    (
        "open",
        {"container.mount.dest[/proc*]": "/host/proc"},
        {"container.mount.dest[/proc*]": "/host/proc", "container.mount.source[/host*]": "/proc*"},
    ),
    ("open", {"container.mounts": "/a:/b:ro:false:private"}, {"container.mount.rdwr[/a]": "false", "container.mount[/z]": "none"}),
    ("open", {"k8s.pod.sandbox_id": "0123456789ab"}, {"k8s.pod.full_sandbox_id": "0123456789ab"}),
    ("user_login", {"evt.arg.acct": "root", "evt.arg.key_of_a_new_kernel": "x"}, {"evt.arg.acct": "root"}),
    ("open", {"evt.arg[1]": "/x"}, {"evt.arg.name": "/x", "fs.path.name": "/x"}),
    ("open", {"proc.name": {"hex": "ff61"}}, {"proc.name": {"hex": "ff61"}}),
    ("open", {"proc.pid": "12"}, {"proc.pid": 12}),
    ("open", {"evt.type.is.open": 1, "evt.count": 1, "evt.dir": "<", "evt.is_io": False}, {}),
    ("open", {"user.name": None}, {"user.name": None}),
]


@pytest.mark.parametrize(("type", "given", "reads"), FOLLOWS, ids=lambda part: None if isinstance(part, str) else str(part)[:60])
def test_what_an_analyst_writes_gives_what_it_is_made_of(type: str, given: dict[str, Any], reads: dict[str, Any]) -> None:
    event = from_fields({"evt.type": type, **given})
    chosen = to_fields(event, reads)
    assert chosen == {name: want for name, want in reads.items() if want is not None}


WRONG = [
    ({}, "`evt.type` is required"),
    ({"evt.type": 3}, "`evt.type` is required"),
    ({"evt.type": "opne"}, "unknown event type `opne`; did you mean `open`?"),
    ({"proc.nam": "x"}, "unknown field `proc.nam`; did you mean `proc.name`?"),
    ({"proc.aname[1": "x"}, "unknown field `proc.aname[1`"),
    ({"qqq": "x"}, "unknown field `qqq`"),
    ({"proc.name": 3}, "`proc.name` wants a text, got 3"),
    ({"proc.pid": "x"}, "`proc.pid` wants a whole number, got 'x'"),
    ({"proc.pid": True}, "`proc.pid` wants a whole number, got True"),
    ({"fd.sport": 70000}, "`fd.sport` wants a number from 0 to 65535, got 70000"),
    ({"fd.sip": "10.0.0"}, "`fd.sip` '10.0.0' is no IPv4 or IPv6 address"),
    ({"fd.connected": "yes"}, "`fd.connected` wants true or false, got 'yes'"),
    ({"evt.rawtime": "noon"}, "wants nanoseconds since the epoch or a time like"),
    ({"evt.time": "2016-02-30T00:00:00Z"}, "there is no such time"),
    ({"proc.args": 3}, "`proc.args` wants a text"),
    ({"proc.args": [3]}, "`proc.args` wants a text"),
    ({"proc.escape": "root"}, "`proc.escape` wants a list of texts"),
    ({"proc.name": {"hex": "zz"}}, "wants pairs of hexadecimal digits"),
    ({"proc.name": {"hexx": "00"}}, "wants a text or"),
    ({"proc.aname[x]": "y"}, "the argument is how many generations up"),
    ({"proc.aname": ["x"] * 65}, "more than 64"),
    ({"proc.args[999999999]": "x"}, "at most 4096 arguments"),
    ({"proc.pid[1]": 3}, "`proc.pid` takes no argument"),
    ({"evt.arg": "x"}, "`evt.arg` wants an argument"),
    ({"evt.arg.flag": "x"}, "is no parameter of `open`, did you mean `flags`?"),
    ({"evt.arg.request": "x"}, "is no parameter of `open`"),
    ({"evt.arg.flags": "O_CERAT"}, "has a word that is unknown here: 'O_CERAT'"),
    ({"evt.arg.mode": "rwx"}, "wants a number of base 8"),
    ({"evt.rawarg.mode": "rwx"}, "wants a number, got 'rwx'"),
    ({"evt.res": "EFOO"}, "wants SUCCESS or the name of an error, got 'EFOO'"),
    ({"thread.cap_effective": "CAP_EVERYTHING"}, "wants names of capabilities(7)"),
    ({"container.mounts": "a:b"}, "wants source:dest:mode:rdwr:propagation"),
    ({"container.mounts": [{"source": "a"}]}, "wants mounts with source, dest"),
    ({"signal.number": 9}, "no fields of `open` events"),
    ({"ioctl.cmd": 9}, "is no field of `open` events"),
    ({"evt.around[1]": 9}, "cannot be given"),
    ({"evt.dir": ">"}, "`evt.dir` is given as '>', but with the other fields it is '<'"),
    ({"evt.is_io": True}, "is given as True, but with the other fields it is False"),
    ({"evt.rawres": 3, "evt.res": "ENOENT"}, "is given as 'ENOENT', but with the other fields it is 'SUCCESS'"),
    ({"evt.arg.flags": "O_RDONLY", "evt.is_open_write": True}, "is given as True, but with the other fields it is False"),
    ({"proc.pid": 1, "proc.sid": 2, "proc.is_sid_leader": True}, "is given as True, but with the other fields it is False"),
    ({"syscall.type": "close"}, "is 'close', but `evt.type` is 'open'"),
]


@pytest.mark.parametrize(("given", "message"), WRONG, ids=lambda part: str(part)[:60])
def test_what_cannot_be_says_which_field_and_why(given: dict[str, Any], message: str) -> None:
    mapping = given if given.keys() <= {"evt.type"} else {"evt.type": "open", **given}
    with pytest.raises(InputError) as caught:
        from_fields(mapping)
    assert message in str(caught.value)


def test_a_signal_without_its_number_is_no_signal() -> None:
    with pytest.raises(InputError, match=r"`signal.number` or `signal.name` is required"):
        from_fields({"evt.type": "kill", "signal.target.pid": 3})


def test_contradictions_may_be_let_go() -> None:
    event = from_fields({"evt.type": "open", "evt.rawres": 3, "evt.res": "ENOENT", "evt.is_io": True}, strict=False)
    assert to_fields(event, ["evt.res", "evt.is_io"]) == {"evt.res": "SUCCESS", "evt.is_io": False}


def test_an_event_with_nothing_but_its_type_shares_what_is_empty() -> None:
    event = from_fields({"evt.type": "open"})
    assert event == Event(type="open", time_ns=0)
    assert event.args is NO_ARGS


def test_choosing_a_field_that_is_none_says_so() -> None:
    with pytest.raises(InputError, match=r"did you mean `proc\.name`"):
        to_fields(Event(type="open", time_ns=0), ["proc.nmae"])


@pytest.mark.parametrize(
    ("name", "field", "arg"),
    [
        ("proc.name", "proc.name", None),
        ("proc.aname[2]", "proc.aname", "2"),
        ("evt.arg.flags", "evt.arg", "flags"),
        ("k8s.pod.label.app.kubernetes.io/name", "k8s.pod.label", "app.kubernetes.io/name"),
        ("k8s.pod.label[app.kubernetes.io/name]", "k8s.pod.label", "app.kubernetes.io/name"),
    ],
)
def test_names_are_found_with_their_argument(name: str, field: str, arg: str | None) -> None:
    row, found = find(name)
    assert (row.name, found) == (field, arg)
