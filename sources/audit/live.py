"""The audit of the running kernel as a source of events.

`open` starts to listen, turns audit on, undoes what a ruleng that crashed left behind, adds the rules that the Demand needs
(or with `manage=False` only listens, to whatever is recorded anyway), and reads all processes. `close` takes back its rules
and settings, and hands out what was recorded until then.

Reading is pulled: while the consumer is busy, records wait in the socket's buffer, and what finds it full is dropped by the
kernel and counted. Once a second the kernel's own count of lost records is looked at. After any loss the processes are
compared with /proc, a few at a time.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress

from ruleng.errors import HostError, RulengError
from ruleng.event import Event
from ruleng.normalise.audit import AuditEvent, AuditNormaliser
from ruleng.ports import Demand, Ledger
from ruleng.sources.audit.installed import Installation
from ruleng.sources.audit.kernel_rules import MACHINES
from ruleng.sources.audit.netlink import Control, Listener
from ruleng.sources.audit.reader import Reader
from ruleng.state import State

_BUFFER_BYTES = 33_554_432  # about 10,000 records: the kernel counts 2 KB and more for each
_BATCH = 512
_LAST = 65_536  # records that are still read at the end
_PERIOD_S = 1.0
_SWEEP_EVERY = 5  # periods


class AuditLive:
    """A `ports.Source`. After `open`, `left_out` says of which event types not everything is recorded, and why, and `notes`
    what else to know of this host."""

    name = "audit"

    def __init__(
        self,
        state: State,
        ledger: Ledger,
        *,
        multicast: bool = True,
        manage: bool = True,
        heavy: bool = False,
        backlog_limit: int = 8192,
        buffer_bytes: int = _BUFFER_BYTES,
        only_uid: int | None = None,
    ) -> None:
        """`backlog_limit`: the kernel's queue in records while ruleng runs, when it was shorter; 0 leaves it as it is.
        `only_uid`: ask only for what one user does, as for a trial."""
        self.left_out: Mapping[str, str] = {}
        self.notes: Sequence[str] = ()
        self._state = state
        self._ledger = ledger
        self._multicast = multicast
        self._manage = manage
        self._heavy = heavy
        self._backlog_limit = backlog_limit
        self._buffer_bytes = buffer_bytes
        self._only_uid = only_uid
        self._own_pid = os.getpid()
        self._reader = Reader(ledger, "audit")
        self._normaliser = AuditNormaliser(state, ledger)
        self._control: Control | None = None
        self._listener: Listener | None = None
        self._installation: Installation | None = None
        self._last: list[tuple[int, bytes]] = []
        self._came = asyncio.Event()
        self._is_closed = False
        self._is_idle = False  # nothing came for a second
        self._watching: asyncio.Task[None] | None = None
        self._lost = 0
        self._dropped = 0
        self._needs_repair = False

    async def open(self, demand: Demand) -> None:
        """Raises HostError; then nothing is left changed."""
        try:
            self._open(demand)
        except RulengError:
            await self.close()
            raise
        self._watching = asyncio.create_task(self._watch())

    def _open(self, demand: Demand) -> None:
        machine = platform.machine()
        if self._manage and machine not in MACHINES:
            raise HostError(f"audit: no system call numbers for {machine}", hint="run with --audit-rules leave")
        reader = self._state.reader
        if reader is None:
            raise HostError("audit: a live source needs /proc")
        self._control = control = Control()
        self._lost = control.status().lost
        self._listener = listener = Listener(multicast=self._multicast, buffer_bytes=self._buffer_bytes)
        self._installation = Installation(
            control, reader, self._ledger, machine=machine, heavy=self._heavy, only_uid=self._only_uid
        )
        if self._manage:
            self._installation.take_over(self._backlog_limit, may_wait=self._multicast)
        else:
            self._installation.look()
        if not self._multicast:
            listener.become_daemon(self._own_pid)
        self.demand(demand)
        self._state.seed()

    def demand(self, demand: Demand) -> None:
        """What rules need now, also while running. Raises HostError."""
        self._normaliser.demand(demand)
        self._state.demand(demand.fields)
        if self._installation is not None:
            self._installation.follow(demand)
            self.left_out, self.notes = self._installation.left_out, self._installation.notes

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Ends when the source is closed, after what was recorded until then."""
        reader = self._reader
        while (listener := self._listener) is not None:
            records, overrun = listener.drain(_BATCH)
            if overrun:
                self._count_dropped()
            if records:
                events = self._events(event for kind, payload in records for event in reader.feed_netlink(kind, payload))
            else:
                await self._wait(listener)
                events = self._events(reader.tick()) if self._is_idle else []
                self._is_idle = False
            if events:
                yield events
            else:
                await asyncio.sleep(0)
        last, self._last = self._last, []
        events = self._events(event for kind, payload in last for event in reader.feed_netlink(kind, payload))
        events += self._events(reader.flush())
        if events:
            yield events

    def progress(self) -> tuple[int, int] | None:
        """A kernel has no end."""
        return None

    async def close(self) -> None:
        """Everything is tried, whatever fails on the way; what fails is counted."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None
        installation, self._installation = self._installation, None
        if installation is not None:
            installation.undo()
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener.fileno())
            self._take_last(listener)
            listener.close()
        control, self._control = self._control, None
        if control is not None:
            control.close()
        self._is_closed = True
        self._came.set()

    def _take_last(self, listener: Listener) -> None:
        """What waits in the buffer, now that the rules are gone and nothing new comes."""
        try:
            if not self._multicast:
                self._last += listener.become_daemon(0)
            self._last += listener.drain(_LAST)[0]
            self._count(listener)
        except HostError as error:
            self._ledger.lost("audit.socket", f"the last records could not be read: {error}")

    def _events(self, found: Iterable[AuditEvent]) -> list[Event]:
        """Without what ruleng does itself: changing audit's rules is recorded whatever the rules say."""
        normalise, own = self._normaliser.events, self._own_pid
        return [event for audit in found for event in normalise(audit) if event.proc.pid != own]

    async def _wait(self, listener: Listener) -> None:
        """Until something came, if only the end or the next second.

        The reader is there only meanwhile: it would wake the loop again and again while the consumer is busy.
        """
        if self._is_closed:
            return
        loop, fd = asyncio.get_running_loop(), listener.fileno()
        self._came.clear()
        loop.add_reader(fd, self._came.set)
        try:
            await self._came.wait()
        finally:
            if not self._is_closed:  # then it is removed, and the number may be another file's
                loop.remove_reader(fd)

    async def _watch(self) -> None:
        """Losses, exits and repairs, once a second."""
        periods = 0
        while True:
            await asyncio.sleep(_PERIOD_S)
            periods += 1
            self._is_idle = not self._came.is_set()
            self._came.set()
            self._count_lost()
            self._count_dropped()
            if self._needs_repair:
                self._needs_repair = False
                for _ in self._state.repair():
                    await asyncio.sleep(0)
            elif periods % _SWEEP_EVERY == 0:
                self._state.processes.sweep()

    def _count_lost(self) -> None:
        """What the kernel says that it lost since the last look. Somebody may have set the count back meanwhile."""
        if self._control is None:
            return
        try:
            lost = self._control.status().lost
        except HostError as error:
            self._ledger.lost("audit.kernel", f"the kernel's count of lost records cannot be read: {error}")
            return
        count = lost - self._lost if lost >= self._lost else lost
        self._lost = lost
        if count:
            self._ledger.lost("audit.kernel", "the kernel's queue was full: records were lost", count)
            self._needs_repair = True

    def _count_dropped(self) -> None:
        if self._listener is not None:
            self._count(self._listener)

    def _count(self, listener: Listener) -> None:
        dropped = listener.dropped()
        count = (dropped - self._dropped) % 2**32
        self._dropped = dropped
        if count:
            self._ledger.lost("audit.socket", "ruleng was slower than the kernel: records were dropped", count)
            self._needs_repair = True
