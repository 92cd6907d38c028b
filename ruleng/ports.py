"""Where sources, sinks and actions meet the engine: protocols and the values that pass through them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec

from ruleng.alert import Alert
from ruleng.event import Event


class Clock(Protocol):
    """Time, passed in so that a test can hold it still."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def monotonic_ns(self) -> int: ...


class Atom(msgspec.Struct, frozen=True, order=True):
    """That a number of the event lies in one of the ranges, or is not there at all. Booleans are 0 and 1."""

    field: str  # a name of the catalogue, one of `ruleng.engine.pushdown`'s
    ranges: tuple[tuple[int, int], ...]  # (first, last), ascending, with gaps between them
    or_missing: bool = False


LOWEST, HIGHEST = -(1 << 63), (1 << 64) - 1
"""What stands for no limit in a range: the numbers of a kernel lie between them."""

Filter = tuple[tuple[Atom, ...], ...]
"""Alternatives, in each of which all atoms must hold. None at all: no event will do."""

EVERYTHING: Filter = ((),)


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What the compiled rules need: pushed down into sources, and nothing else is looked up."""

    event_types: frozenset[str]
    fields: frozenset[str]  # names of the catalogue, without arguments
    filters: Mapping[str, Filter] = MappingProxyType({})
    """By event type, what every event of it that some rule matches satisfies. Of a type without one, any event may match. A
    source may leave out all others, if only what they tell of processes and descriptors is not missed elsewhere."""


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """Events or records that were lost or unreadable."""

    where: str  # audit.kernel, audit.parse, sink.file, queue.alerts, state.processes, ...
    reason: str  # one clear line, the same for the same cause
    count: int
    first_ns: int | None = None
    last_ns: int | None = None
    sample: str | None = None  # where it was first seen: FILE:LINE, a CPU, a sink's name
    event_types: frozenset[str] = frozenset()  # empty: any type may be missing


class Ledger(Protocol):
    """Counts every loss. Cheap enough to call per lost record."""

    def lost(self, where: str, reason: str, count: int = 1, *, sample: str | None = None) -> None: ...


class Source(Protocol):
    """Events from somewhere. Opened and closed once; `batches` ends when the source does."""

    name: str

    async def open(self, demand: Demand) -> None:
        """Raises HostError when the host lacks what it needs, InputError for an unreadable file."""
        ...

    def demand(self, demand: Demand) -> None:
        """Other rules are in force. Raises HostError when it cannot follow; then nothing has changed."""
        ...

    def batches(self) -> AsyncIterator[Sequence[Event]]: ...

    def progress(self) -> tuple[int, int] | None:
        """(bytes done, bytes in all) where the end is known."""
        ...

    async def close(self) -> None: ...


class Sink(Protocol):
    """Somewhere for alerts. Each runs behind a bounded queue of its own, so `write` may take its time."""

    name: str

    async def open(self) -> None: ...

    async def write(self, alerts: Sequence[Alert]) -> None:
        """Take all of them, or raise SinkError having taken none that it does not count."""
        ...

    async def close(self) -> None: ...

    def counters(self) -> Mapping[str, int]: ...
