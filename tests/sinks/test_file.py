"""A file of JSON lines on real file systems: full, read-only, rotated, moved away, killed in the middle."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ruleng.errors import SinkError
from ruleng.sinks.encode import falco
from ruleng.sinks.file import FileSink, Rotation
from tests.sinks.fakes import Bench
from tests.sinks.samples import alerts

Make = Callable[..., FileSink]


@pytest.fixture
def make(bench: Bench) -> Iterator[Make]:
    made: list[FileSink] = []

    def make(path: Path, **options: object) -> FileSink:
        sink = FileSink("jsonl", path, falco.encode, bench.tools, **options)  # type: ignore[arg-type]
        made.append(sink)
        return sink

    yield make
    for sink in made:
        sink.close()


def numbers(*paths: Path) -> list[int]:
    """Which alerts stand in the files, in order."""
    found = []
    for path in paths:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert data.endswith(b"\n") or not data
        found += [int(json.loads(line)["uuid"][-12:]) for line in data.splitlines()]
    return found


def test_alerts_are_appended_one_a_line(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    for start in (0, 3):
        sink = make(path)
        sink.open()
        sink.write(alerts(3, start))
        sink.close()
    assert numbers(path) == [0, 1, 2, 3, 4, 5]
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.live
def test_a_full_disk_leaves_whole_lines_and_takes_the_batch_again_later(small_disk: Path, make: Make) -> None:
    path, ballast = small_disk / "alerts.jsonl", small_disk / "ballast"
    sink = make(path)
    sink.write(alerts(2))
    ballast.write_bytes(bytes(60_000))
    with pytest.raises(SinkError, match=r"jsonl: .*alerts.jsonl: No space left on device") as raised:
        sink.write(alerts(30, 2))
    assert raised.value.taken == 0
    assert raised.value.hint is not None
    assert "free some space" in raised.value.hint
    assert numbers(path) == [0, 1]
    ballast.unlink()
    sink.write(alerts(30, 2))
    assert numbers(path) == list(range(32))
    assert sink.counters()["errors"] == 1


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fits_in_part_is_taken_back(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = make(path)
    sink.write(alerts(1))
    with largest_file(path.stat().st_size * 2 - 10), pytest.raises(SinkError, match="File too large"):
        sink.write(alerts(1, 1))
    assert numbers(path) == [0]
    sink.write(alerts(1, 1))
    assert numbers(path) == [0, 1]


def test_a_device_that_is_full_is_a_clear_error(make: Make) -> None:
    with pytest.raises(SinkError, match="/dev/full: No space left on device"):
        make(Path("/dev/full")).write(alerts(1))


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("missing/alerts.jsonl", "No such file or directory", "create the directory"),
        (".", "Is a directory", "name a file in it"),
        ("pipe", "neither a regular file nor a device", None),
    ],
)
def test_a_path_that_cannot_be_written_is_a_clear_error(make: Make, tmp_path: Path, path: str, message: str, hint: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SinkError, match=message) as raised:
        make(tmp_path / path).open()
    assert raised.value.hint == hint


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions do not bind root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_directory_without_permission_is_a_clear_error(make: Make, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    sink = make(tmp_path / "alerts.jsonl")
    with as_nobody(), pytest.raises(SinkError, match="Permission denied") as raised:
        sink.open()
    assert raised.value.hint == "let ruleng's user write there, or name another file"
    tmp_path.chmod(0o700)
    sink.write(alerts(1))
    assert numbers(tmp_path / "alerts.jsonl") == [0]


@pytest.mark.live
def test_a_read_only_file_system_is_a_clear_error(small_disk: Path, make: Make) -> None:
    sink = make(small_disk / "alerts.jsonl")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(SinkError, match="Read-only file system"):
        sink.write(alerts(1))
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    sink.write(alerts(1))
    assert numbers(small_disk / "alerts.jsonl") == [0]


def test_two_writers_of_one_file_are_refused(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    make(path).open()
    with pytest.raises(SinkError, match="another process has it open"):
        make(path).open()


def test_a_line_that_was_cut_off_is_removed_and_counted(make: Make, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(falco.encode(alerts(1)[0]) + b"\n" + falco.encode(alerts(1, 1)[0])[:-20])
    whole = path.read_bytes().index(b"\n") + 1
    make(path).write(alerts(1, 2))
    assert numbers(path) == [0, 2]
    assert bench.ledger.losses == {("sink.jsonl", "an alert was cut off when the process that wrote it was killed"): 1}
    assert bench.ledger.samples == [f"{path}, byte {whole}"]


def test_a_long_line_that_was_cut_off_is_found(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(falco.encode(alerts(1)[0]) + b"\n" + b'{"' + b"x" * 300_000)
    make(path).write(alerts(1, 1))
    assert numbers(path) == [0, 1]


def test_text_of_others_without_a_line_end_is_kept(make: Make, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("first\nmine")
    make(path).write(alerts(1))
    assert path.read_text().startswith('first\nmine\n{"time"')
    assert not bench.ledger.losses


def test_kill_9_leaves_readable_lines(tmp_path: Path, make: Make) -> None:
    path = tmp_path / "alerts.jsonl"
    program = f"""
from pathlib import Path
from ruleng.sinks.encode import falco
from ruleng.sinks.file import FileSink
from tests.sinks.fakes import Bench
from tests.sinks.samples import alerts
sink = FileSink("jsonl", Path({str(path)!r}), falco.encode, Bench().tools)
for start in range(0, 10**9, 100):
    sink.write(alerts(100, start))
    print(start + 100, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = 0
    for line in child.stdout:
        said = int(line)
        if said >= 2000:
            break
    child.send_signal(signal.SIGKILL)
    said = max([said, *(int(line) for line in child.stdout.read().split())])
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    sink = make(path)
    sink.open()
    sink.close()
    found = numbers(path)
    assert found == list(range(len(found)))
    assert len(found) >= said  # what the sink took is there


def test_rotation_by_size_keeps_so_many_files(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    line = len(falco.encode(alerts(1)[0])) + 1
    sink = make(path, rotation=Rotation(max_bytes=line * 3, keep=2))
    for number in range(10):
        sink.write(alerts(1, number))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["alerts.jsonl", "alerts.jsonl.1", "alerts.jsonl.2"]
    assert numbers(tmp_path / "alerts.jsonl.2", tmp_path / "alerts.jsonl.1", path) == [3, 4, 5, 6, 7, 8, 9]


def test_rotated_files_are_compressed(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    (tmp_path / "alerts.jsonl.1").write_bytes(falco.encode(alerts(1)[0]) + b"\n")  # left plain by a crash
    (tmp_path / "alerts.jsonl.1.gz.tmp").write_bytes(b"half")
    sink = make(path, rotation=Rotation(max_bytes=1, keep=9, compress=True))
    for number in range(1, 4):
        sink.write(alerts(1, number))
    sink.close()
    names = sorted(entry.name for entry in tmp_path.iterdir() if entry.suffix != ".tmp")
    assert names == ["alerts.jsonl", "alerts.jsonl.1.gz", "alerts.jsonl.2.gz", "alerts.jsonl.3.gz"]
    assert numbers(*(tmp_path / name for name in [*names[:0:-1], names[0]])) == [0, 1, 2, 3]
    assert (tmp_path / "alerts.jsonl.1.gz").stat().st_mode & 0o777 == 0o640


def test_rotation_by_age_is_at_midnight_also_after_a_restart(make: Make, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    midnight = 1_700_006_400  # 2023-11-15T00:00:00Z
    bench.clock.wall_ns = (midnight - 2) * 10**9
    sink = make(path, rotation=Rotation(every_ns=86400 * 10**9))
    sink.write(alerts(1, 0))
    bench.clock.pass_s(1)
    sink.write(alerts(1, 1))
    bench.clock.pass_s(1)
    sink.write(alerts(1, 2))
    sink.close()
    assert numbers(tmp_path / "alerts.jsonl.1") == [0, 1]
    os.utime(path, (midnight + 5, midnight + 5))
    bench.clock.pass_s(86400)
    make(path, rotation=Rotation(every_ns=86400 * 10**9)).write(alerts(1, 3))
    assert numbers(tmp_path / "alerts.jsonl.1") == [2]
    assert numbers(path) == [3]


def test_a_rotation_that_fails_is_told_once_and_writing_goes_on(make: Make, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    (tmp_path / "alerts.jsonl.1").mkdir()  # unlink fails on a directory
    sink = make(path, rotation=Rotation(max_bytes=1, keep=1))
    for number in range(3):
        sink.write(alerts(1, number))
    assert len(bench.reports) == 1
    assert "cannot be rotated" in bench.reports[0]
    (tmp_path / "alerts.jsonl.1").rmdir()
    bench.clock.pass_s(61)
    sink.write(alerts(1, 3))
    assert numbers(tmp_path / "alerts.jsonl.1", path) == [0, 1, 2, 3]


@pytest.mark.parametrize("ask", [True, False], ids=["asked", "seen"])
def test_a_file_moved_away_is_opened_anew(make: Make, tmp_path: Path, ask: bool) -> None:
    path, old = tmp_path / "alerts.jsonl", tmp_path / "old"
    sink = make(path)
    sink.write(alerts(1, 0))
    path.rename(old)
    if ask:
        sink.reopen()
    sink.write(alerts(1, 1))
    assert numbers(old) == [0]
    assert numbers(path) == [1]
    assert sink.counters()["reopened"] == 1


def test_fsync_of_every_batch(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    sink = make(tmp_path / "alerts.jsonl", fsync_ns=0)
    sink.write(alerts(2))
    sink.write(alerts(2, 2))
    assert len(synced) == 2


def test_fsync_that_fails_takes_the_batch_back(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = make(path, fsync_ns=0)
    sink.write(alerts(1))

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(SinkError, match="Input/output error"):
            sink.write(alerts(1, 1))
    sink.write(alerts(1, 1))
    assert numbers(path) == [0, 1]


def test_fsync_at_intervals_also_when_nothing_more_comes(
    make: Make, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    sink = make(tmp_path / "alerts.jsonl", fsync_ns=5 * 10**9)
    assert sink.idle_s == 5
    sink.write(alerts(1))
    bench.clock.pass_s(4)
    sink.write(alerts(1))
    assert synced == []
    bench.clock.pass_s(1)
    sink.write(alerts(1))
    assert len(synced) == 1
    sink.idle()
    assert len(synced) == 1  # nothing new to sync
    sink.write(alerts(1))
    sink.idle()
    assert len(synced) == 2


def test_a_file_that_others_hold_for_reading_is_no_hindrance(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = make(path)
    sink.write(alerts(1))
    with path.open() as reader:
        with pytest.raises(BlockingIOError):
            fcntl.flock(reader, fcntl.LOCK_EX | fcntl.LOCK_NB)
        sink.write(alerts(1, 1))
        assert len(reader.readlines()) == 2
