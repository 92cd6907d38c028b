"""The audit of this kernel: events come, and nothing remains. Only what a user of the tests' own does is asked for."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ruleng.errors import HostError
from ruleng.event import Event
from ruleng.ports import Demand
from ruleng.sources.audit import netlink
from ruleng.sources.audit.kernel_rules import Owner, owner_of, pack, plan
from ruleng.sources.audit.live import AuditLive
from ruleng.sources.audit.netlink import Control, Listener, Status
from ruleng.sources.audit.probe import probe
from ruleng.state import Limits, ProcReader, State
from tests.state.support import Losses

pytestmark = pytest.mark.live

UID = 54_321
DEMAND = Demand(event_types=frozenset({"execve", "openat", "connect", "sendto"}), fields=frozenset({"proc.name", "proc.cwd"}))


class RealClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def source(losses: Losses | None = None, **options: bool | int) -> AuditLive:
    counted = losses or Losses()
    state = State(ProcReader(), RealClock(), Limits(), counted, fields=DEMAND.fields)
    return AuditLive(state, counted, only_uid=UID, **options)  # type: ignore[arg-type]  # each test names its own


def kernel() -> tuple[Status, list[Owner]]:
    """(settings without counters, owners of ruleng's rules)."""
    with Control() as control:
        now = control.status()
        owners = [owner for rule in control.rules() if (owner := owner_of(rule)) is not None]
    return Status(
        enabled=now.enabled, pid=now.pid, backlog_limit=now.backlog_limit, backlog_wait_time=now.backlog_wait_time
    ), owners


def ours(owners: list[Owner]) -> list[Owner]:
    return [owner for owner in owners if owner.pid in (os.getpid(), 0)]


@pytest.fixture(autouse=True)
def _nothing_remains() -> Iterator[None]:
    before, _ = kernel()
    yield
    after, owners = kernel()
    assert ours(owners) == []
    assert after == before


def as_user(script: str) -> list[str]:
    return ["setpriv", "--reuid", str(UID), "--clear-groups", "sh", "-c", script]


def forked(work: Callable[[], None]) -> None:
    """Do it in a child of this process."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


async def events_of(live: AuditLive, what: str | Callable[[], None], *, demand: Demand = DEMAND) -> list[Event]:
    """What a user's script, or a child of this process, makes, from opening the source until its last record."""
    await live.open(demand)
    found: list[Event] = []

    async def collect() -> None:
        async for batch in live.batches():
            found.extend(batch)

    collecting = asyncio.create_task(collect())
    try:
        if isinstance(what, str):
            child = await asyncio.create_subprocess_exec(*as_user(what))
            await child.wait()
        else:
            forked(what)
    finally:
        await live.close()
        await asyncio.wait_for(collecting, 10)
    return found


@pytest.mark.parametrize("multicast", [True, False], ids=["multicast", "unicast"])
def test_a_users_program_and_its_files_are_seen(multicast: bool) -> None:
    losses = Losses()
    found = asyncio.run(events_of(source(losses, multicast=multicast), "cd /tmp; cat /etc/hostname >/dev/null; true"))
    cat = next(event for event in found if event.type == "execve" and event.result == 0 and event.proc.name == "cat")
    assert (cat.proc.cmdline, cat.proc.uid, cat.proc.cwd) == ("cat /etc/hostname", UID, "/tmp")
    assert (cat.proc.parent.now.name, cat.proc.parent.now.uid) == ("sh", UID)
    opened = [event.fd.name for event in found if event.type == "openat" and event.proc.pid == cat.proc.pid]
    assert "/etc/hostname" in opened
    assert losses.counts == Counter()


def test_only_the_calls_that_the_rules_need_are_asked_for() -> None:
    only_exec = Demand(event_types=frozenset({"execve"}), fields=frozenset())
    found = asyncio.run(events_of(source(), "cat /etc/hostname >/dev/null", demand=only_exec))
    assert {event.type for event in found} == {"execve"}


def test_ruleng_does_not_see_itself() -> None:
    every = Demand(event_types=DEMAND.event_types | {"config_change"}, fields=DEMAND.fields)
    found = asyncio.run(events_of(source(), "true", demand=every))
    assert os.getpid() not in {event.proc.pid for event in found}


def test_datagrams_are_seen_by_their_address() -> None:
    def send() -> None:
        os.setresuid(UID, UID, UID)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(bytes(3), ("127.0.0.9", 9))

    live = source()
    found = asyncio.run(events_of(live, send))
    (sent,) = [event for event in found if event.type == "sendto" and event.proc.uid == UID]
    assert sent.fd.sport == 9
    assert "sendto" in live.left_out


def test_other_rules_make_other_kernel_rules_while_running() -> None:
    async def run() -> list[set[str]]:
        live = source()
        await live.open(Demand(event_types=frozenset({"execve"}), fields=frozenset()))
        calls = [asked()]
        live.demand(Demand(event_types=frozenset({"chmod"}), fields=frozenset()))
        calls.append(asked())
        await live.close()
        return calls

    def asked() -> set[str]:
        with Control() as control:
            rules = set(control.rules())
        owner = next(owner for rule in rules if (owner := owner_of(rule)) is not None and owner.pid == os.getpid())
        names = ("execve", "chmod")
        plans = {
            name: plan(Demand(event_types=frozenset({name}), fields=frozenset()), "x86_64", owner, only_uid=UID) for name in names
        }
        return {name for name, planned in plans.items() if {rule.data for rule in planned.rules} <= rules}

    if os.uname().machine != "x86_64":
        pytest.skip("the test knows the rules of x86_64")
    assert asyncio.run(run()) == [{"execve"}, {"chmod"}]


def test_only_listening_changes_nothing() -> None:
    async def run() -> tuple[Status, list[Owner]]:
        live = source(manage=False)
        await live.open(DEMAND)
        inside = kernel()
        await live.close()
        return inside

    before, _ = kernel()
    inside, owners = asyncio.run(run())
    assert (inside, ours(owners)) == (before, [])


CRASHING = """
import asyncio, os, signal
from tests.live.test_audit_live import DEMAND, source
async def run():
    await source().open(DEMAND)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(run())
"""


def test_what_a_killed_ruleng_left_is_undone_by_the_next_one() -> None:
    before, _ = kernel()
    killed = subprocess.Popen([sys.executable, "-c", CRASHING], cwd=Path(__file__).parents[2])
    assert killed.wait(timeout=60) == -signal.SIGKILL
    inside, owners = kernel()
    left = [owner for owner in owners if owner.pid == killed.pid]
    assert left
    assert (left[0].enabled, left[0].backlog_limit) == (before.enabled, before.backlog_limit)
    assert (inside.enabled, inside.backlog_limit >= 8192) == (1, True)
    asyncio.run(events_of(source(), "true"))
    after, owners = kernel()
    assert (after, [owner for owner in owners if owner.pid == killed.pid]) == (before, [])


def test_the_last_of_two_restores_what_the_first_one_found() -> None:
    async def run() -> list[Status]:
        first, second = source(), source()
        await first.open(DEMAND)
        await second.open(Demand(event_types=frozenset({"chmod"}), fields=frozenset()))
        await first.close()
        between = kernel()[0]
        await second.close()
        return [between, kernel()[0]]

    before, _ = kernel()
    between, after = asyncio.run(run())
    assert between.enabled == 1
    assert after == before


def test_rules_of_others_are_left_alone() -> None:
    other = pack([(11, 0xC000003E, 0x40000000), (1, UID, 0x40000000)], [59], "somebody else's")
    with Control() as control:
        control.add_rule(other)
        try:
            asyncio.run(events_of(source(), "true"))
            assert any(rule.endswith(b"somebody else's") for rule in control.rules())
        finally:
            control.delete_rule(other)


def test_a_buffer_that_runs_over_is_counted_and_the_processes_are_looked_at_again() -> None:
    async def run() -> tuple[Losses, dict[str, int]]:
        losses = Losses()
        counted = State(ProcReader(), RealClock(), Limits(), losses, fields=DEMAND.fields)
        live = AuditLive(counted, losses, only_uid=UID, buffer_bytes=8_192)
        await live.open(DEMAND)
        seeded = counted.counters()["seeded"]
        child = await asyncio.create_subprocess_exec(*as_user("for i in 1 2 3 4 5 6 7 8 9; do cat /etc/hostname; done >/dev/null"))
        await child.wait()  # nobody reads meanwhile
        for _ in range(400):
            if counted.counters()["seeded"] != seeded:
                break
            await asyncio.sleep(0.05)
        await live.close()
        return losses, {"repaired": counted.counters()["seeded"] - seeded}

    losses, counters = asyncio.run(run())
    assert losses.counts["audit.socket", "ruleng was slower than the kernel: records were dropped"] > 0
    assert counters["repaired"] > 0


def test_a_second_daemon_is_refused_with_what_to_do() -> None:
    async def run() -> HostError:
        first = source(multicast=False)
        await first.open(DEMAND)
        try:
            with pytest.raises(HostError, match="another audit daemon runs") as caught:
                await source(multicast=False).open(DEMAND)
        finally:
            await first.close()
        return caught.value

    if kernel()[0].pid:
        pytest.skip("an audit daemon runs here already")
    error = asyncio.run(run())
    assert error.hint == 'use mode "multicast", or stop auditd'


def test_without_privileges_the_error_says_what_is_missing() -> None:
    told, tell = os.pipe()

    def as_nobody() -> None:
        os.setresuid(UID, UID, UID)
        try:
            Listener(multicast=True, buffer_bytes=65_536)
        except HostError as error:
            os.write(tell, f"{error}|{error.hint}".encode())

    forked(as_nobody)
    os.close(tell)
    with os.fdopen(told) as answer:
        assert answer.read() == (
            "audit: joining its readers: Operation not permitted|run as root, or with CAP_AUDIT_CONTROL and CAP_AUDIT_READ"
        )


def test_probing_changes_nothing_and_tells_a_line_each() -> None:
    findings = probe()
    assert [finding.what for finding in findings] == [
        "system calls",
        "listening",
        "rules",
        "losses",
        "daemon",
        "queue",
        "processes",
    ]
    assert all(finding.text and "\n" not in finding.text for finding in findings)
    assert netlink.LOCKED == 2
