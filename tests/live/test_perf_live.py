"""The tracepoints of this kernel: what the tests' own children do is seen, and nothing remains."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ruleng.abi import syscalls
from ruleng.errors import HostError
from ruleng.event import Event
from ruleng.normalise.perf.record import FIELDS, LEAVE, Record
from ruleng.ports import HIGHEST, Atom, Demand
from ruleng.sources.perf.abi import architecture
from ruleng.sources.perf.filters import Tracepoint
from ruleng.sources.perf.live import PerfLive
from ruleng.sources.perf.probe import probe
from ruleng.sources.perf.reader import Decoder, Reader
from ruleng.sources.perf.rings import Rings
from ruleng.sources.perf.tracefs import Tracefs
from ruleng.state import Limits, ProcReader, State
from tests.state.support import Losses

pytestmark = pytest.mark.live


class RealClock:
    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def demand(*event_types: str, fields: tuple[str, ...] = ("proc.name",)) -> Demand:
    return Demand(event_types=frozenset(event_types), fields=frozenset(fields))


def source(losses: Losses, **options: int) -> PerfLive:
    return PerfLive(State(ProcReader(), RealClock(), Limits(), losses), losses, **options)


def seen(wanted: Demand, work: Callable[[], None], losses: Losses | None = None) -> list[Event]:
    """All events of the time in which the work was done, in another thread."""

    async def watch() -> list[Event]:
        perf = source(losses or Losses())
        await perf.open(wanted)
        found: list[Event] = []

        async def collect() -> None:
            async for events in perf.batches():
                found.extend(events)

        collecting = asyncio.create_task(collect())
        try:
            await asyncio.to_thread(work)
        finally:
            await perf.close()
        await collecting
        return found

    return asyncio.run(watch())


def of(events: list[Event], pid: int) -> list[Event]:
    return [event for event in events if event.proc.pid == pid]


def test_a_program_is_seen_with_its_pid_its_parent_and_its_arguments() -> None:
    pids: list[int] = []

    def work() -> None:
        shell = subprocess.Popen(["sh", "-c", "sleep 0.2; :", "a b", "--flag"])
        shell.wait(10)
        pids.append(shell.pid)

    events = seen(demand("execve", "procexit"), work)
    shell, end = of(events, pids[0])
    assert (shell.type, end.type) == ("execve", "procexit")
    assert (shell.proc.name, shell.proc.args) == ("sh", ("-c", "sleep 0.2; :", "a b", "--flag"))
    assert (shell.proc.ppid, shell.origin, shell.tid) == (os.getpid(), "perf", pids[0])
    sleep = next(event for event in events if event.type == "execve" and event.proc.ppid == pids[0])
    assert (sleep.proc.cmdline, sleep.proc.parent.now.name) == ("sleep 0.2", "sh")
    assert 0 <= end.time_ns - shell.time_ns < 10_000_000_000
    assert abs(shell.time_ns - time.time_ns()) < 60_000_000_000


def test_a_signal_from_one_process_to_another_is_one_generation_and_one_delivery_with_both_ends() -> None:
    pids: list[int] = []

    def work() -> None:
        code = "import signal; signal.signal(10, lambda *_: None); print(flush=True); input()"
        target = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert target.stdout is not None
        target.stdout.readline()  # its handler is there
        sender = subprocess.Popen(["sh", "-c", f"kill -USR1 {target.pid}; :"])
        sender.wait(10)
        time.sleep(0.3)  # at its end Python gives its handlers back: until then what it does is looked up
        target.communicate(b"\n", 10)
        pids.extend((sender.pid, target.pid))

    fields = ("signal.handler", "signal.sender.pid", "signal.number")
    events = seen(demand("signal_generate", "signal_deliver", fields=fields), work)
    found = [
        event for event in events if event.signal and event.signal.number == signal.SIGUSR1 and event.signal.target.pid == pids[1]
    ]
    assert [event.type for event in found] == ["signal_generate", "signal_deliver"]
    for event in found:
        assert event.signal is not None
        assert (event.signal.sender.pid, event.signal.sender.name, event.signal.code) == (pids[0], "sh", 0)
        assert event.signal.handler == "caught"


def test_a_call_has_its_arguments_and_an_open_file_its_name(tmp_path: Path) -> None:
    pids: list[int] = []

    def work() -> None:
        opens = f"os.open({str(tmp_path)!r}, os.O_DIRECTORY); os.open('/dev/null', os.O_WRONLY)"
        child = subprocess.Popen(
            [sys.executable, "-c", f"import os; {opens}; print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.3)  # the descriptors stay open until they have been looked up
        child.communicate(b"\n", 10)
        pids.append(child.pid)

    events = of(seen(demand("openat", fields=("fd.name", "evt.arg")), work), pids[0])
    (folder,) = [event for event in events if event.fd.name == str(tmp_path)]
    assert (folder.fd.type, folder.args["dirfd"], folder.result) == ("directory", -100, folder.fd_num)
    (null,) = [event for event in events if event.fd.name == "/dev/null"]
    assert null.open_flags is not None
    assert null.open_flags & os.O_ACCMODE == os.O_WRONLY


def test_only_what_is_asked_for_leaves_the_kernel() -> None:
    wanted = Demand(
        event_types=frozenset({"openat"}),
        fields=frozenset({"evt.res"}),
        filters={"openat": ((Atom("evt.rawres", ((0, HIGHEST),)),),)},
    )
    pids: list[int] = []

    def work() -> None:
        code = "import os\nfor n in range(50):\n try: os.open('/nowhere', 0)\n except OSError: os.close(os.open('/dev/null', 0))"
        child = subprocess.Popen([sys.executable, "-S", "-c", code])
        child.wait(10)
        pids.append(child.pid)

    events = of(seen(wanted, work), pids[0])
    assert {event.type for event in events} == {"openat"}
    assert len(events) >= 50
    assert min(event.result for event in events if event.result is not None) >= 0


def loop_of_calls(count: int) -> tuple[subprocess.Popen[str], str]:
    """A process that calls getppid so many times when it is told to, and the filter that lets through only these."""
    code = f"import os\ninput()\nfor _ in range({count}): os.getppid()\nprint('done', flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    number = min(syscalls.numbers(architecture())["getppid"])
    return child, f"id == {number} && common_pid == {child.pid}"


@pytest.mark.parametrize("pages", [1, 1024])
def test_every_sample_is_either_read_or_counted_as_lost(pages: int) -> None:
    count = 20_000
    with Tracefs() as tracefs:
        layouts = {LEAVE: tracefs.format(LEAVE)}
    losses, records = Losses(), list[Record]()
    reader = Reader({layouts[LEAVE].id: Decoder(layouts[LEAVE], FIELDS[LEAVE])}, losses)
    child, only = loop_of_calls(count)
    cpus = sorted(os.sched_getaffinity(0))
    rings = Rings([Tracepoint(LEAVE, only, is_bulk=True)], layouts, cpus, pages=1, bulk_pages=pages)
    try:
        rings.switch(on=True)
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("\n")
        child.stdin.flush()
        child.stdout.readline()
        rings.switch(on=False)
        rings.read(reader, records)
        lost = sum(loss.count for loss in rings.losses())
        assert sum(loss.count for loss in rings.losses()) == 0
    finally:
        rings.close()
        child.communicate("\n", 10)
    assert len(records) + lost == count
    assert (lost > 0) == (pages == 1)
    assert losses.counts == {}


def test_losses_of_a_ring_that_is_too_small_are_in_the_ledger() -> None:
    losses = Losses()
    child, _ = loop_of_calls(30_000)

    async def watch() -> None:
        perf = source(losses, bulk_pages=1)
        await perf.open(demand("getppid"))
        child.communicate("\n\n", 20)  # nobody reads meanwhile
        await perf.close()

    asyncio.run(watch())
    assert losses.counts["perf.ring", "a ring was full: ruleng was slower than the kernel"] > 10_000


def test_other_rules_are_followed_while_running_and_a_second_instance_sees_the_same() -> None:
    async def watch() -> tuple[list[str], list[str]]:
        perf, second = source(Losses()), source(Losses())
        await perf.open(demand("execve"))
        await second.open(demand("execve"))
        found: list[list[str]] = [[], []]

        both_saw = asyncio.Event()

        async def collect(one: PerfLive, into: list[str]) -> None:
            async for events in one.batches():
                into.extend(event.type for event in events if event.proc.name == "env" and event.proc.ppid == os.getpid())
                if found[0] and found[1]:
                    both_saw.set()

        collecting = [asyncio.create_task(collect(perf, found[0])), asyncio.create_task(collect(second, found[1]))]
        await asyncio.to_thread(subprocess.run, ["env"], stdout=subprocess.DEVNULL, check=True)
        await asyncio.wait_for(both_saw.wait(), 10)
        perf.demand(demand("procexit"))
        await asyncio.to_thread(subprocess.run, ["env"], stdout=subprocess.DEVNULL, check=True)
        await perf.close()
        await second.close()
        await asyncio.gather(*collecting)
        return found[0], found[1]

    changed, same = asyncio.run(watch())
    assert changed in (["execve", "procexit"], ["execve", "procexit", "procexit"])  # the end of the first may come after the change
    assert same == ["execve", "execve"]


def test_after_the_end_no_descriptor_and_no_memory_of_it_is_left() -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), Path("/proc/self/maps").read_text().count("perf_event")

    before = held()
    seen(demand("execve", "openat", "signal_deliver"), lambda: None)
    assert held() == before

    async def fail() -> None:
        await source(Losses(), pages=3).open(demand("execve"))  # no power of two

    with pytest.raises(HostError, match="no ring of 3 pages"):
        asyncio.run(fail())
    assert held() == before


def test_the_probe_finds_everything_here_and_says_what_is_missing_without_tracepoints(tmp_path: Path) -> None:
    assert [(finding.what, finding.works) for finding in probe()] == [("tracefs", True), ("tracepoints", True), ("events", True)]
    (tmp_path / "events/sched/sched_process_exec").mkdir(parents=True)
    (tmp_path / "events/sched/sched_process_exec/format").write_text("name: sched_process_exec\nID: 3\nformat:\n")
    _, tracepoints = probe((str(tmp_path),))
    assert not tracepoints.works
    assert "the format of sched:sched_process_exec cannot be read: it is cut off" in tracepoints.text
    assert "no tracepoint signal:signal_deliver: No such file or directory: run with --source audit" in tracepoints.text


def test_a_machine_whose_calls_are_not_known_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(HostError, match="no system call numbers for riscv64") as caught:
        asyncio.run(source(Losses()).open(demand("execve")))
    assert caught.value.hint == "run with --source audit"
