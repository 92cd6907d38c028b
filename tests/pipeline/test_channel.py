"""Channels between rules and sinks, on a clock that jumps: nothing here waits, and every second is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.alert import Alert, Priority
from ruleng.errors import SinkClosedError, SinkError
from ruleng.pipeline.channel import Limits, SinkHub
from ruleng.sinks.backoff import Backoff
from tests.pipeline.fakeloop import now, run, settle
from tests.sinks.fakes import Ledger
from tests.sinks.samples import alert, alerts

Step = Exception | float | None
"""What a write does: raise, take so many seconds, or nothing special."""


@dataclass
class FakeSink:
    """Does `steps` in turn, then just takes what comes. `gate` holds up every write until it is set."""

    name: str = "fake"
    steps: list[Step] = field(default_factory=list)
    opening: list[Step] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[list[int]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    closing: Step = None
    closed: bool = False
    reopened: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def open(self) -> None:
        await self._do(self.opening.pop(0) if self.opening else None)

    async def write(self, alerts: Sequence[Alert]) -> None:
        await self.gate.wait()
        step = self.steps.pop(0) if self.steps else None
        self.times.append(now())
        if isinstance(step, SinkError) and step.taken:
            self.batches.append(numbers(alerts[: step.taken]))
        await self._do(step)
        self.batches.append(numbers(alerts))

    async def close(self) -> None:
        await self._do(self.closing)
        self.closed = True

    def reopen(self) -> None:
        self.reopened += 1

    def counters(self) -> Mapping[str, int]:
        return {"bytes": 7}

    @property
    def got(self) -> list[int]:
        return [number for batch in self.batches for number in batch]

    @staticmethod
    async def _do(step: Step) -> None:
        if isinstance(step, Exception):
            raise step
        if step is not None:
            await asyncio.sleep(step)


def numbers(batch: Sequence[Alert]) -> list[int]:
    return [int(one.uuid[-12:]) for one in batch]


@dataclass
class Scene:
    """A hub over fake sinks, what it counted and what it said."""

    hub: SinkHub
    ledger: Ledger
    said: list[str]

    @property
    def lost(self) -> dict[tuple[str, str], int]:
        return dict(self.ledger.losses)


def scene(*sinks: FakeSink, priorities: Mapping[str, Priority] | None = None, **limits: Any) -> Scene:
    ledger, said = Ledger(), list[str]()
    hub = SinkHub(
        sinks,
        ledger,
        report=said.append,
        limits=Limits(**{"linger_s": 0.02, **limits}),
        priorities=priorities,
        backoff=lambda: Backoff(first_s=1.0, limit_s=4.0, chance=lambda: 1.0),
    )
    return Scene(hub, ledger, said)


FULL = ("sink.fake", "its queue was full")
UNTAKEN = ("sink.fake", "it had not taken them when the run ended")


def test_alerts_arrive_in_order_in_batches() -> None:
    async def test() -> None:
        sink = FakeSink()
        s = scene(sink, batch=4)
        await s.hub.open()
        await s.hub.send(alerts(10))
        await s.hub.close()
        assert sink.batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
        assert sink.closed
        assert s.hub.counters() == {"fake": {"bytes": 7, "delivered": 10, "dropped": 0, "retries": 0, "waiting": 0}}
        assert not s.lost
        assert not s.said

    run(test())


def test_a_batch_waits_a_little_for_more_and_not_longer() -> None:
    async def test() -> None:
        sink = FakeSink()
        s = scene(sink, batch=3, linger_s=0.5)
        await s.hub.open()
        start = now()
        await s.hub.send(alerts(1))
        await asyncio.sleep(0.4)
        await s.hub.send(alerts(1, 1))
        await asyncio.sleep(10)
        await s.hub.send(alerts(3, 2))
        await settle()
        assert sink.batches == [[0, 1], [2, 3, 4]]
        assert sink.times == [start + 0.5, start + 10.4]  # after the linger; at once, being whole
        await s.hub.close()

    run(test())


def test_a_sink_that_fails_gets_the_same_batch_again_later_each_time_and_is_told_of_once() -> None:
    async def test() -> None:
        down = [SinkError("fake", "the disk is full", hint="free some space") for _ in range(4)]
        sink = FakeSink(steps=[*down])
        s = scene(sink)
        await s.hub.open()
        start = now()
        await s.hub.send(alerts(2))
        await asyncio.sleep(100)
        assert sink.batches == [[0, 1]]
        assert [time - start - 0.02 for time in sink.times] == pytest.approx([0, 1, 3, 7, 11])  # 1, 2, 4, 4: the limit
        assert s.said == ["fake: the disk is full (free some space)", "fake: works again after 11 s"]
        assert s.hub.counters()["fake"]["retries"] == 4
        await s.hub.close()
        assert not s.lost

    run(test())


def test_what_a_failing_sink_took_it_does_not_get_again() -> None:
    async def test() -> None:
        sink = FakeSink(steps=[SinkError("fake", "away", taken=2), SinkError("fake", "away", taken=1)])
        s = scene(sink)
        await s.hub.open()
        await s.hub.send(alerts(5))
        await s.hub.close()
        assert sink.batches == [[0, 1], [2], [3, 4]]
        assert s.hub.counters()["fake"]["delivered"] == 5

    run(test())


def test_a_sink_that_cannot_be_opened_is_tried_again_and_loses_nothing() -> None:
    async def test() -> None:
        sink = FakeSink(opening=[SinkError("fake", "no such directory"), SinkError("fake", "no such directory")])
        s = scene(sink)
        await s.hub.open()
        assert s.said == ["fake: no such directory"]
        await s.hub.send(alerts(3))
        await asyncio.sleep(10)
        assert sink.got == [0, 1, 2]
        assert s.said[1:] == ["fake: works again after 3 s"]
        await s.hub.close()

    run(test())


def test_one_sink_that_fails_does_not_hold_up_another() -> None:
    async def test() -> None:
        bad, good = FakeSink("bad", steps=[SinkError("bad", "away")] * 1000), FakeSink("good")
        s = scene(bad, good)
        await s.hub.open()
        start = now()
        for number in range(5):
            await s.hub.send(alerts(1, number))
        await asyncio.sleep(1)
        assert good.got == [0, 1, 2, 3, 4]
        assert good.times[0] - start < 0.1
        await s.hub.close()
        assert s.lost == {("sink.bad", "it had not taken them when the run ended"): 5}

    run(test())


def test_block_waits_once_for_a_stall_and_then_drops() -> None:
    async def test() -> None:
        sink = FakeSink()
        sink.gate.clear()
        s = scene(sink, alerts=2, batch=1, policy="block", deadline_s=2.0)
        await s.hub.open()
        await s.hub.send(alerts(1))
        await asyncio.sleep(1)  # the worker holds 0
        start = now()
        await s.hub.send(alerts(2, 1))
        assert now() == start
        await s.hub.send(alerts(3, 3))
        assert now() == start + 2
        await s.hub.send(alerts(5, 6))
        assert now() == start + 2  # it has waited in vain
        assert s.lost == {FULL: 8}
        sink.gate.set()
        await settle()
        sink.gate.clear()
        await s.hub.send(alerts(3, 11))
        await s.hub.send(alerts(1, 14))
        assert now() == start + 4  # room again: it waits again
        sink.gate.set()
        await s.hub.close()
        assert sink.got == [0, 1, 2, 11, 12, 13]
        assert s.lost == {FULL: 9}

    run(test())


def test_block_goes_on_as_soon_as_there_is_room() -> None:
    async def test() -> None:
        sink = FakeSink(steps=[1.0] * 20)
        s = scene(sink, alerts=2, batch=1, policy="block", deadline_s=2.0, linger_s=0.0)
        await s.hub.open()
        start = now()
        await s.hub.send(alerts(10))
        assert now() - start == pytest.approx(7)  # ten, less the one that is written and two in the queue
        await s.hub.close()
        assert sink.got == list(range(10))
        assert not s.lost

    run(test())


@pytest.mark.parametrize(("policy", "kept"), [("drop-oldest", [0, 8, 9]), ("drop-newest", [0, 1, 2])])
def test_dropping_never_waits(policy: str, kept: list[int]) -> None:
    async def test() -> None:
        sink = FakeSink()
        sink.gate.clear()
        s = scene(sink, alerts=2, batch=1, policy=policy)
        await s.hub.open()
        await s.hub.send(alerts(1))
        await asyncio.sleep(1)
        start = now()
        await s.hub.send(alerts(9, 1))
        assert now() == start
        sink.gate.set()
        await s.hub.close()
        assert sink.got == kept
        assert s.lost == {FULL: 7}

    run(test())


def test_a_queue_is_bounded_in_bytes_too() -> None:
    async def test() -> None:
        sink = FakeSink()
        sink.gate.clear()
        s = scene(sink, bytes=1_000_000, policy="drop-newest", batch=1)
        await s.hub.open()
        await s.hub.send([alert(number, output="x" * 100_000) for number in range(20)])
        sink.gate.set()
        await s.hub.close()
        assert len(sink.got) == 5
        assert s.lost == {FULL: 15}

    run(test())


def test_a_slow_sink_blocks_no_longer_than_its_deadline_even_beside_others() -> None:
    """Two that hang wait together, not one after the other, and the third has its alerts before they do."""

    async def test() -> None:
        slow = [FakeSink(f"slow{number}") for number in range(2)]
        for sink in slow:
            sink.gate.clear()
        quick = FakeSink("quick")
        s = scene(*slow, quick, alerts=5, deadline_s=2.0, drain_s=1.0)
        await s.hub.open()
        await s.hub.send(alerts(5))
        await asyncio.sleep(1)
        start = now()
        await s.hub.send(alerts(5, 5))
        await s.hub.send(alerts(5, 10))
        assert now() == start + 2
        assert quick.got == list(range(15))
        await s.hub.close()
        assert now() == start + 3

    run(test())


def test_closing_delivers_what_is_queued_and_tries_a_failing_sink_at_once() -> None:
    async def test() -> None:
        sink = FakeSink(steps=[SinkError("fake", "away"), SinkError("fake", "away"), SinkError("fake", "away")])
        s = scene(sink, batch=2)
        await s.hub.open()
        await s.hub.send(alerts(5))
        await asyncio.sleep(3.5)  # the third try is at 3.02 s, the fourth would be at 7.02
        start = now()
        await s.hub.close()
        assert now() == start
        assert sink.got == [0, 1, 2, 3, 4]
        assert not s.lost

    run(test())


def test_closing_has_a_deadline_and_counts_what_is_left() -> None:
    async def test() -> None:
        sink = FakeSink(steps=[SinkError("fake", "away")] * 1000)
        s = scene(sink, batch=2, drain_s=5.0)
        await s.hub.open()
        await s.hub.send(alerts(5))
        await asyncio.sleep(1)
        start = now()
        await s.hub.close()
        assert now() == pytest.approx(start + 5)
        assert s.lost == {UNTAKEN: 5}
        assert sink.closed

    run(test())


@pytest.mark.parametrize(("drain_max_s", "got"), [(60.0, 10), (4.5, 4)])
def test_closing_waits_while_a_slow_sink_goes_on_up_to_a_limit(drain_max_s: float, got: int) -> None:
    async def test() -> None:
        sink = FakeSink(steps=[1.0] * 10)
        s = scene(sink, batch=1, linger_s=0.0, drain_s=2.0, drain_max_s=drain_max_s)
        await s.hub.open()
        await s.hub.send(alerts(10))
        await s.hub.close()
        assert sink.got == list(range(got))
        assert s.lost == ({UNTAKEN: 10 - got} if got < 10 else {})

    run(test())


def test_closing_does_not_wait_for_a_sink_that_hangs() -> None:
    async def test() -> None:
        sink = FakeSink(steps=[1e9], closing=1e9)
        s = scene(sink, drain_s=3.0)
        await s.hub.open()
        await s.hub.send(alerts(2))
        await asyncio.sleep(1)
        start = now()
        await s.hub.close()
        assert now() == pytest.approx(start + 6)
        assert s.lost == {UNTAKEN: 2}
        assert s.said == ["fake: does not close; left as it is"]

    run(test())


def test_opening_does_not_wait_for_a_sink_that_hangs() -> None:
    async def test() -> None:
        sink = FakeSink(opening=[60.0])
        s = scene(sink, drain_s=3.0)
        start = now()
        await s.hub.open()
        assert now() == start + 3
        await s.hub.send(alerts(1))
        await asyncio.sleep(60)
        assert sink.got == [0]
        await s.hub.close()

    run(test())


@pytest.mark.parametrize("when", ["opening", "steps"])
def test_a_sink_that_is_over_gets_nothing_more_and_the_hub_says_so(when: str) -> None:
    async def test() -> None:
        gone = SinkClosedError("fake", "the reader is gone")
        sink = FakeSink(**{when: [gone]})  # type: ignore[arg-type]
        s = scene(sink)
        await s.hub.open()
        await s.hub.send(alerts(2))
        await asyncio.sleep(1)
        assert s.hub.over.is_set()
        start = now()
        await s.hub.send(alerts(3, 2))
        assert now() == start
        assert s.said == ["fake: the reader is gone"]
        assert s.lost == {("sink.fake", "it is over"): 5}
        await s.hub.close()
        assert sink.closed

    run(test())


def test_the_hub_is_not_over_while_one_sink_is_left() -> None:
    async def test() -> None:
        gone, left = FakeSink("gone", opening=[SinkClosedError("gone", "away")]), FakeSink("left")
        s = scene(gone, left)
        await s.hub.open()
        await s.hub.send(alerts(1))
        await asyncio.sleep(1)
        assert not s.hub.over.is_set()
        await s.hub.close()
        assert left.got == [0]

    run(test())


def test_a_hub_without_sinks_is_not_over() -> None:
    async def test() -> None:
        s = scene()
        await s.hub.open()
        await s.hub.send(alerts(1))
        await settle()
        assert not s.hub.over.is_set()
        await s.hub.close()

    run(test())


def test_a_sender_that_waits_for_a_sink_that_ends_goes_on() -> None:
    async def test() -> None:
        sink = FakeSink(steps=[1.0, SinkClosedError("fake", "away")])
        s = scene(sink, alerts=1, batch=1, deadline_s=60.0, linger_s=0.0)
        await s.hub.open()
        start = now()
        await s.hub.send(alerts(9))
        assert now() == start + 1
        await s.hub.close()
        assert sink.got == [0]
        assert s.lost == {("sink.fake", "it is over"): 8}

    run(test())


def test_a_bug_in_a_sink_ends_that_sink_only_and_is_raised_at_the_end() -> None:
    async def test() -> None:
        bad, good = FakeSink("bad", steps=[KeyError("oops")]), FakeSink("good")
        s = scene(bad, good)
        await s.hub.open()
        await s.hub.send(alerts(2))
        await asyncio.sleep(1)
        assert s.said == ["bad: stopped by a bug in it: KeyError('oops')"]
        await s.hub.send(alerts(2, 2))
        with pytest.raises(KeyError, match="oops"):
            await s.hub.close()
        assert good.got == [0, 1, 2, 3]
        assert good.closed
        assert bad.closed
        assert sum(s.lost.values()) == 4

    run(test())


ROUTES: list[tuple[Callable[[int], Alert], dict[str, list[int]], list[str]]] = [
    (alert, {"soc": [0], "file": [0]}, []),
    (lambda n: alert(n, sinks=("soc",)), {"soc": [0], "file": []}, []),
    (lambda n: alert(n, sinks=("soc", "file")), {"soc": [0], "file": [0]}, []),
    (
        lambda n: alert(n, sinks=("soc", "sco")),
        {"soc": [0], "file": []},
        ["the rule `open_from_cat` names the sink `sco`, which is not there"],
    ),
    (
        lambda n: alert(n, sinks=("sco",)),
        {"soc": [0], "file": [0]},
        ["the rule `open_from_cat` names the sink `sco`, which is not there"],
    ),
    (lambda n: alert(n, priority=Priority.NOTICE), {"soc": [], "file": [0]}, []),
    (lambda n: alert(n, priority=Priority.NOTICE, sinks=("soc",)), {"soc": [], "file": []}, []),
]


@pytest.mark.parametrize(("make", "expected", "said"), ROUTES)
def test_alerts_go_to_all_sinks_or_to_those_they_name(
    make: Callable[[int], Alert], expected: dict[str, list[int]], said: list[str]
) -> None:
    async def test() -> None:
        sinks = [FakeSink("soc"), FakeSink("file")]
        s = scene(*sinks, priorities={"soc": Priority.WARNING})
        await s.hub.open()
        await s.hub.send([make(0)])
        await s.hub.close()
        assert {sink.name: sink.got for sink in sinks} == expected
        assert s.said == said
        assert not s.lost

    run(test())


def test_reopening_reaches_every_sink() -> None:
    async def test() -> None:
        sinks = [FakeSink("a"), FakeSink("b")]
        s = scene(*sinks)
        await s.hub.open()
        s.hub.reopen()
        await s.hub.close()
        assert [sink.reopened for sink in sinks] == [1, 1]

    run(test())


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 8), max_size=12),
    steps=st.lists(st.none() | st.floats(0, 3) | st.integers(0, 3), max_size=12),
    policy=st.sampled_from(["block", "drop-oldest", "drop-newest"]),
    capacity=st.integers(1, 6),
    batch=st.integers(1, 4),
)
def test_every_alert_is_delivered_once_in_order_or_counted(
    sizes: list[int], steps: list[float | int | None], policy: str, capacity: int, batch: int
) -> None:
    """Whatever the sink does (None: fine; a float: takes so long; an int: fails, having taken so many)."""

    async def test() -> None:
        acts: list[Step] = [SinkError("fake", "away", taken=min(step, 1)) if isinstance(step, int) else step for step in steps]
        sink = FakeSink(steps=acts)
        s = scene(sink, alerts=capacity, batch=batch, policy=policy)
        await s.hub.open()
        sent = 0
        for size in sizes:
            await s.hub.send(alerts(size, sent))
            sent += size
        await asyncio.sleep(1000)
        await s.hub.close()
        assert sink.got == sorted(set(sink.got))
        assert len(sink.got) + sum(s.lost.values()) == sent
        assert s.hub.counters()["fake"]["delivered"] == len(sink.got)

    run(test())
