"""Tracepoints of the running kernel as a source of events.

`open` finds the layouts, opens every tracepoint that the Demand needs on every CPU that is online, and reads all processes.
`close` hands out what was recorded until then, and everything goes with its descriptors, also when ruleng is killed.

Programs that start and signals wake the reader at once; everything else waits for a ring that is a quarter full, or for the
timer. CPUs that come online later are not seen.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ruleng.errors import HostError, RulengError
from ruleng.event import Event
from ruleng.normalise.perf import PerfNormaliser, Record
from ruleng.normalise.perf.record import EXIT, FIELDS, OPTIONAL, WITH_ABI
from ruleng.ports import Demand, Ledger
from ruleng.sources.perf import abi
from ruleng.sources.perf.filters import Plan, plan
from ruleng.sources.perf.merge import Merger
from ruleng.sources.perf.reader import Decoder, Reader
from ruleng.sources.perf.rings import ONLINE, Rings, online_cpus
from ruleng.sources.perf.tracefs import Format, Tracefs
from ruleng.state import State

_PAGES = 128  # of the small ring of a CPU
_BULK_PAGES = 1024  # of the large one: 4 MiB, with which a loop of one system call lost nothing
_PORTION = 131_072  # bytes that are read of a ring at once: some 800 system calls, few enough for the memory to stay warm
_TIMER_S = 0.02
_BATCH = 512
_PERIOD_S = 1.0
_LOST = "a ring was full: ruleng was slower than the kernel"
_OVERRUN = "bytes of a ring whose ends do not fit together were given up"
_LATE = "samples came after younger ones of another CPU, and were taken all the same"


class PerfLive:
    """A `ports.Source`. After `open`, `left_out` says of which event types not everything is seen, and why, and `notes` what
    else to know."""

    name = "perf"

    def __init__(self, state: State, ledger: Ledger, *, pages: int = _PAGES, bulk_pages: int = _BULK_PAGES) -> None:
        """`pages` of memory, powers of two, of the two rings of each CPU."""
        self.left_out: Mapping[str, str] = {}
        self.notes: Sequence[str] = ()
        self._state = state
        self._ledger = ledger
        self._pages = pages
        self._bulk_pages = bulk_pages
        self._own_pid = os.getpid()
        self._formats: dict[str, Format] = {}
        self._cpus: tuple[int, ...] = ()
        self._plan: Plan | None = None
        self._rings: Rings | None = None
        self._reader: Reader | None = None
        self._normaliser: PerfNormaliser | None = None
        self._merger = Merger()
        self._records: list[Record] = []  # read, and not merged yet
        self._came = asyncio.Event()
        self._is_closed = False
        self._has_more = False  # in the rings, than was read at once
        self._watching: asyncio.Task[None] | None = None
        self._late = 0
        self._needs_repair = False

    async def open(self, demand: Demand) -> None:
        """Raises HostError; then nothing is left open."""
        try:
            self._open(demand)
        except RulengError:
            await self.close()
            raise
        self._watching = asyncio.create_task(self._watch())

    def _open(self, demand: Demand) -> None:
        arch = abi.architecture()
        if self._state.reader is None:
            raise HostError("perf: a live source needs /proc")
        self._cpus = _online()
        with Tracefs() as tracefs:
            self._formats = {name: tracefs.format(name) for name in FIELDS}
        decoders = {layout.id: Decoder(layout, FIELDS[name], has_abi=name in WITH_ABI) for name, layout in self._formats.items()}
        self._reader = Reader(decoders, self._ledger)
        self._normaliser = PerfNormaliser(self._state, self._ledger, arch, demand, leaders_only=not self._has_group_dead())
        self.demand(demand)
        self._state.seed()

    def _has_group_dead(self) -> bool:
        return all(name in self._formats[EXIT].fields for name in OPTIONAL[EXIT])

    def demand(self, demand: Demand) -> None:
        """What rules need now, also while running. Raises HostError; then nothing has changed.

        When other tracepoints or filters are needed, what happens in the instant between the old and the new is not seen.
        """
        if self._normaliser is None:
            return
        wanted = plan(demand, abi.architecture(), self._own_pid, has_group_dead=self._has_group_dead())
        if self._plan is None or wanted.tracepoints != self._plan.tracepoints:
            rings = Rings(wanted.tracepoints, self._formats, self._cpus, pages=self._pages, bulk_pages=self._bulk_pages)
            old, self._rings = self._rings, rings
            if old is not None:
                self._leave(old)
            loop = asyncio.get_running_loop()
            for fd in rings.fds:
                loop.add_reader(fd, self._came.set)
            rings.switch(on=True)
        self._plan = wanted
        self._normaliser.demand(demand)
        self._state.demand(demand.fields)
        self.left_out = wanted.left_out
        self.notes = self._noted()

    def _noted(self) -> tuple[str, ...]:
        found = [f"{len(self._cpus)} CPUs; one that comes online later is not seen"]
        if not _is_first_pid_namespace():
            found.append(
                "ruleng runs in a pid namespace: tracepoints number processes as the host does, and are mistaken for others"
            )
        return tuple(found)

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Ends when the source is closed, after what was recorded until then."""
        while not self._is_closed:
            self._came.clear()
            records = self._drain()
            if not records:
                if self._has_more or self._merger.holds:
                    await asyncio.sleep(0)
                else:
                    await self._wait()
                continue
            if self._normaliser is not None:
                self._normaliser.look_ahead(records)
            for start in range(0, len(records), _BATCH):
                if events := self._events(records[start : start + _BATCH]):
                    yield events
                else:
                    await asyncio.sleep(0)
        last = self._merger.merge(self._records, time.monotonic_ns()) + self._merger.rest()
        self._records = []
        if events := self._events(last):
            yield events

    def progress(self) -> tuple[int, int] | None:
        """A kernel has no end."""
        return None

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None
        rings, self._rings = self._rings, None
        if rings is not None:
            self._leave(rings)
        self._is_closed = True
        self._came.set()

    def _leave(self, rings: Rings) -> None:
        """Take what is left of rings, and close them."""
        loop = asyncio.get_running_loop()
        for fd in rings.fds:
            loop.remove_reader(fd)
        try:
            rings.switch(on=False)
        except HostError as error:
            self._ledger.lost("perf.ring", f"the end was not clean: {error}")
        if self._reader is not None:
            rings.read(self._reader, self._records)
        self._count(rings)
        rings.close()

    def _drain(self) -> list[Record]:
        if self._rings is None or self._reader is None:
            return []
        until_ns = began_ns = time.monotonic_ns()
        read_ns = self._rings.read(self._reader, self._records, _PORTION)
        self._has_more = read_ns is not None
        if read_ns is not None:
            until_ns = min(read_ns, began_ns)
        records, self._records = self._records, []
        return self._merger.merge(records, until_ns)

    def _events(self, records: list[Record]) -> list[Event]:
        """Without what ruleng does itself."""
        if self._normaliser is None:
            return []
        own = self._own_pid
        offset_ns = time.time_ns() - time.monotonic_ns()
        found = self._normaliser.events(records, offset_ns)
        if self._normaliser.looks_at_descriptors and self._rings is not None and self._reader is not None:
            self._rings.read(self._reader, self._records)
            found = self._normaliser.checked(found, self._records, offset_ns)
        return [event for event in found if event.proc.pid != own]

    async def _wait(self) -> None:
        if self._is_closed or self._came.is_set():
            return
        timer = asyncio.get_running_loop().call_later(_TIMER_S, self._came.set)
        try:
            await self._came.wait()
        finally:
            timer.cancel()

    async def _watch(self) -> None:
        """Losses and repairs, once a second."""
        while True:
            await asyncio.sleep(_PERIOD_S)
            if self._rings is not None:
                self._count(self._rings)
            if self._needs_repair:
                self._needs_repair = False
                for _ in self._state.repair():
                    await asyncio.sleep(0)

    def _count(self, rings: Rings) -> None:
        for lost in rings.losses():
            sample = f"CPU {lost.cpu}" + (f": {', '.join(lost.tracepoints)}" if lost.tracepoints else "")
            self._ledger.lost("perf.ring", _LOST, lost.count, sample=sample)
            self._needs_repair = True
            if self._normaliser is not None:
                self._normaliser.missed()
        if overrun := rings.overruns():
            self._ledger.lost("perf.ring", _OVERRUN, overrun)
            self._needs_repair = True
        late, self._late = self._merger.late - self._late, self._merger.late
        if late:
            self._ledger.lost("perf.order", _LATE, late)


def _online() -> tuple[int, ...]:
    try:
        return online_cpus(ONLINE.read_text("ascii"))
    except OSError as error:
        raise HostError(f"perf: {ONLINE}: {error.strerror}", errno=error.errno) from error


def _is_first_pid_namespace() -> bool:
    """PROC_PID_INIT_INO of linux/proc_ns.h. Where that cannot be read, nothing is said."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()) == f"pid:[{0xEFFFFFFC}]"
    except OSError:
        return True
