"""Tracepoints: cost of a sample from bytes to record and to event, and of a live run under load. As root for the latter.

A sample is a system call's beginning or end: an event of one is two of them.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable

from ruleng.abi.syscalls import X86_64
from ruleng.errors import HostError
from ruleng.metrics import LossLedger
from ruleng.normalise.perf import PerfNormaliser, Record
from ruleng.normalise.perf.record import FIELDS, WITH_ABI
from ruleng.pipeline.clock import SystemClock
from ruleng.ports import Demand
from ruleng.sources.perf.live import PerfLive
from ruleng.sources.perf.merge import Merger
from ruleng.sources.perf.reader import Decoder, Reader
from ruleng.state import Limits, ProcReader, State
from tests.sources.perf_support import entered, executed, layout, left

_ROUNDS = 50
_CALLS = 800  # a portion of a ring
_LOAD_S = 3.0
_LOAD = "import os, time\nend = time.monotonic() + {s}\nn = 0\nwhile time.monotonic() < end:\n for _ in range(200): os.getppid()\n n += 200\n time.sleep({pause})\nprint(n)"  # noqa: E501 (a program)


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def _decoding() -> None:
    layouts = {name: layout(name) for name in FIELDS}
    decoders = {found.id: Decoder(found, FIELDS[name], has_abi=name in WITH_ABI) for name, found in layouts.items()}
    ledger = LossLedger(SystemClock())
    reader = Reader(decoders, ledger)
    me = os.getpid()

    def fed(data: bytes) -> list[Record]:
        records: list[Record] = []
        reader.feed(data, 0, records)
        return records

    pairs = [
        entered(257, 1, 2, 3, pid=me, tid=me, time_ns=n) + left(257, 3, pid=me, tid=me, time_ns=n + 1)
        for n in range(0, 2 * _CALLS, 2)
    ]
    calls, programs = b"".join(pairs), b"".join([executed(b"/usr/bin/true", time_ns=n) for n in range(_CALLS)])
    print(f"sample of a system call -> record   {_best(lambda: fed(calls)) / _CALLS / 2 * 1e6:6.2f} us")
    print(f"sample of a program -> record       {_best(lambda: fed(programs)) / _CALLS * 1e6:6.2f} us")
    records = fed(calls)
    print(f"merge, of each record               {_best(lambda: Merger().merge(list(records), 10**9)) / _CALLS / 2 * 1e6:6.2f} us")
    for what, fields in (("", ()), (", with arguments", ("evt.arg",))):
        demand = Demand(event_types=frozenset({"openat"}), fields=frozenset(fields))
        normaliser = PerfNormaliser(State(ProcReader(), SystemClock(), Limits(), ledger, fields=()), ledger, X86_64, demand)
        cost = _best(lambda normaliser=normaliser: normaliser.events(records, 0)) / _CALLS * 1e6  # type: ignore[misc]
        print(f"{'event of two records' + what:36}{cost:6.2f} us")


async def _run(demand: Demand, load: list[str]) -> tuple[int, float, float, str, LossLedger]:
    """(events, seconds of CPU, seconds, what the load printed, losses)."""
    ledger = LossLedger(SystemClock())
    perf = PerfLive(State(ProcReader(), SystemClock(), Limits(), ledger, fields=demand.fields), ledger)
    await perf.open(demand)
    count = 0

    async def collect() -> None:
        nonlocal count
        async for events in perf.batches():
            count += len(events)

    cpu, start = time.process_time(), time.perf_counter()
    collecting = asyncio.create_task(collect())
    done = await asyncio.to_thread(subprocess.run, load, capture_output=True, text=True, check=True)
    await perf.close()
    await collecting
    return count, time.process_time() - cpu, time.perf_counter() - start, done.stdout.strip(), ledger


def _report(what: str, made: int, found: tuple[int, float, float, str, LossLedger]) -> None:
    count, cpu, seconds, _, ledger = found
    lost = sum(loss.count for loss in ledger.losses() if loss.where == "perf.ring")
    print(
        f"{what:36}{made / seconds:9.0f}/s made {count:8} events {lost:8} samples lost   "
        f"CPU {cpu / seconds * 100:5.1f} %  {cpu / max(count, 1) * 1e6:6.1f} us an event"
    )
    for loss in ledger.losses():
        if loss.where != "perf.ring":
            print(f"{'':36}{loss.count} x {loss.where}: {loss.reason}")


def _live() -> None:
    calls = Demand(event_types=frozenset({"getppid"}), fields=frozenset({"proc.name"}))
    unseen = Demand(event_types=frozenset({"execve"}), fields=frozenset({"proc.name"}))
    programs = Demand(event_types=frozenset({"execve"}), fields=frozenset({"proc.name", "proc.cmdline"}))
    for what, pause, demand in (
        ("getppid, slow", 0.018, calls),
        ("getppid, fast", 0.003, calls),
        ("getppid, flat out", 0, calls),
        ("getppid that no rule wants, flat out", 0, unseen),
    ):
        found = asyncio.run(_run(demand, [sys.executable, "-c", _LOAD.format(s=_LOAD_S, pause=pause)]))
        _report(what, int(found[3]), found)
    shell = "i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done"
    _report("1000 x /bin/true of a shell", 1000, asyncio.run(_run(programs, ["sh", "-c", shell])))


def main() -> None:
    _decoding()
    try:
        _live()
    except HostError as error:
        print(f"no live run: {error}")


if __name__ == "__main__":
    main()
