"""Log files: which, in what order, packed or plain, growing or done; and what cannot be read of them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ruleng.errors import InputError
from ruleng.event import Event
from ruleng.sources.audit.files import LogFile, ordered, sizes
from ruleng.sources.audit.source import AuditFiles
from ruleng.state import Limits, State
from tests.sources.audit import EVERYTHING, LOGS, Places
from tests.sources.test_audit_hostile import opened
from tests.state.support import StillClock

DATA = b"".join(path.read_bytes() for path in LOGS)


def named(groups: list[list[Path]]) -> list[list[str]]:
    return [[path.name for path in group] for group in groups]


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def contents(path: Path, losses: Places) -> bytes:
    file = LogFile(path, losses)
    try:
        return b"".join(iter(file.read, b""))
    finally:
        file.close()


def test_a_folder_is_its_logs_each_oldest_part_first(tmp_path: Path) -> None:
    folder = touched(
        tmp_path, "audit.log", "audit.log.1", "audit.log.10.gz", "audit.log.2", "web.log", "notes.txt", "audit.log.bak"
    )
    (folder / "old.log").mkdir()
    assert named(ordered([str(folder)])) == [["audit.log.10.gz", "audit.log.2", "audit.log.1", "audit.log"], ["web.log"]]


def test_dates_of_logrotate_are_older_than_numbers_and_ascend(tmp_path: Path) -> None:
    folder = touched(tmp_path, "audit.log", "audit.log.1", "audit.log-20240301.gz", "audit.log-20240229")
    assert named(ordered([str(folder)])) == [["audit.log-20240229", "audit.log-20240301.gz", "audit.log.1", "audit.log"]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 99_999), min_size=1, max_size=20), st.booleans())
def test_higher_numbers_are_older(tmp_path_factory: pytest.TempPathFactory, numbers: set[int], is_packed: bool) -> None:
    end = ".gz" if is_packed else ""
    folder = touched(tmp_path_factory.mktemp("logs"), "audit.log", *(f"audit.log.{number}{end}" for number in numbers))
    expected = [f"audit.log.{number}{end}" for number in sorted(numbers, reverse=True)]
    assert named(ordered([str(folder / "audit.log")], rotated=True)) == [[*expected, "audit.log"]]


def test_without_rotated_a_name_is_one_file_and_names_keep_their_order(tmp_path: Path) -> None:
    folder = touched(tmp_path, "b.log", "b.log.1", "a.log")
    assert named(ordered([str(folder / "b.log"), "-", str(folder / "a.log")])) == [["b.log"], ["-"], ["a.log"]]


def test_rotated_takes_no_parts_of_other_logs(tmp_path: Path) -> None:
    folder = touched(tmp_path, "audit.log", "audit.log.1", "other.log.1", "my-audit.log.1")
    assert named(ordered([str(folder / "audit.log")], rotated=True)) == [["audit.log.1", "audit.log"]]


@pytest.mark.parametrize("rotated", [False, True])
def test_what_is_not_there_is_named(tmp_path: Path, rotated: bool) -> None:
    with pytest.raises(InputError) as caught:
        ordered([str(tmp_path / "gone.log")], rotated=rotated)
    assert str(tmp_path / "gone.log") in str(caught.value)


def test_a_folder_without_logs_says_what_logs_are_called(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ordered([str(touched(tmp_path, "notes.txt"))])
    assert "audit.log.1" in str(caught.value.hint)


def test_packed_and_plain_are_the_same_bytes(tmp_path: Path) -> None:
    losses = Places()
    plain, packed, joined = tmp_path / "plain.log", tmp_path / "packed", tmp_path / "joined.gz"
    half = len(DATA) // 2
    plain.write_bytes(DATA)
    packed.write_bytes(gzip.compress(DATA))
    joined.write_bytes(gzip.compress(DATA[:half]) + gzip.compress(DATA[half:]))
    assert [contents(path, losses) for path in (plain, packed, joined)] == [DATA] * 3
    assert losses.all == []
    assert sizes([[plain, packed], [tmp_path / "gone"]]) == len(DATA) + packed.stat().st_size


@pytest.mark.parametrize("end", [4, 15, 200, -9])
def test_a_packed_file_that_is_cut_is_read_as_far_as_it_goes(tmp_path: Path, end: int) -> None:
    losses = Places()
    path = tmp_path / "audit.log.gz"
    path.write_bytes(gzip.compress(DATA)[:end])
    assert DATA.startswith(contents(path, losses))
    ((where, reason, place),) = losses.all
    assert (where, place) == ("audit.parse", str(path))
    assert reason.startswith("a file cannot be read to its end: ")


async def collected(source: AuditFiles) -> list[Event]:
    await source.open(EVERYTHING)
    try:
        return [event async for batch in source.batches() for event in batch]
    finally:
        await source.close()


def source(losses: Places, *paths: Path, rotated: bool = False, follow: bool = False) -> AuditFiles:
    state = State(None, StillClock(), Limits(), losses)
    return AuditFiles([str(path) for path in paths], state, losses, rotated=rotated, follow=follow)


def test_an_event_may_go_on_in_the_next_part_of_a_rotated_log(tmp_path: Path) -> None:
    lines = [opened(serial).splitlines(keepends=True) for serial in (1, 2, 3)]
    (tmp_path / "audit.log.1").write_text("".join([*lines[0], *lines[1][:2]]))
    (tmp_path / "audit.log").write_text("".join([*lines[1][2:], *lines[2]]))
    losses = Places()
    found = asyncio.run(collected(source(losses, tmp_path / "audit.log", rotated=True)))
    assert [event.paths.name for event in found] == ["/etc/hosts"] * 3
    assert losses.all == []


def test_no_event_goes_on_from_one_log_to_another(tmp_path: Path) -> None:
    lines = opened(1).splitlines(keepends=True)
    (tmp_path / "a.log").write_text("".join(lines[:3]))
    (tmp_path / "b.log").write_text(lines[3] + opened(2))
    losses = Places()
    assert len(asyncio.run(collected(source(losses, tmp_path / "a.log", tmp_path / "b.log")))) == 2
    assert [place for _, _, place in losses.all] == [f"{tmp_path}/b.log:1"]


def test_progress_ends_at_all_bytes_packed_or_not(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(DATA)
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(DATA))
    files = source(Places(), tmp_path / "a.log", tmp_path / "b.log.gz")
    asyncio.run(collected(files))
    size = len(DATA) + (tmp_path / "b.log.gz").stat().st_size
    assert files.progress() == (size, size)


async def followed(files: AuditFiles, steps: Sequence[tuple[int, str]], path: Path) -> list[Event]:
    """Wait for so many events, then do this to the log: `append`, `rotate` or `truncate`; `close` ends."""
    found: list[Event] = []
    await files.open(EVERYTHING)
    todo = list(steps)
    async with asyncio.timeout(20):
        async for batch in files.batches():
            found += batch
            while todo and len(found) >= todo[0][0]:
                _, step = todo.pop(0)
                text = opened(100 + len(found))
                if step == "append":
                    with path.open("a") as log:
                        log.write(text)
                elif step == "rotate":
                    path.rename(path.with_name("audit.log.1"))
                    path.write_text(text)
                elif step == "truncate":
                    path.write_text(text)
                else:
                    await files.close()
    return found


def test_a_growing_log_is_followed_over_its_rotation(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(opened(1) + opened(2))
    losses = Places()
    steps = [(2, "append"), (3, "rotate"), (4, "append"), (5, "truncate"), (6, "close")]
    found = asyncio.run(followed(source(losses, path, follow=True), steps, path))
    assert len(found) == 6
    assert losses.all == []
