"""Recorded events: lines in pieces, files one after the other, standard input that comes slowly, and what is no event."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.ports import Demand
from ruleng.sources.replay import LINE_BYTES, RecordedEvents, _Lines
from ruleng.sources.stdin import InputStream
from tests.state.support import Losses

ANY = Demand(event_types=frozenset(), fields=frozenset())


# --- lines --------------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200).map(lambda data: data.replace(b"a", b"\n")), st.lists(st.integers(0, 20)))
@example(b"", [])
@example(b"one\n\ntwo", [3, 1])
def test_lines_are_the_same_in_pieces_of_any_size(data: bytes, sizes: list[int]) -> None:
    lines, found = _Lines(), []
    rest = data
    for size in sizes:
        found += lines.feed(rest[:size])
        rest = rest[size:]
    found += lines.feed(rest)
    found += lines.end()
    whole = data.split(b"\n")
    expected = whole if whole[-1] else whole[:-1]
    assert found == list(enumerate(expected, 1))


@pytest.mark.parametrize("piece", [1 << 12, 1 << 16, 1 << 22])
def test_a_line_that_is_too_long_is_none_and_the_others_keep_their_numbers(piece: int) -> None:
    data = b"first\n" + b"x" * (LINE_BYTES + 1) + b"\n" + b"y" * LINE_BYTES + b"\nlast"
    lines, found = _Lines(), []
    for start in range(0, len(data), piece):
        found += lines.feed(data[start : start + piece])
    found += lines.end()
    assert found == [(1, b"first"), (2, None), (3, b"y" * LINE_BYTES), (4, b"last")]


def test_an_endless_line_is_not_held() -> None:
    lines = _Lines()
    for _ in range(100):
        assert list(lines.feed(b"x" * 65_536)) == []
        assert len(lines._rest) <= LINE_BYTES
    assert list(lines.end()) == [(1, None)]


# --- files --------------------------------------------------------------------------------------------------------------


def recorded(*paths: Path, losses: Losses | None = None) -> list[Event]:
    async def read() -> list[Event]:
        source = RecordedEvents([str(path) for path in paths], losses or Losses())
        await source.open(ANY)
        found = [event async for batch in source.batches() for event in batch]
        await source.close()
        return found

    return asyncio.run(read())


def test_events_are_numbered_over_all_files_unless_they_have_a_number(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text('{"evt.type":"open"}\n\n{"evt.type":"close","evt.num":77}\n')
    two.write_text('  \n{"evt.type":"execve"}')
    assert [(event.type, event.num) for event in recorded(one, two)] == [("open", 1), ("close", 77), ("execve", 3)]


def test_what_is_no_event_is_counted_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text('{"evt.type":"open"}\nnothing\n[1]\n{"evt.type": 7}\n{"evt.type":"close"}\n')
    losses = Losses()
    assert [event.type for event in recorded(path, losses=losses)] == ["open", "close"]
    assert sum(losses.counts.values()) == 3
    assert {where for where, _ in losses.counts} == {"replay"}


@pytest.mark.parametrize("what", ["gone", "folder"])
def test_a_file_that_cannot_be_opened_is_named_before_anything_is_read(tmp_path: Path, what: str) -> None:
    good, bad = tmp_path / "good", tmp_path / what
    good.write_text('{"evt.type":"open"}\n')
    if what == "folder":
        bad.mkdir()
    with pytest.raises(InputError, match=str(bad)):
        recorded(good, bad)


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text('{"evt.type":"open"}\n' * 20_000)

    async def read() -> list[tuple[int, int] | None]:
        source = RecordedEvents([str(path)], Losses())
        await source.open(ANY)
        seen = [source.progress()]
        seen += [source.progress() async for _ in source.batches()]
        return [*seen, source.progress()]

    seen = asyncio.run(read())
    total = path.stat().st_size
    assert (seen[0], seen[-1]) == ((0, total), (total, total))
    assert seen == sorted(seen, key=lambda pair: pair[0] if pair else 0)


def test_nothing_more_comes_once_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text('{"evt.type":"open"}\n' * 50_000)

    async def read() -> int:
        source = RecordedEvents([str(path)], Losses())
        await source.open(ANY)
        count = 0
        async for batch in source.batches():
            count += len(batch)
            await source.close()
        return count

    assert 0 < asyncio.run(read()) < 50_000


# --- standard input -----------------------------------------------------------------------------------------------------


@contextmanager
def piped() -> Iterator[tuple[InputStream, Callable[[bytes], int], Callable[[], None]]]:
    """(stream, write to it, end it)."""
    reading, writing = os.pipe()
    ends = {writing}

    def end() -> None:
        ends.discard(writing)
        os.close(writing)

    try:
        yield InputStream(reading), lambda data: os.write(writing, data), end
    finally:
        for left in ends:
            os.close(left)
        os.close(reading)


def test_a_pipe_is_read_as_it_comes_and_ends_when_its_writer_does() -> None:
    async def read() -> list[bytes | None]:
        with piped() as (stream, write, end):
            stream.open()
            write(b"one")
            seen = [await stream.read(5.0), await stream.read(0.01)]
            write(b"two")
            seen.append(await stream.read(5.0))
            end()
            seen.append(await stream.read(5.0))
            stream.close()
            return seen

    assert asyncio.run(read()) == [b"one", None, b"two", b""]


def test_what_was_read_before_comes_first() -> None:
    async def read() -> list[bytes | None]:
        with piped() as (pipe, write, end):
            stream = InputStream(pipe._fd, begun=b"begun")
            stream.open()
            write(b"more")
            end()
            seen = [await stream.read(5.0) for _ in range(3)]
            stream.close()
            return seen

    assert asyncio.run(read()) == [b"begun", b"more", b""]


def test_closing_ends_a_read_that_waits() -> None:
    async def read() -> bytes | None:
        with piped() as (stream, _, _):
            stream.open()
            asyncio.get_running_loop().call_soon(stream.close)
            return await asyncio.wait_for(stream.read(60.0), 5.0)

    assert asyncio.run(read()) == b""


def test_a_file_is_standard_input_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")

    async def read() -> list[bytes | None]:
        with path.open("rb") as file:
            stream = InputStream(file.fileno())
            stream.open()
            seen = [await stream.read(5.0), await stream.read(5.0)]
            stream.close()
            return seen

    assert asyncio.run(read()) == [b"content", b""]
