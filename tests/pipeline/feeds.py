"""Sources and sinks for tests: they give and take what they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from ruleng.alert import Alert
from ruleng.event import Event
from ruleng.ports import Demand

Step = Sequence[Event] | float | Exception
"""A batch, seconds without one, or what goes wrong."""


class Feed:
    """Does `steps` in turn, then ends; closed before, it gives `last` and ends."""

    name = "feed"

    def __init__(self, steps: Iterable[Step], *, last: Sequence[Event] = (), opening: Exception | None = None) -> None:
        self.demands: list[Demand] = []
        self.closed = 0
        self.given = 0
        self._steps = steps
        self._last = last
        self._opening = opening
        self._end = asyncio.Event()

    async def open(self, demand: Demand) -> None:
        if self._opening is not None:
            raise self._opening
        self.demands.append(demand)

    def demand(self, demand: Demand) -> None:
        self.demands.append(demand)

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        for step in self._steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float):
                waiting = asyncio.ensure_future(self._end.wait())
                await asyncio.wait({waiting}, timeout=step)
                waiting.cancel()
            elif not self._end.is_set():
                self.given += 1
                yield step
            if self._end.is_set():
                if self._last:
                    yield self._last
                return

    def progress(self) -> tuple[int, int] | None:
        return self.given, 100

    async def close(self) -> None:
        self.closed += 1
        self._end.set()


class Taker:
    """A sink: takes `opening_s` to open, raises `steps` in turn, then takes all alerts, unless it is `stuck`."""

    def __init__(
        self, name: str = "taker", *, opening_s: float = 0.0, steps: Iterable[Exception] = (), stuck: bool = False
    ) -> None:
        self.name = name
        self.got: list[Alert] = []
        self.closed = False
        self._opening_s = opening_s
        self._steps = list(steps)
        self._stuck = stuck

    async def open(self) -> None:
        await asyncio.sleep(self._opening_s)

    async def write(self, alerts: Sequence[Alert]) -> None:
        if self._steps:
            raise self._steps.pop(0)
        if self._stuck:
            await asyncio.Event().wait()
        self.got += alerts

    async def close(self) -> None:
        self.closed = True

    def counters(self) -> Mapping[str, int]:
        return {}
