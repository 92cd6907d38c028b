"""What records of audit mean: tables, values, and laws of the normaliser. Whole logs: tests/sources/test_audit_goldens.py."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.event import NO_FD, Event, Fd, Process, Task
from ruleng.fields import params
from ruleng.fields.address import parse_address
from ruleng.fields.record import Record, to_fields
from ruleng.normalise.audit import AuditNormaliser, calls, identity, paths, sockets, syscall
from ruleng.normalise.audit.arguments import Arguments
from ruleng.normalise.audit.descriptors import Descriptors
from ruleng.normalise.audit.execve import arguments
from ruleng.normalise.audit.memo import Memo
from ruleng.normalise.audit.sockaddr import SockAddr, parse_sockaddr
from ruleng.normalise.audit.text import pairs, untrusted
from ruleng.ports import Atom, Demand
from ruleng.sources.audit import record
from ruleng.sources.audit.reader import Reader
from ruleng.state import Limits, State
from tests.bench.auditlog import lines
from tests.sources.audit import LOGS, Places, read
from tests.state.support import StillClock

TASK = (
    b"ppid=1 pid=7 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts3 ses=1 "
    b'comm="cat" exe="/usr/bin/cat" subj=unconfined'
)


def replayed(data: bytes, demand: Demand | None = None) -> list[Event]:
    losses = Places()
    normaliser = AuditNormaliser(State(None, StillClock(), Limits(), losses), losses, demand)
    return normaliser.batch(read(data, losses))


# --- tables -------------------------------------------------------------------------------------------------------------------


def test_every_argument_of_the_table_is_a_parameter_of_its_call() -> None:
    unknown = [
        (name, parameter)
        for name in params.EVENT_TYPES
        for parameter, *_ in calls.call(name).numbers
        if params.event_type(name).get(parameter) is None
    ]
    assert unknown == []
    assert calls.call("openat").directory == 0
    assert calls.call("linkat").paths == (("target", 0), ("source", 2))
    assert calls.call("fchmod").fd == 0
    assert calls.call("socket").fd == calls.RESULT


@pytest.mark.parametrize(
    "pattern", [record.BLOCK, syscall._match, paths._PATH, identity._TAIL], ids=["block", "syscall", "path", "task"]
)
def test_no_group_of_a_pattern_is_possessive(pattern: object) -> None:
    """Python before 3.11.5 gets those wrong that hold a repetition (gh-106052): whole events would not be seen as such."""
    text: bytes = pattern.__self__.pattern  # type: ignore[attr-defined]
    assert re.search(rb"[^\\]\)(?:[?*+]|\{[0-9,]+\})\+", text) is None


def test_records_as_the_kernel_writes_them_need_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The patterns know them; what does not match is read slowly."""

    def slow(*_: object) -> None:
        raise AssertionError("a record of the kernel was taken for an irregular one")

    for module in (syscall, paths, identity):
        monkeypatch.setattr(module, "_irregular", slow)
    for log in LOGS:
        replayed(log.read_bytes())


@pytest.mark.parametrize(
    ("arm64", "x86"),
    [(0o40000, 0o200000), (0o100000, 0o400000), (0o200000, 0o40000), (0o400000, 0o100000), (0o1102, 0o1102)],
    ids=["O_DIRECTORY", "O_NOFOLLOW", "O_DIRECT", "O_LARGEFILE", "the same on both"],
)
def test_open_flags_of_arm64_become_those_of_x86(arm64: int, x86: int) -> None:
    assert calls.x86_open_flags(arm64) == x86
    assert calls.x86_open_flags(arm64 | 0o2000000) == x86 | 0o2000000


def test_a_rule_on_connect_needs_the_socket_call_too() -> None:
    assert {"connect", "socket"} | calls.STATE <= calls.supporting({"connect"})
    assert "bind" in calls.supporting({"accept4"})
    assert "openat" not in calls.supporting({"connect"})


# --- values -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (None, None), ("(none)", 0), ("pts0", 0x8800), ("/dev/pts/3", 0x8803), ("pts300", 0x10882C), ("tty1", 0x401),
        ("ttyS0", 0x440), ("console", 0x501), ("ttymxc0", 0x500), ("pts9999999", 0x500),
    ],
)  # fmt: skip
def test_a_terminal_is_its_device_number(name: str | None, number: int | None) -> None:
    assert identity.tty_number(name) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [(b'"cat"', "cat"), (b'""', ""), (b"2F746D702F61206200", "/tmp/a b\0"), (b"(null)", None), (b"?", None), (b"FF", "\udcff")],
)
def test_what_a_program_chose_is_quoted_hex_or_absent(value: bytes, text: str | None) -> None:
    assert untrusted(value) == text


@pytest.mark.parametrize("value", [b"ABC", b'"cat', b'"', b"xyz"])
def test_what_is_none_of_these_is_an_error(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"quote|hex"):
        untrusted(value)


@pytest.mark.parametrize(
    ("hexadecimal", "address"),
    [
        ("020000357F000001", SockAddr(2, ip=parse_address("127.0.0.1"), port=53)),
        ("0A0001BB0000000020010DB800000000000000000000000100000000", SockAddr(10, ip=parse_address("2001:db8::1"), port=443)),
        (
            "0A0001BB00000000FE80000000000000000000000000000102000000",
            SockAddr(10, ip=parse_address("fe80::1"), port=443, ifindex=2),
        ),
        ("01002F72756E2F7800", SockAddr(1, path="/run/x")),
        ("010000686964", SockAddr(1, path="@hid")),
        ("0100", SockAddr(1, path="")),
        ("100000000000000001000000", SockAddr(16, pid=0, groups=1)),
        ("1100000302000000", SockAddr(17, protocol=3, ifindex=2)),
        ("28000000D204000003000000", SockAddr(40, port=1234, cid=3)),
        ("0F00FFFF", SockAddr(15)),
    ],
    ids=["inet", "inet6", "link-local", "unix", "abstract", "unnamed", "netlink", "packet", "vsock", "another family"],
)
def test_an_address_by_its_family(hexadecimal: str, address: SockAddr) -> None:
    assert parse_sockaddr(bytes.fromhex(hexadecimal)) == address


@pytest.mark.parametrize("hexadecimal", ["", "02", "02000035", "0A0001BB00", "1000", "1100", "2800"])
def test_an_address_that_was_cut_is_an_error(hexadecimal: str) -> None:
    with pytest.raises(ValueError, match="short"):
        parse_sockaddr(bytes.fromhex(hexadecimal))


def test_an_ipv4_address_in_ipv6_clothes_is_ipv4() -> None:
    peer = parse_sockaddr(bytes.fromhex("0A0001BB0000000000000000000000000000FFFF0A00000100000000"))
    fd = sockets.connected(Fd(type="ipv6", typechar="6", family="ip", l4proto="tcp"), peer, succeeded=True)
    assert (fd.typechar, fd.rip, fd.rport, fd.name) == ("4", parse_address("10.0.0.1"), 443, "->10.0.0.1:443")


def test_an_accepted_connection_has_the_ends_that_were_told() -> None:
    listening = sockets.bound(sockets.new_socket(2, 1, 0), SockAddr(2, ip=parse_address("10.0.0.1"), port=22))
    fd = sockets.accepted(listening, SockAddr(2, ip=parse_address("10.0.0.9"), port=40000))
    assert (fd.name, fd.is_server, fd.l4proto) == ("10.0.0.9:40000->10.0.0.1:22", True, "tcp")
    assert (fd.cip, fd.cport, fd.sip, fd.sport) == (parse_address("10.0.0.9"), 40000, parse_address("10.0.0.1"), 22)
    assert (fd.rip, fd.lip) == (fd.cip, fd.sip)
    assert sockets.accepted(listening, None).cip is None


@pytest.mark.parametrize(
    ("bodies", "argv", "complaint"),
    [
        ([b'argc=2 a0="ls" a1=2F6120622F'], ("ls", "/a b/"), None),
        ([b'argc=1 a0=""'], ("",), None),
        ([b'argc=3 a0="a" a1_len=8 a1[0]=6161', b' a1[1]=6262 a2="c"'], ("a", "aabb", "c"), None),
        ([b' a1[1]=6262 a2="c"', b'argc=3 a0="a" a1_len=8 a1[0]=6161'], ("a", "aabb", "c"), None),
        ([b'argc=2 a0="a" a1[0]="bb" a1[1]="cc"'], ("a", "bbcc"), None),
        ([b'argc=3 a0="a" a1="b"'], ("a", "b"), "an EXECVE record lacks arguments"),
        ([b'argc=2 a0="a" a1=XYZ'], ("a", ""), "an argument of EXECVE cannot be read"),
        ([b'argc=2 a0="a" a1_len=8 a1[1]=6262'], ("a", "bb"), "an argument of EXECVE cannot be read"),
        ([b' a1[1]=6262 a2="c"'], ("", "bb", "c"), "the first EXECVE record of an event is missing"),
        ([b"argc=999999999999"], (), "an EXECVE record lacks arguments"),
        ([b'argc=99999 a0="a"'], ("a",), "an EXECVE record lacks arguments"),
        ([b""], (), "the first EXECVE record of an event is missing"),
    ],
)  # fmt: skip
def test_arguments_come_in_records_and_pieces(bodies: list[bytes], argv: tuple[str, ...], complaint: str | None) -> None:
    assert arguments(bodies) == (argv, complaint)


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (b"pid=1 uid=0 msg='op=PAM:x acct=\"root\" res=ok'", {"pid": "1", "uid": "0", "op": "PAM:x", "acct": "root", "res": "ok"}),
        (b"pid=1 msg='op=adding user acct=72 6F res=success'", {"pid": "1", "op": "adding user", "acct": "r 6F", "res": "success"}),
        (b"uid=0 msg='uid=1000 old-auid=5'", {"uid": "0", "old_auid": "5"}),
        (
            b'avc:  denied  { read open } for  pid=7 comm="cat" name="x y" tclass=file',
            {"seresult": "denied", "seperms": "read open", "pid": "7", "comm": "cat", "name": "x y", "tclass": "file"},
        ),
        (b"apparmor=\"DENIED\" name=2F6120 requested_mask=\"r\"", {"apparmor": "DENIED", "name": "/a ", "requested_mask": "r"}),
        (b"cmd=ABC key=(null)\x1dUID=\"root\"", {"cmd": "ABC", "key": "(null)"}),
    ],
)  # fmt: skip
def test_a_message_is_its_keys_in_clear_the_first_counting(body: bytes, keys: Mapping[str, str]) -> None:
    assert pairs(body) == keys


# --- laws ---------------------------------------------------------------------------------------------------------------------

_KEYS = [b"arch=c000003e", b"syscall=257", b"success=yes", b"exit=3", b"a0=ffffff9c", b"a1=7f", b"a2=80000", b"a3=0", b"items=1"]


@given(st.permutations(_KEYS))
def test_the_order_of_a_records_fields_does_not_matter(keys: list[bytes]) -> None:
    in_order = syscall.parse_syscall(b" ".join(_KEYS) + b" " + TASK)
    assert in_order is not None
    assert syscall.parse_syscall(b" ".join(keys) + b" " + TASK) == in_order


@pytest.mark.parametrize(
    "body", [b"", b"arch=c000003e", b"arch=zz syscall=1 pid=2", b"arch=c000003e syscall=1", b"syscall=1 pid=2"]
)
def test_a_record_that_does_not_say_which_call_is_none(body: bytes) -> None:
    assert syscall.parse_syscall(body) is None


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_arguments_parsed_late_are_a_mapping_like_any_other(one: int, other: int) -> None:
    found = syscall.parse_syscall(b"arch=c000003e syscall=260 a0=%x a1=%x a2=3 a3=4 items=0 %b" % (one, other, TASK))
    assert found is not None
    late = Arguments(calls.call("fchownat").numbers, found, {"more": "x"})
    early = dict(late.items())
    assert late == early
    assert len(late) == len(early)
    assert list(late) == list(late.keys()) == list(early)
    assert {name: late[name] for name in late} == early
    assert late.get("none") is None
    assert "none" not in late
    assert -(2**63) <= early["dirfd"] < 2**63  # type: ignore[operator]


@given(st.text("ab./", max_size=12), st.sampled_from(["/", "/srv", "/srv/app"]))
def test_a_path_is_absolute_and_has_no_detours(name: str, directory: str) -> None:
    path = paths.absolute(name, directory)
    assert path.startswith("/")
    assert not {".", ".."} & set(path.split("/"))
    assert "//" not in path
    assert paths.absolute(path) == path


def test_a_memo_keeps_what_is_used_and_is_bounded() -> None:
    memo: Memo[int] = Memo(2)
    for number in range(100):
        memo.keep(b"%d" % number, number)
        memo.keep(b"used", -1) if memo.find(b"used") is None else None
    assert memo.find(b"used") == -1
    assert memo.find(b"0") is None
    assert len(memo.new) <= 2


def test_descriptors_are_inherited_and_bounded() -> None:
    losses = Places()
    table = Descriptors(losses, processes=2, each=2)
    child = Process(pid=2, parent=Task(Process(pid=1)))
    table.put(1, 3, Fd(name="/of the parent"))
    assert table.get(child, 3).name == "/of the parent"
    table.put(2, 3, Fd(name="/its own"))
    assert table.get(child, 3).name == "/its own"
    table.drop(2)
    assert table.get(child, 3).name == "/of the parent"
    for number in (4, 5, 6):
        table.put(1, number, Fd(name=f"/{number}"))
    assert [table.get(Process(pid=1), number) is NO_FD for number in (3, 4, 5, 6)] == [True, True, False, False]
    assert len(losses.all) == 2


LOG = "".join(lines(2_000)).encode()
TYPES = sorted({event.type for event in replayed(LOG)})


def told(demand: Demand | None) -> list[Record]:
    """Each event in catalogue fields, without its number."""
    return [{name: value for name, value in to_fields(event).items() if name != "evt.num"} for event in replayed(LOG, demand)]


WHOLE = told(None)


@settings(max_examples=20)
@given(st.frozensets(st.sampled_from(TYPES)))
def test_what_else_rules_ask_changes_no_event(types: frozenset[str]) -> None:
    demand = Demand(event_types=types, fields=frozenset({"evt.arg"}))
    assert told(demand) == [event for event in WHOLE if event["evt.type"] in types]


def test_a_result_that_no_rule_wants_makes_no_event_and_changes_none() -> None:
    failed = Atom("evt.rawres", ((-133, -1),))
    demand = Demand(event_types=frozenset({"openat", "execve"}), fields=frozenset({"evt.arg"}), filters={"openat": ((failed,),)})
    wanted = [
        event for event in WHOLE if event["evt.type"] == "execve" or (event["evt.type"] == "openat" and event["evt.rawres"] < 0)
    ]
    assert 0 < len(wanted) < len(WHOLE)
    assert told(demand) == wanted


def event(serial: int, call: int, result: int, pid: int, ppid: int, program: str) -> str:
    stamp = f"msg=audit(1.000:{serial}):"
    return (
        f"type=SYSCALL {stamp} arch=c000003e syscall={call} success=yes exit={result} a0=0 a1=0 a2=0 a3=0 items=0 "
        f"ppid={ppid} pid={pid} auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 "
        f'comm="{program}" exe="/usr/bin/{program}" key=(null)\ntype=PROCTITLE {stamp} proctitle="{program}"\n'
    )


@pytest.mark.parametrize("returned", [11, 3], ids=["vfork returns late", "in a container it returns another number"])
def test_a_program_that_was_started_has_its_parent(returned: int) -> None:
    log = (
        event(1, 80, 0, 10, 1, "make")
        + event(2, 59, 0, 11, 10, "cc")
        + event(3, 58, returned, 10, 1, "make")
        + event(4, 80, 0, 11, 10, "cc")
    )
    found = replayed(log.encode())
    assert [(one.proc.pid, one.proc.parent.now.name) for one in found if one.proc.pid == 11] == [(11, "make"), (11, "make")]


def test_a_child_that_was_forked_unseen_is_its_parents_copy() -> None:
    log = event(1, 59, 0, 10, 1, "make") + event(2, 80, 0, 12, 10, "make")
    parent, child = replayed(log.encode())
    assert (child.proc.pid, child.proc.parent.now.pid, child.proc.exec_ns) == (12, 10, parent.proc.exec_ns)


def test_a_thread_is_no_child() -> None:
    log = event(1, 56, 12, 10, 1, "java").replace("a0=0", "a0=3d0f00") + event(2, 59, 0, 12, 1, "other")
    assert replayed(log.encode())[1].proc.parent.now.name is None


def test_an_event_says_where_it_stood() -> None:
    (found,) = Reader(Places(), "audit.log").feed(b"\n" + event(1, 80, 0, 10, 1, "make").encode())
    assert found.place == "audit.log:2"
