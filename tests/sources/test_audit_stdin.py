"""Standard input as auditd's dispatcher gives it: in drops, with silences, to its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ruleng.event import Event
from ruleng.sources.audit import source as module
from ruleng.sources.audit.source import AuditStdin
from ruleng.state import Limits, State
from tests.sources.audit import EVERYTHING, LOGS, Places, normalised, read
from tests.sources.test_audit_hostile import opened, record, syscall
from tests.state.support import StillClock

DATA = b"".join(path.read_bytes() for path in LOGS)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """(to read from, to write to); the test closes the second."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def plugin(losses: Places, fd: int, backend: str = "ruleng") -> AuditStdin:
    return AuditStdin(State(None, StillClock(), Limits(), losses), losses, fd=fd, backend=backend)


async def collected(stdin: AuditStdin) -> list[Event]:
    await stdin.open(EVERYTHING)
    try:
        async with asyncio.timeout(20):
            return [event async for batch in stdin.batches() for event in batch]
    finally:
        await stdin.close()


def types(data: bytes) -> list[str]:
    return [event.type for event in normalised(read(data, Places()), Places())]


def test_what_is_written_before_the_end_comes(pipe: tuple[int, int]) -> None:
    reading, writing = pipe

    async def run() -> list[Event]:
        task = asyncio.create_task(collected(plugin(Places(), reading)))
        for start in range(0, len(DATA), 4_000):
            await asyncio.to_thread(os.write, writing, DATA[start : start + 4_000])
        os.close(writing)
        return await task

    assert [event.type for event in asyncio.run(run())] == types(DATA)


def test_a_file_may_be_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        found = asyncio.run(collected(plugin(Places(), file.fileno())))
    assert [event.type for event in found] == types(DATA)


def test_a_stream_that_ends_within_a_line_loses_that_line(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    losses = Places()
    os.write(writing, (opened(1) + opened(2)[:60]).encode())
    os.close(writing)
    assert [event.type for event in asyncio.run(collected(plugin(losses, reading)))] == ["openat"]
    assert losses.all == [("audit.parse", "the last line has no newline: it may be cut off", "standard input:5")]


def test_an_event_without_an_end_comes_while_the_stream_is_silent(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = pipe
    monkeypatch.setattr(module, "PERIOD_S", 0.01)
    os.write(writing, (syscall(5, items=0) + record(6, "CONFIG_CHANGE", "op=set res=1")).encode())

    async def run() -> list[str]:
        stdin = plugin(Places(), reading)
        await stdin.open(EVERYTHING)
        found: list[str] = []
        async with asyncio.timeout(20):
            async for batch in stdin.batches():
                found += [event.type for event in batch]
                if len(found) == 2:
                    await stdin.close()
        return found

    assert asyncio.run(run()) == ["openat", "config_change"]
    os.close(writing)


def test_closing_ends_a_wait_for_what_never_comes(pipe: tuple[int, int]) -> None:
    reading, writing = pipe

    async def run() -> list[Event]:
        stdin = plugin(Places(), reading)
        await stdin.open(EVERYTHING)
        asyncio.get_running_loop().call_later(0.01, lambda: asyncio.ensure_future(stdin.close()))
        async with asyncio.timeout(20):
            return [event async for batch in stdin.batches() for event in batch]

    assert asyncio.run(run()) == []
    os.close(writing)


@pytest.mark.peers
def test_libauparse_reads_the_stream_too(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.write(writing, (opened(1) + opened(2)).encode())
    os.close(writing)
    found = asyncio.run(collected(plugin(Places(), reading, "auparse")))
    assert [event.paths.name for event in found] == ["/etc/hosts", "/etc/hosts"]
