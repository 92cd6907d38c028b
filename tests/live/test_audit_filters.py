"""What rules do not need, this kernel does not report: filters of a Demand, tried on the audit of the host.

Other rulengs may run here, whose rules report more. A record has the key of the first rule that fitted: what must be reported
may be so by anybody's rule, and what must not may not be by this test's.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path

import pytest

from ruleng.abi.syscalls import X86_64, name
from ruleng.errors import HostError
from ruleng.event import Event
from ruleng.ports import HIGHEST, Atom, Demand, Filter
from ruleng.sources.audit import checks
from ruleng.sources.audit.kernel_rules import MACHINES, Owner, owner_of, pack
from ruleng.sources.audit.live import AuditLive
from ruleng.sources.audit.netlink import Control, Listener
from tests.engine.filtered import compiled
from tests.live.test_audit_live import UID, forked, kernel, ours, source

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the test names calls of x86_64"),
]

ENOENT, EACCES, ENOTTY = -2, -13, -25
TIOCSTI, TIOCGWINSZ = 0x5412, 0x5413  # asm-generic/ioctls.h
SHADOW, MISSING = "/etc/shadow", "/etc/there-is-no-such-file"


@pytest.fixture(autouse=True)
def _nothing_remains() -> Iterator[None]:
    yield
    assert ours(kernel()[1]) == []


def wanted(*conditions: str) -> Demand:
    """The Demand of rules with these conditions."""
    return compiled(*conditions).demand


def as_user(work: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
        work()

    return both


def tried(path: str, flags: int = os.O_RDONLY, **more: int) -> None:
    """An open that may fail."""
    with suppress(OSError):
        os.close(os.open(path, flags, **more))


@pytest.fixture
def shared_path() -> Iterator[Path]:
    """A directory that the test's user can write to: pytest's own are for root."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o777)
        yield Path(path)


class Watched:
    """A live source with its Demand, and what the kernel reports because of it."""

    def __init__(self, live: AuditLive, listener: Listener) -> None:
        self._live = live
        self._listener = listener

    def demand(self, demand: Demand) -> None:
        self._live.demand(demand)

    def reports(self, work: Callable[[], None], calls: frozenset[str], expected: set[int]) -> None:
        """Assert that of these calls, made by a child that is the test's user, those with the expected results are reported,
        0 standing for all that succeeded, and no others because of the source."""
        found = [(min(result, 0), is_ours) for name, result, is_ours in self._reported(work) if name in calls]
        assert {result for result, _ in found} >= expected
        assert {result for result, is_ours in found if is_ours} <= expected

    def _reported(self, work: Callable[[], None]) -> list[tuple[str, int, bool]]:
        """(call, result, whether a rule of this process fitted)."""
        self._listener.drain(100_000)
        done = Path("/tmp") / f"ruleng-done-{os.getpid()}-{time.monotonic_ns()}"  # never made

        def and_say_so() -> None:
            work()
            with suppress(OSError):
                os.execv("/bin/true", ["true", str(done)])  # noqa: S606  # the test is about it

        forked(as_user(and_say_so))
        found: list[tuple[str, int, bool]] = []
        own_key = f"{os.getpid()}.".encode().hex().upper().encode()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for _, payload in self._listener.drain(512)[0]:
                if str(done).encode() in payload:
                    return found
                call = _SYSCALL.search(payload)
                if call is not None and b" uid=%d " % UID in payload:
                    found.append((name(X86_64, int(call[1])) or "", int(call[2]), own_key in payload.rpartition(b" key=")[2]))
            time.sleep(0.01)
        raise AssertionError("the end was not reported within ten seconds")


_SYSCALL = re.compile(rb"arch=c000003e syscall=([0-9]+) success=[a-z]+ exit=(-?[0-9]+) ")


@pytest.fixture
def watch() -> Iterator[Callable[[Demand], Watched]]:
    """Opens a source for a Demand; its rules are about the test's user alone, and gone at the end."""
    opened: list[tuple[AuditLive, Listener]] = []
    with asyncio.Runner() as runner:

        def start(demand: Demand) -> Watched:
            live, listener = source(), Listener(multicast=True, buffer_bytes=1 << 22)
            opened.append((live, listener))
            runner.run(live.open(demand))
            return Watched(live, listener)

        yield start
        for live, listener in opened:
            runner.run(live.close())
            listener.close()


Watch = Callable[[Demand], Watched]


OPEN = frozenset({"open", "openat"})


def some_opens() -> None:
    tried("/etc/hostname")
    tried(MISSING)
    tried(SHADOW)


OPENED = "evt.type in (open, openat) and evt.rawres >= 0"


def test_files_that_are_not_there_are_not_reported(watch: Watch) -> None:
    watch(wanted(OPENED)).reports(some_opens, OPEN, {0})


def test_the_errors_that_a_rule_wants_are_reported(watch: Watch) -> None:
    refused = wanted(OPENED, "evt.type in (open, openat) and evt.res in (EACCES, EPERM)")
    watch(refused).reports(some_opens, OPEN, {0, EACCES})


def test_all_failures_are_reported_to_a_rule_that_wants_them(watch: Watch) -> None:
    failed = wanted("evt.type in (open, openat) and evt.failed = true")
    watched = watch(failed)
    watched.reports(some_opens, OPEN, {ENOENT, EACCES})
    others = wanted("evt.type in (open, openat) and evt.rawres < 0 and evt.res != ENOENT")
    watched.demand(others)
    watched.reports(some_opens, OPEN, {EACCES})


def test_a_reload_brings_other_filters(watch: Watch) -> None:
    watched = watch(wanted(OPENED))
    watched.reports(some_opens, OPEN, {0})
    watched.demand(wanted("evt.type in (open, openat) and evt.res = EACCES"))
    watched.reports(some_opens, OPEN, {EACCES})
    watched.demand(wanted("evt.type in (open, openat) and proc.name exists"))
    watched.reports(some_opens, OPEN, {0, ENOENT, EACCES})
    watched.demand(wanted("evt.type = chmod"))
    watched.reports(some_opens, OPEN, set())


WRITTEN = "evt.type in (open, openat, creat) and evt.is_open_write = true"


def test_files_that_are_only_read_are_not_reported_to_rules_about_writing(watch: Watch, shared_path: Path) -> None:
    target = str(shared_path / "written")

    def writes() -> None:
        tried(target, os.O_WRONLY | os.O_CREAT)
        tried(target, os.O_RDWR)
        tried(MISSING, os.O_WRONLY)

    watched = watch(wanted(WRITTEN))
    watched.reports(some_opens, OPEN, set())
    watched.reports(writes, OPEN, {0, ENOENT})
    watched.demand(wanted(f"{WRITTEN} and evt.rawres >= 0"))
    watched.reports(some_opens, OPEN, set())
    watched.reports(writes, OPEN, {0})


def test_a_file_below_an_open_directory_has_its_path_although_reads_are_left_out(shared_path: Path) -> None:

    def work() -> None:
        directory = os.open(shared_path, os.O_RDONLY)
        tried("written", os.O_WRONLY | os.O_CREAT, dir_fd=directory)

    found = asyncio.run(_events(wanted(f"{WRITTEN} and fd.name endswith written"), as_user(work)))
    assert str(shared_path / "written") in [event.fd.name for event in found if event.type == "openat"]


async def _events(demand: Demand, work: Callable[[], None]) -> list[Event]:
    live = source()
    await live.open(demand)
    found: list[Event] = []

    async def collect() -> None:
        async for batch in live.batches():
            found.extend(batch)

    collecting = asyncio.create_task(collect())
    try:
        forked(work)
    finally:
        await live.close()
        await asyncio.wait_for(collecting, 10)
    return found


EXEC = frozenset({"execve"})


def test_a_program_that_is_not_there_is_no_news_to_the_state(watch: Watch) -> None:
    def work() -> None:
        with suppress(OSError):
            os.execv(MISSING, ["missing"])  # noqa: S606  # the test is about it

    watched = watch(wanted(OPENED))
    watched.reports(work, EXEC, {0})  # the end of the test's own child
    watched.demand(wanted("evt.type = execve and proc.name exists"))
    watched.reports(work, EXEC, {0, ENOENT})


@pytest.mark.parametrize(
    ("condition", "is_asked"),
    [
        (f"user.uid = {UID}", True),
        ("user.uid = 0", False),
        (f"user.uid != {UID}", False),
        ("user.uid > 999", True),
        (f"user.euid in (0, {UID})", True),
        ("user.loginuid != 77", True),
        ("user.loginuid = 77", False),
        (f"group.gid = {UID}", True),
        (f"group.gid < {UID}", False),
        (f"not group.gid = {UID}", False),
        ("proc.pid = 1", False),
        ("proc.pid > 1", True),
    ],
)
def test_processes_are_told_apart_by_their_numbers(watch: Watch, condition: str, is_asked: bool) -> None:
    watched = watch(wanted(f"evt.type in (open, openat) and {condition}"))
    watched.reports(some_opens, OPEN, {0, ENOENT, EACCES} if is_asked else set())


def test_a_device_is_asked_one_thing_among_many(watch: Watch) -> None:
    def asks(*commands: int) -> Callable[[], None]:
        def work() -> None:
            with Path("/etc/hostname").open("rb", buffering=0) as file:
                for command in commands:
                    with suppress(OSError):
                        ioctl(file, command, b"x")

        return work

    watched = watch(wanted(f"evt.type = ioctl and ioctl.cmd = {TIOCSTI}"))
    watched.reports(asks(TIOCGWINSZ), frozenset({"ioctl"}), set())
    watched.reports(asks(TIOCSTI), frozenset({"ioctl"}), {ENOTTY})


EVERY_CHECK: dict[str, Filter] = {
    "a result": ((Atom("evt.rawres", ((-13, -13),)),),),
    "results between": ((Atom("evt.rawres", ((-40, -30),)),),),
    "all but one failure": ((Atom("evt.rawres", ((-1000, -3), (-1, HIGHEST))),),),
    "unset login": ((Atom("user.loginuid", ((-1, -1),)),),),
    "any login": ((Atom("user.loginuid", ((0, HIGHEST),)),),),
    "logins from to": ((Atom("user.loginuid", ((1000, 60000),)),),),
    "users": ((Atom("user.uid", ((1, 999), (65534, 65534))),),),
    "effective users": ((Atom("user.euid", ((0, 0),)),),),
    "no such group": ((Atom("group.gid", ((0, 4), (6, HIGHEST))),),),
    "effective groups": ((Atom("group.egid", ((5, 5),)),),),
    "processes": ((Atom("proc.pid", ((2, 300),)),),),
    "write": ((Atom("evt.is_open_write", ((1, 1),)),),),
    "write only": ((Atom("evt.is_open_read", ((0, 0),)),),),
}


@pytest.mark.parametrize("wanted", EVERY_CHECK.values(), ids=EVERY_CHECK.keys())
def test_the_kernel_takes_every_check_and_gives_it_back(wanted: Filter) -> None:
    owner = Owner(os.getpid(), 0, 1, 64)
    with Control() as control:
        for arch in MACHINES["x86_64"]:
            for clause in (*checks.clauses("openat", wanted), checks.OPENED_DIRECTORY):
                rule = pack([(checks.ARCH, arch, checks.EQUAL), (checks.UID, UID, checks.EQUAL), *clause], [257], owner.key)
                try:
                    control.add_rule(rule)
                    assert owner in [owner_of(each) for each in control.rules()]
                finally:
                    with suppress(HostError):
                        control.delete_rule(rule)
