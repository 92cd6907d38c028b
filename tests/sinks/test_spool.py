"""The disk spool: a queue that a killed process, a full disk and a damaged file do not break."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ruleng.sinks.spool import Spool, SpoolFullError
from tests.sinks.fakes import Bench, Ledger


def spool(folder: Path, bench: Bench, max_bytes: int = 100_000) -> Spool:
    found = Spool(folder, max_bytes=max_bytes, where="sink.http", ledger=bench.ledger, sync=False)
    found.open()
    return found


@pytest.fixture
def queue(tmp_path: Path, bench: Bench) -> Iterator[Spool]:
    found = spool(tmp_path / "spool", bench)
    yield found
    found.close()


def test_records_come_back_in_order(queue: Spool) -> None:
    queue.append([b"a", b"", b"c\n\x00"])
    queue.append([b"d"])
    assert queue.peek(2) == [b"a", b""]
    queue.done(2)
    assert queue.peek(99) == [b"c\n\x00", b"d"]
    assert len(queue) == 2


def test_records_outlive_the_process(tmp_path: Path, bench: Bench) -> None:
    for expected in ([], [b"0"], [b"0", b"1"]):
        queue = spool(tmp_path / "spool", bench)
        assert queue.peek(99) == expected
        queue.append([b"%d" % len(expected)])
        queue.close()


def test_a_full_spool_takes_nothing_of_a_batch(tmp_path: Path, bench: Bench) -> None:
    queue = spool(tmp_path / "spool", bench, max_bytes=1000)
    queue.append([b"x" * 400])
    with pytest.raises(SpoolFullError):
        queue.append([b"y", b"z" * 600])
    assert queue.peek(99) == [b"x" * 400]
    queue.done(1)
    queue.append([b"y", b"z" * 600])
    assert queue.peek(99) == [b"y", b"z" * 600]
    queue.close()


def test_disk_space_is_given_back(tmp_path: Path, bench: Bench) -> None:
    folder = tmp_path / "spool"
    queue = spool(folder, bench, max_bytes=1000)
    for number in range(100):
        queue.append([b"%03d" % number])
        if number >= 3:
            queue.done(1)
        assert queue.size_bytes == sum(path.stat().st_size for path in folder.glob("*.spool"))
        assert queue.size_bytes < 300
    assert queue.peek(9) == [b"097", b"098", b"099"]
    queue.done(3)
    assert list(folder.glob("*.spool")) == []
    queue.close()


def test_a_second_process_is_kept_out(tmp_path: Path, bench: Bench, queue: Spool) -> None:
    with pytest.raises(BlockingIOError):
        spool(tmp_path / "spool", bench)


@pytest.mark.parametrize(("cut", "left"), [(1, 2), (9, 2), (12, 1)])
def test_a_record_that_was_cut_off_is_removed_and_counted(tmp_path: Path, bench: Bench, cut: int, left: int) -> None:
    queue = spool(tmp_path / "spool", bench)
    queue.append([b"one", b"two", b"three"])
    queue.close()
    (path,) = (tmp_path / "spool").glob("*.spool")
    data = path.read_bytes()
    path.write_bytes(data[:-cut] if cut < 12 else data[: 11 + 5])
    queue = spool(tmp_path / "spool", bench)
    assert queue.peek(99) == [b"one", b"two"][:left]
    assert sum(bench.ledger.losses.values()) == 1
    queue.append([b"four"])
    assert queue.peek(99)[-1] == b"four"
    queue.close()


def test_a_damaged_record_ends_its_segment_only(tmp_path: Path, bench: Bench) -> None:
    queue = spool(tmp_path / "spool", bench, max_bytes=800)
    for number in range(6):
        queue.append([b"%d" % number * 50])  # two of them fill a segment
    queue.close()
    first, *_ = sorted((tmp_path / "spool").glob("*.spool"))
    data = bytearray(first.read_bytes())
    data[8 + 50 + 8 + 20] ^= 1  # in the second record
    first.write_bytes(data)
    queue = spool(tmp_path / "spool", bench, max_bytes=800)
    assert [record[:1] for record in queue.peek(99)] == [b"0", b"2", b"3", b"4", b"5"]
    queue.done(2)
    assert [record[:1] for record in queue.peek(99)] == [b"3", b"4", b"5"]
    queue.close()


def test_a_damaged_cursor_means_again_rather_than_never(tmp_path: Path, bench: Bench) -> None:
    queue = spool(tmp_path / "spool", bench)
    queue.append([b"one", b"two"])
    queue.done(1)
    queue.close()
    (tmp_path / "spool" / "cursor").write_bytes(b"nonsense")
    queue = spool(tmp_path / "spool", bench)
    assert queue.peek(99) == [b"one", b"two"]
    queue.close()


def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path, bench: Bench) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    for name in ("notes.txt", "x.spool"):
        (folder / name).write_text("mine")
    queue = spool(folder, bench)
    queue.append([b"a"])
    queue.done(1)
    queue.close()
    assert {path.name for path in folder.iterdir()} == {"notes.txt", "x.spool", "lock", "cursor"}


@pytest.mark.live
def test_a_full_disk_takes_nothing_of_a_batch(small_disk: Path, bench: Bench) -> None:
    queue = spool(small_disk / "spool", bench, max_bytes=10**6)
    queue.append([b"a" * 10_000])
    with pytest.raises(OSError, match="No space left"):
        queue.append([b"b", b"c" * 100_000])
    assert [record[:1] for record in queue.peek(99)] == [b"a"]
    queue.append([b"d"])
    queue.close()
    queue = spool(small_disk / "spool", bench, max_bytes=10**6)
    assert [record[:1] for record in queue.peek(99)] == [b"a", b"d"]
    assert not bench.ledger.losses
    queue.close()


def test_kill_9_loses_nothing_that_was_appended(tmp_path: Path, bench: Bench) -> None:
    program = f"""
from pathlib import Path
from tests.sinks.fakes import Bench
from tests.sinks.test_spool import spool
queue = spool(Path({str(tmp_path / "spool")!r}), Bench(), max_bytes=10**8)
for number in range(10**9):
    queue.append([b"%d" % number])
    if number % 3 == 0:
        queue.done(1)
    print(number, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = [int(child.stdout.readline()) for _ in range(500)]
    child.send_signal(signal.SIGKILL)
    said += [int(line) for line in child.stdout.read().split()]
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    queue = spool(tmp_path / "spool", bench, max_bytes=10**8)
    found = [int(record) for record in queue.peek(10**6)]
    assert found == list(range(found[0], found[-1] + 1))
    assert found[0] <= said[-1] // 3 + 2
    assert found[-1] >= said[-1]
    queue.close()


class Model(RuleBasedStateMachine):
    """Whatever is appended, done and reopened, the spool holds what a list would."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.bench = Bench(ledger=Ledger())
        self.queue = spool(self.folder, self.bench, max_bytes=2000)
        self.held: list[bytes] = []

    @rule(records=st.lists(st.binary(max_size=120), min_size=1, max_size=4))
    def append(self, records: list[bytes]) -> None:
        try:
            self.queue.append(records)
        except SpoolFullError:
            assert sum(len(record) + 8 for record in records + self.held) > 2000 - 2000 // 8 - 4 * 128
        else:
            self.held += records

    @precondition(lambda self: self.held)
    @rule(count=st.integers(1, 4))
    def done(self, count: int) -> None:
        count = min(count, len(self.held))
        self.queue.done(count)
        del self.held[:count]

    @rule()
    def reopen(self) -> None:
        self.queue.close()
        self.queue = spool(self.folder, self.bench, max_bytes=2000)

    @invariant()
    def same(self) -> None:
        assert len(self.queue) == len(self.held)
        assert self.queue.peek(99) == self.held
        assert not self.bench.ledger.losses

    def teardown(self) -> None:
        self.queue.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
