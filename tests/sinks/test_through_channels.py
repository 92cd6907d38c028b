"""Real sinks behind their channels while the world misbehaves: one clear report, nothing accepted is lost, all goes on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ruleng.pipeline.channel import Limits, SinkHub
from ruleng.sinks.backoff import Backoff
from ruleng.sinks.spec import name_apart, open_sink, parse_spec
from ruleng.sinks.store import Filter, Reader
from tests.sinks.fakes import Bench
from tests.sinks.samples import alerts
from tests.sinks.web import WebServer, answer


def hub_of(bench: Bench, *texts: str, limits: Limits | None = None) -> SinkHub:
    specs = name_apart(parse_spec(text) for text in texts)
    return SinkHub(
        [open_sink(spec, bench.tools) for spec in specs],
        bench.ledger,
        report=bench.reports.append,
        limits=limits or Limits(drain_s=20.0),
        priorities={spec.name: spec.priority for spec in specs},
        backoff=lambda: Backoff(first_s=0.01, limit_s=0.05),
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - threads and other processes have no event for us
            await asyncio.sleep(0.005)


def numbers(path: Path) -> list[int]:
    return [int(json.loads(line)["uuid"][-12:]) for line in path.read_bytes().splitlines()]


def stored(path: Path) -> list[int]:
    with Reader(path) as reader:
        return [int(json.loads(row.json)["uuid"][-12:]) for row in reader.select(Filter())]


@pytest.mark.live
def test_a_disk_that_is_full_for_a_while(small_disk: Path, bench: Bench) -> None:
    async def test() -> None:
        path, ballast = small_disk / "a.jsonl", small_disk / "ballast"
        hub = hub_of(bench, f"jsonl:{path}")
        await hub.open()
        ballast.write_bytes(bytes(60_000))
        await hub.send(alerts(50))
        await until(lambda: hub.counters()["jsonl"]["retries"] >= 3)
        assert path.read_bytes() == b""
        ballast.unlink()
        await hub.close()
        assert numbers(path) == list(range(50))
        assert bench.reports == [
            f"jsonl: {path}: No space left on device (free some space; alerts wait in memory meanwhile)",
            "jsonl: works again after 0 s",
        ]
        assert not bench.ledger.losses

    asyncio.run(test())


def test_a_file_whose_directory_comes_later(tmp_path: Path, bench: Bench) -> None:
    async def test() -> None:
        path = tmp_path / "later" / "a.jsonl"
        hub = hub_of(bench, f"jsonl:{path}")
        await hub.open()
        await hub.send(alerts(5))
        await until(lambda: hub.counters()["jsonl"]["retries"] >= 3)
        path.parent.mkdir()
        await hub.close()
        assert numbers(path) == [0, 1, 2, 3, 4]
        assert bench.reports[0] == f"jsonl: {path}: No such file or directory (create the directory)"

    asyncio.run(test())


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in an exclusive transaction on tmp_path/a.db, once a line is written to it; until the next line."""
    program = f"""
import sqlite3
input()
db = sqlite3.connect({str(tmp_path / "a.db")!r}, isolation_level=None)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
input()
db.execute("ROLLBACK")
db.close()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        yield child
        child.kill()


def test_a_database_that_another_process_holds_for_a_while(tmp_path: Path, bench: Bench, holder: subprocess.Popen[str]) -> None:
    async def test() -> None:
        assert holder.stdin is not None
        assert holder.stdout is not None
        path = tmp_path / "a.db"
        hub = hub_of(bench, f"sqlite:{path}?busy=10ms")
        await hub.open()
        await hub.send(alerts(2))
        await until(lambda: hub.counters()["sqlite"]["delivered"] == 2)
        holder.stdin.write("hold\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        await hub.send(alerts(3, 2))
        await until(lambda: hub.counters()["sqlite"]["retries"] >= 2)
        holder.stdin.write("leave\n")
        holder.stdin.flush()
        await hub.close()
        assert stored(path) == [0, 1, 2, 3, 4]
        assert len(bench.reports) == 2
        assert "database is locked" in bench.reports[0]
        assert not bench.ledger.losses

    asyncio.run(test())


def test_an_endpoint_that_is_dead_for_a_while_delays_nobody_else(tmp_path: Path, bench: Bench) -> None:
    async def test() -> None:
        path = tmp_path / "a.jsonl"
        with WebServer([answer("503 Service Unavailable")]) as server:
            hub = hub_of(bench, server.url, f"jsonl:{path}")
            await hub.open()
            await hub.send(alerts(20))
            await until(lambda: hub.counters()["http"]["retries"] >= 3)
            assert numbers(path) == list(range(20))
            server.acts[:] = [answer()]
            await hub.close()
            assert server.numbers()[-20:] == list(range(20))
        assert [line.split(";")[0] for line in bench.reports] == [
            f"http: http://localhost:{server.port}/: 503 Service Unavailable",
            "http: works again after 0 s",
        ]
        assert not bench.ledger.losses

    asyncio.run(test())


def test_a_spool_takes_what_the_run_could_not_deliver_and_the_next_run_does(tmp_path: Path, bench: Bench) -> None:
    async def test() -> None:
        with WebServer([answer("503 Service Unavailable")]) as server:
            hub = hub_of(bench, f"{server.url}#spool={tmp_path}/spool")
            await hub.open()
            await hub.send(alerts(20))
            await hub.close()
            server.acts[:] = [answer()]
            before = len(server.requests)
            hub = hub_of(bench, f"{server.url}#spool={tmp_path}/spool")
            await hub.open()
            await hub.send(alerts(5, 20))
            await until(lambda: hub.counters()["http"]["in_spool"] == 0 and len(server.requests) >= before + 25)
            await hub.close()
            assert server.numbers()[before:] == list(range(25))
        assert not bench.ledger.losses

    asyncio.run(test())


def test_many_sinks_at_once_all_get_everything(tmp_path: Path, bench: Bench) -> None:
    async def test() -> None:
        with WebServer([answer()]) as server:
            hub = hub_of(
                bench,
                f"jsonl:{tmp_path}/a.jsonl",
                f"jsonl:{tmp_path}/b.jsonl?priority=critical",
                f"sqlite:{tmp_path}/a.db",
                server.url,
            )
            await hub.open()
            for start in range(0, 300, 50):
                await hub.send(alerts(50, start))
            await hub.close()
            assert numbers(tmp_path / "a.jsonl") == stored(tmp_path / "a.db") == server.numbers() == list(range(300))
            assert numbers(tmp_path / "b.jsonl") == []
        assert {name: counters["delivered"] for name, counters in hub.counters().items()} == {
            "jsonl": 300,
            "jsonl-2": 0,
            "sqlite": 300,
            "http": 300,
        }
        with sqlite3.connect(tmp_path / "a.db") as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()

    asyncio.run(test())
