"""The thread under a blocking sink: results, errors, idle time, and that it holds up neither the loop nor the end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

import pytest

from ruleng.alert import Alert
from ruleng.errors import SinkError
from ruleng.sinks.blocking import Thread, ThreadSink
from tests.sinks.samples import alerts


class Inner:
    """A Blocking sink that says what was called, and by which thread."""

    name = "inner"

    def __init__(self, idle_s: float | None = None) -> None:
        self.idle_s = idle_s
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.idled = threading.Event()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        self.threads.add(threading.get_ident())

    def open(self) -> None:
        self._called("open")

    def write(self, alerts: Sequence[Alert]) -> None:
        self._called(f"write {len(alerts)}")

    def idle(self) -> None:
        self.idled.set()
        raise SinkError("inner", "the disk is gone")

    def close(self) -> None:
        self._called("close")

    def reopen(self) -> None:
        self.calls.append("reopen")

    def counters(self) -> Mapping[str, int]:
        return {"alerts": 1}


def test_a_blocking_sink_runs_on_one_thread_of_its_own() -> None:
    async def test() -> None:
        inner = Inner()
        sink = ThreadSink(inner)
        await sink.open()
        await sink.write(alerts(2))
        sink.reopen()
        await sink.close()
        assert inner.calls == ["open", "write 2", "reopen", "close"]
        assert len(inner.threads) == 1
        assert threading.get_ident() not in inner.threads
        assert sink.counters() == {"alerts": 1}

    asyncio.run(test())


def test_an_error_of_idle_time_is_raised_by_the_next_call_instead_of_its_work() -> None:
    async def test() -> None:
        inner = Inner(idle_s=0.001)
        sink = ThreadSink(inner)
        await sink.open()
        await asyncio.to_thread(inner.idled.wait, 20)
        with pytest.raises(SinkError, match="the disk is gone"):
            await sink.write(alerts(1))
        assert "write 1" not in inner.calls

    asyncio.run(test())


def test_exceptions_come_back_to_who_asked() -> None:
    async def test() -> None:
        thread = Thread("test")
        with pytest.raises(ZeroDivisionError):
            await thread.run(lambda: 1 // 0)
        assert await thread.run(lambda: 7) == 7
        thread.stop()

    asyncio.run(test())


def test_what_was_cancelled_before_it_began_is_not_done() -> None:
    async def test() -> None:
        thread, gate = Thread("test"), threading.Event()
        done: list[str] = []
        first = asyncio.ensure_future(thread.run(gate.wait))
        second = asyncio.ensure_future(thread.run(lambda: done.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        gate.set()
        await first
        await thread.run(lambda: done.append("third"))
        thread.stop()
        assert done == ["third"]

    asyncio.run(test())


def test_a_write_that_hangs_holds_up_neither_the_loop_nor_the_end_of_the_process() -> None:
    """Standard output is a pipe that nobody reads."""
    program = """
import asyncio, sys
from ruleng.pipeline.channel import Limits, SinkHub
from ruleng.sinks.spec import open_sink, parse_spec
from tests.sinks.fakes import Bench
from tests.sinks.samples import alerts
async def main():
    bench = Bench()
    hub = SinkHub([open_sink(parse_spec("json"), bench.tools)], bench.ledger, report=lambda line: print(line, file=sys.stderr),
                  limits=Limits(alerts=100, deadline_s=0.05, drain_s=0.1))
    await hub.open()
    for start in range(0, 5000, 100):
        await hub.send(alerts(100, start))
    await hub.close()
    print(sum(bench.ledger.losses.values()), file=sys.stderr)
asyncio.run(main())
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.wait(timeout=30) == 0
    assert child.stderr is not None
    assert child.stdout is not None
    said = child.stderr.read().splitlines()
    child.stdout.close()
    child.stderr.close()
    assert said[0] == "json: does not close; left as it is"
    assert 4000 < int(said[-1]) <= 5000
