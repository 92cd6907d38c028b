"""The alert store: what is stored is found; held by others, full, killed, foreign, old."""

from __future__ import annotations

import dataclasses
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ruleng.alert import Alert, Priority
from ruleng.errors import InputError, SinkError
from ruleng.event import Container, Event, Process
from ruleng.sinks.encode import falco
from ruleng.sinks.sqlite import SqliteSink
from ruleng.sinks.store import Filter, Reader, Stored
from tests.sinks.fakes import Bench
from tests.sinks.samples import TIME_NS, alert, alerts, hostile, shell

Make = Callable[..., SqliteSink]


@pytest.fixture
def make(bench: Bench) -> Iterator[Make]:
    made: list[SqliteSink] = []

    def make(path: Path, **options: object) -> SqliteSink:
        made.append(SqliteSink("sqlite", path, bench.tools, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sink in made:
        sink.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "alerts.db"


def number(stored: Stored) -> int:
    return int(json.loads(stored.json)["uuid"][-12:])


def numbers(path: Path, **wanted: object) -> list[int]:
    with Reader(path) as reader:
        return [number(stored) for stored in reader.select(Filter(**wanted))]  # type: ignore[arg-type]


VARIED = [
    alert(0, rule="Shell in container", priority=Priority.CRITICAL, tags=("shell", "attack.t1059")),
    alert(1, rule="Shell [web]", priority=Priority.WARNING, output_fields={"proc.pid": 42, "container.id": "3b1f0a9c2d4e"}),
    alert(
        2, rule="open", priority=Priority.DEBUG, tags=(),
        event=Event(
            type="open", time_ns=1, proc=Process(pid=43, container=Container(id="aaaabbbbcccc", name="shop-web-1"))
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [0, 1, 2]),
        ({"rule": "open"}, [2]),
        ({"rule": "Shell*"}, [0, 1]),
        ({"rule": "Shell [web]"}, [1]),
        ({"rule": "ope?"}, [2]),
        ({"rule": "OPEN"}, []),
        ({"priority": Priority.WARNING}, [0, 1]),
        ({"since_ns": TIME_NS + 1}, [1, 2]),
        ({"until_ns": TIME_NS + 1}, [0]),
        ({"tag": "shell"}, [0]),
        ({"tag": "attack.*"}, [0]),
        ({"container": "3b1f0a9c2d4e"}, [1]),
        ({"container": "3b1f0a9c2d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"}, [1]),
        ({"container": "shop-*"}, [2]),
        ({"pid": 42}, [1]),
        ({"pid": 43, "rule": "o*", "priority": Priority.DEBUG}, [2]),
        ({"pid": 43, "rule": "S*"}, []),
        ({"after_id": 1}, [1, 2]),
    ],
)
def test_what_is_stored_is_found(make: Make, path: Path, wanted: dict[str, object], found: list[int]) -> None:
    make(path).write(VARIED)
    assert numbers(path, **wanted) == found


def test_order_and_limit(make: Make, path: Path) -> None:
    make(path).write(alerts(5))
    with Reader(path) as reader:
        assert [number(stored) for stored in reader.select(Filter(), limit=2, order="newest")] == [4, 3]
        assert [number(stored) for stored in reader.select(Filter(), limit=2)] == [0, 1]


@pytest.mark.parametrize("one", [shell(), alert(0), hostile()])
def test_an_alert_comes_back_as_it_was_told(make: Make, path: Path, one: Alert) -> None:
    make(path).write([one])
    with Reader(path) as reader:
        (stored,) = reader.select(Filter())
        assert stored.json == falco.encode(one)
        assert falco.encode(stored.alert()) == falco.encode(one)


def test_alerts_are_not_for_everybody_to_read(make: Make, path: Path) -> None:
    make(path).write(alerts(1))
    assert {entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()} == {0o640}


def test_a_row_of_another_program_is_an_error_that_names_it(make: Make, path: Path) -> None:
    make(path).write(alerts(1))
    with sqlite3.connect(path) as other:
        other.execute("UPDATE alerts SET json = '{}'")
    other.close()
    with Reader(path) as reader:
        (stored,) = reader.select(Filter())
        with pytest.raises(InputError, match="alert 1: not an alert of ruleng's"):
            stored.alert()


def test_an_alert_that_comes_twice_is_stored_once(make: Make, path: Path) -> None:
    sink = make(path)
    sink.write(alerts(3))
    sink.write(alerts(5))
    assert numbers(path) == [0, 1, 2, 3, 4]


@pytest.fixture
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in an exclusive transaction on the database, until a line is written to it."""
    program = f"""
import sqlite3
db = sqlite3.connect({str(path)!r}, isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS alerts_of_nobody (x)") if not db.execute("PRAGMA application_id").fetchone()[0] else None
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
input()
db.execute("ROLLBACK")
db.close()
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield child
    if child.poll() is None:
        child.communicate("\n")
    assert child.stdout is not None
    child.stdout.close()


def test_a_database_held_by_another_process_refuses_the_batch_and_takes_it_later(
    make: Make, path: Path, request: pytest.FixtureRequest
) -> None:
    sink = make(path, busy_s=0.05)
    sink.write(alerts(1))
    child = request.getfixturevalue("holder")
    assert child.stdout.readline() == "held\n"
    for _ in range(2):
        with pytest.raises(SinkError, match=r"sqlite: .*alerts.db: database is locked") as raised:
            sink.write(alerts(2, 1))
        assert raised.value.taken == 0
        assert "another process holds the database" in (raised.value.hint or "")
    child.communicate("\n")
    sink.write(alerts(2, 1))
    assert numbers(path) == [0, 1, 2]
    assert sink.counters() == {"alerts": 3, "errors": 2, "expired": 0, "reopened": 0}


def test_readers_do_not_hinder_the_writer(make: Make, path: Path) -> None:
    sink = make(path, busy_s=0.05)
    sink.write(alerts(3))
    with Reader(path) as reader:
        rows = reader.select(Filter())
        next(rows)
        sink.write(alerts(1, 3))
        assert len(list(rows)) == 2  # the reader sees what was there when it began
    assert numbers(path) == [0, 1, 2, 3]


@pytest.mark.live
def test_a_full_disk_refuses_the_batch_and_keeps_what_was_stored(small_disk: Path, bench: Bench) -> None:
    subprocess.run(["mount", "-o", "remount,size=400k", str(small_disk)], check=True)
    path = small_disk / "alerts.db"
    sink = SqliteSink("sqlite", path, bench.tools)
    taken = 0
    with pytest.raises(SinkError, match=r"full|disk I/O error"):  # noqa: PT012 - it is full at some time
        for start in range(0, 10_000, 10):
            sink.write(alerts(10, start))
            taken = start + 10
    assert 0 < taken < 10_000
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    sink.write(alerts(10, taken))
    sink.close()
    assert numbers(path) == list(range(taken + 10))


def test_kill_9_leaves_a_sound_database_with_all_that_was_taken(tmp_path: Path, path: Path) -> None:
    program = f"""
from pathlib import Path
from ruleng.sinks.sqlite import SqliteSink
from tests.sinks.fakes import Bench
from tests.sinks.samples import alerts
sink = SqliteSink("sqlite", Path({str(path)!r}), Bench().tools)
for start in range(0, 10**9, 50):
    sink.write(alerts(50, start))
    print(start + 50, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = [int(child.stdout.readline()) for _ in range(20)]
    child.send_signal(signal.SIGKILL)
    said += [int(line) for line in child.stdout.read().split()]
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    found = numbers(path)
    assert found == list(range(len(found)))
    assert len(found) >= said[-1]
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"alerts since monday\n" * 100, "file is not a database"),
        ("CREATE TABLE songs (title)", "the database of another program"),
        ("CREATE TABLE x (y); PRAGMA application_id = 1920298085; PRAGMA user_version = 99", r"newer ruleng \(schema 99"),
    ],
)
def test_a_file_that_is_no_store_is_left_alone(make: Make, path: Path, content: bytes | str, message: str) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        db = sqlite3.connect(path)
        db.executescript(content)
        db.close()
    before = path.read_bytes()
    with pytest.raises(SinkError, match=message):
        make(path).open()
    with pytest.raises(InputError, match=message):
        Reader(path)
    assert path.read_bytes() == before


def test_a_directory_that_is_missing_is_a_clear_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="unable to open database file") as raised:
        make(tmp_path / "missing" / "alerts.db").open()
    assert raised.value.hint == "create the directory, and let ruleng's user write there"


def test_reading_a_store_that_is_not_there(tmp_path: Path, path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Reader(path)
    path.touch()
    with pytest.raises(InputError, match="not a store of alerts"):
        Reader(path)


def test_only_so_many_rows_are_kept(make: Make, path: Path) -> None:
    sink = make(path, max_rows=3)
    for start in range(10):
        sink.write([alert(start, tags=("a", "b"))])
    assert numbers(path) == [7, 8, 9]
    assert sink.counters()["expired"] == 7
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM tags").fetchone() == (6,)
    db.close()


def test_alerts_go_when_they_are_old_also_when_no_new_ones_come(make: Make, bench: Bench, path: Path) -> None:
    sink = make(path, max_age_ns=3600 * 10**9)
    sink.write(alerts(2))
    bench.clock.pass_s(1800)
    sink.write(alerts(2, 2))
    bench.clock.pass_s(1801)
    sink.idle()
    assert numbers(path) == [2, 3]


def test_ids_are_never_used_again(make: Make, bench: Bench, path: Path) -> None:
    sink = make(path, max_age_ns=10**9)
    sink.write(alerts(3))
    bench.clock.pass_s(2)
    sink.idle()
    assert numbers(path) == []
    sink.write(alerts(1, 3))
    with Reader(path) as reader:
        assert [stored.id for stored in reader.select(Filter())] == [4]


def test_a_file_moved_away_is_made_anew(make: Make, path: Path) -> None:
    sink = make(path)
    sink.write(alerts(1))
    sink.reopen()
    path.unlink()
    sink.write(alerts(1, 1))
    assert numbers(path) == [1]
    assert sink.counters()["reopened"] == 1


def test_following_sees_each_alert_once_as_it_is_stored(make: Make, path: Path) -> None:
    sink = make(path)
    sink.write(alerts(2))
    steps = iter([alerts(1, 2), [], alerts(3, 3), [alert(6, rule="other")], None])

    def wait() -> bool:
        """What happens between two looks; None is the end."""
        step = next(steps)
        if step:
            sink.write(step)
        return step is not None

    with Reader(path) as reader:
        assert [number(stored) for stored in reader.follow(Filter(rule="open*"), wait)] == [2, 3, 4, 5]


def test_following_from_an_id_begins_with_what_is_there(make: Make, path: Path) -> None:
    make(path).write(alerts(4))
    with Reader(path) as reader:
        assert [number(stored) for stored in reader.follow(Filter(after_id=1), lambda: False)] == [1, 2, 3]


def test_a_store_grows_no_index_scan(make: Make, path: Path) -> None:
    """Looking for a time, a rule, a priority, a pid or a container uses an index."""
    make(path).write(alerts(1))
    db = sqlite3.connect(path)
    for condition in ("time_ns >= 5", "rule = 'x'", "priority <= 2", "pid = 4", "container_id = 'x'"):
        plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN SELECT json FROM alerts WHERE {condition}"))  # noqa: S608
        assert "USING INDEX" in plan, condition
    db.close()


def test_every_filter_is_a_field_a_command_can_offer() -> None:
    names = {field.name for field in dataclasses.fields(Filter)}
    assert names == {"rule", "priority", "since_ns", "until_ns", "tag", "container", "pid", "after_id"}
