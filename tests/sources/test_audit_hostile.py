"""Logs that are damaged, cut, doubled or made to hurt: each loss is counted once with its place, and the rest still comes."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from ruleng.normalise.audit import AuditEvent
from ruleng.sources.audit.assemble import DEFAULT_LIMITS
from ruleng.sources.audit.reader import MAX_LINE, Reader
from tests.sources.audit import Places, normalised, read

TIME = "1700000000.000"
_SERIAL = "the serial number of an audit record cannot be read"
_TIME = "the time of an audit record cannot be read"
_UNKNOWN = "system call 9999 of architecture c000003e is not known"
_TASK = (
    "ppid=1 pid=7 auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 "
    'comm="cat" exe="/usr/bin/cat" key=(null)'
)


def syscall(serial: int, *, number: int = 257, items: int = 1, time: str = TIME, node: str = "") -> str:
    return (
        f"{node}type=SYSCALL msg=audit({time}:{serial}): arch=c000003e syscall={number} success=yes exit=3 a0=ffffff9c a1=7ffd "
        f"a2=0 a3=0 items={items} {_TASK}\n"
    )


def record(serial: int, kind: str, body: str, *, time: str = TIME, node: str = "") -> str:
    return f"{node}type={kind} msg=audit({time}:{serial}): {body}\n"


def path(serial: int, name: str = '"/etc/hosts"', **where: str) -> str:
    return record(serial, "PATH", f"item=0 name={name} inode=1 dev=fe:00 mode=0100644 nametype=NORMAL", **where)


def opened(serial: int, *, time: str = TIME, node: str = "") -> str:
    """Four lines."""
    return "".join(
        (
            syscall(serial, time=time, node=node),
            record(serial, "CWD", 'cwd="/"', time=time, node=node),
            path(serial, time=time, node=node),
            record(serial, "PROCTITLE", "proctitle=636174002F6574632F686F737473", time=time, node=node),
        )
    )


BEFORE, AFTER = opened(1), opened(9)
LINE = BEFORE.count("\n") + 1

# what stands between two sound events, what is said of it, at which of its lines, how many events it still gives
TABLE: dict[str, tuple[str | bytes, str, int, int]] = {
    "nul": (b'type=CWD msg=audit(1700000000.000:5): cwd="/\0"\n', "NUL bytes in a line", 1, 0),
    "latin-1": (b'type=USER_CMD msg=audit(1700000000.000:5): pid=1 cmd="\xe9"\n', "a line is not UTF-8", 1, 0),
    "no record": ("Jul  1 10:00:00 web1 systemd[1]: Started.\n", "no audit record", 1, 0),
    "cut in the stamp": ("type=SYSCALL msg=audit(17000000\n", "no audit record", 1, 0),
    "no type": ("msg=audit(1700000000.000:5): arch=c000003e\n", "an audit record does not say its type", 1, 0),
    "cut in a field": (syscall(5)[:70] + "\n", "a SYSCALL record cannot be read", 1, 0),
    "no number": (syscall(5).replace("pid=7", "pid=seven"), "a SYSCALL record cannot be read", 1, 0),
    "serial of letters": (record(5, "CWD", "").replace(":5)", ":five)"), _SERIAL, 1, 0),
    "endless serial": (record(10**40, "CWD", ""), _SERIAL, 1, 0),
    "time of letters": (record(5, "CWD", "", time="now.000"), _TIME, 1, 0),
    "time beyond 64 bits": (record(5, "CWD", "", time="9" * 30 + ".000"), _TIME, 1, 0),
    "time of the year 2600": (record(5, "CWD", "", time="19880899200.000"), _TIME, 1, 0),
    "no system call": (opened(5).partition("\n")[2], "an event lacks its SYSCALL record", 1, 0),
    "system call twice": (syscall(5) + opened(5), "a SYSCALL record came twice", 2, 1),
    "path twice": (opened(5) + path(5), "a record came after its event was complete, or twice", 5, 1),
    "only its end": (record(5, "EOE", ""), "an event was lost, all but its end", 1, 0),
    "odd hex": (opened(5).replace('"/etc/hosts"', "2F6"), "PATH: a value is neither quoted nor hex", 1, 1),
    "no hex": (opened(5).replace('"/etc/hosts"', "2G"), "PATH: a value is neither quoted nor hex", 1, 1),
    "open quote": (opened(5).replace('"/etc/hosts"', '"/etc'), "PATH: a quote is not closed", 1, 1),
    "unknown call": (opened(5).replace("syscall=257", "syscall=9999"), _UNKNOWN, 1, 0),
    "a number beyond 64 bits": (opened(5).replace("inode=1", f"inode={'9' * 40}"), "PATH: a number is beyond 64 bits", 1, 1),
    "a user beyond 64 bits": (opened(5).replace(" uid=0", f" uid={'9' * 40}"), "a number is beyond 64 bits", 1, 0),
    "a result beyond 64 bits": (syscall(5, items=0).replace("exit=3", f"exit={'9' * 20}"), "a SYSCALL record cannot be read", 1, 0),
    "a line of 2 MB": ("type=CWD msg=audit(1700000000.000:5): cwd=" + "41" * 1_000_000 + "\n", "a line is longer than 1 MiB", 1, 0),
    "arguments missing": (
        syscall(5, number=59, items=0) + record(5, "EXECVE", 'argc=3 a0="cat" a2="x"') + record(5, "PROCTITLE", 'proctitle="cat"'),
        "an argument of EXECVE cannot be read", 1, 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("between", "reason", "line", "events"), TABLE.values(), ids=TABLE)
def test_damage_is_one_loss_with_its_place_and_the_rest_comes(between: str | bytes, reason: str, line: int, events: int) -> None:
    data = between if isinstance(between, bytes) else between.encode()
    losses = Places()
    found = list(normalised(read(BEFORE.encode() + data + AFTER.encode(), losses, "audit.log"), losses))
    assert [(why, place) for _, why, place in losses.all] == [(reason, f"audit.log:{LINE + line - 1}")]
    assert [event.type for event in found if event.paths.name == "/etc/hosts"].count("openat") >= 2
    assert len(found) == 2 + events


def test_the_end_of_a_cut_file_is_lost_and_what_was_whole_is_not() -> None:
    data = (BEFORE + AFTER).encode()
    for end in range(data.rindex(b"\n", 0, -1) + 2, len(data)):
        losses = Places()
        found = read(data[:end], losses, "audit.log")
        assert [event.serial for event in found] == [1, 9]
        assert losses.all == [("audit.parse", "the last line has no newline: it may be cut off", "audit.log:8")]


def test_lines_that_end_like_those_of_another_system_are_read() -> None:
    losses = Places()
    (event,) = normalised(read(opened(5).replace("\n", "\r\n").encode(), losses), losses)
    assert (event.type, losses.all) == ("openat", [])


def test_an_event_whose_paths_never_come_is_handed_on_when_time_has_passed() -> None:
    losses = Places()
    reader = Reader(losses)
    half = syscall(5, items=2) + path(5) + record(5, "PROCTITLE", 'proctitle="cat"')
    assert reader.feed(half.encode()) == []
    assert [event.serial for event in reader.feed(opened(9, time="1700000001.000").encode())] == [9]
    assert [event.serial for event in reader.feed(opened(10, time="1700000003.000").encode())] == [5, 10]


def test_events_without_an_end_are_handed_on_in_order_by_the_second_tick() -> None:
    reader = Reader(Places())
    serials = list(range(40))
    assert reader.feed("".join(syscall(serial, items=0) for serial in serials).encode()) == []
    assert reader.tick() == []
    assert [event.serial for event in reader.tick()] == serials


def test_time_that_goes_backwards_closes_what_is_open_and_is_counted() -> None:
    losses = Places()
    early = "1600000000.000"
    data = syscall(5) + opened(9) + opened(3, time=early) + opened(4, time=early)
    assert [event.serial for event in Reader(losses, "audit.log").feed(data.encode())] == [9, 5, 3, 4]
    assert losses.all == [("audit.assemble", "time went backwards: what was open is closed", "audit.log:6")]


@pytest.mark.parametrize("time", ["19880899200.000", "9223372036.855"])
def test_a_whole_event_after_the_year_2262_is_lost_record_by_record(time: str) -> None:
    losses = Places()
    assert [event.serial for event in read((BEFORE + opened(5, time=time) + AFTER).encode(), losses)] == [1, 9]
    assert losses.all == [("audit.parse", _TIME, f"log:{line}") for line in (5, 6, 7, 8)]


def test_every_record_of_a_log_that_was_doubled_is_counted_and_no_event_comes_twice() -> None:
    data = "".join(opened(serial) for serial in range(1, 11)).encode()
    losses = Places()
    assert [event.serial for event in read(data + data, losses)] == list(range(1, 11))
    assert [(reason, place) for _, reason, place in losses.all] == [
        ("a record came after its event was complete, or twice", f"log:{line}") for line in range(41, 81)
    ]


def test_a_line_of_64_mb_is_skipped_within_3_mb() -> None:
    losses = Places()
    reader = Reader(losses, "audit.log")
    piece = b"A" * 65_536
    tracemalloc.start()
    try:
        reader.feed(BEFORE.encode() + b"type=CWD msg=audit(1700000000.000:5): cwd=")
        for _ in range(1024):
            reader.feed(piece)
        found = reader.feed(b"\n" + AFTER.encode())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [event.serial for event in found] == [9]
    assert losses.all == [("audit.parse", "a line is longer than 1 MiB", f"audit.log:{LINE}")]
    assert peak < 3 * MAX_LINE


def pieces(event: int, size_bytes: int) -> Iterator[bytes]:
    yield syscall(event, number=59, items=0).encode()
    for number in range(size_bytes // 7_000):
        yield record(event, "EXECVE", f"a1[{number}]={'41' * 3_500}").encode()


def test_an_event_that_grows_without_end_is_closed_when_too_much_is_held() -> None:
    losses = Places()
    reader = Reader(losses, "audit.log")
    found: list[AuditEvent] = []
    for piece in pieces(5, 2 * DEFAULT_LIMITS.held_bytes):
        found += reader.feed(piece)
    assert [event.serial for event in found] == [5]
    assert len(found[0].company) <= DEFAULT_LIMITS.held_bytes
    assert losses.all[0] == ("audit.assemble", "open events hold too much memory: the oldest was closed early", "audit.log:1")
    assert {reason for _, reason, _ in losses.all[1:]} == {"a record came after its event was complete, or twice"}


def test_hosts_without_number_are_forgotten_and_their_events_come() -> None:
    count = DEFAULT_LIMITS.nodes + 5
    losses = Places()
    data = "".join(opened(5, time=f"{1_700_000_000 + number}.000", node=f"node=host{number} ") for number in range(count))
    assert [event.node for event in read(data.encode(), losses)] == [f"host{number}" for number in range(count)]
    assert {reason for _, reason, _ in losses.all} == {"too many nodes: the clocks of all were forgotten"}


_MILLION = """
import resource
from ruleng.sources.audit.reader import Reader
from tests.sources.audit import Places
from tests.sources.test_audit_hostile import syscall

class Counted(Places):
    count = 0
    def lost(self, where, reason, count=1, *, sample=None):
        if not self.count:
            self.first = f"{reason} {sample}"
        self.count += count

losses = Counted()
reader = Reader(losses, "audit.log")
line = syscall(5, items=0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
events = 0
for start in range(0, 1_000_000, 1_000):
    events += len(reader.feed("".join([line.replace(":5)", f":{start + number})") for number in range(1_000)]).encode()))
held = len(reader.flush())
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(events, held, losses.count, losses.first, grown, sep="|")
"""


def test_of_a_million_events_that_are_never_closed_only_the_newest_are_held() -> None:
    done = subprocess.run([sys.executable, "-c", _MILLION], capture_output=True, text=True, check=True)
    events, held, lost, first, kilobytes = done.stdout.strip().split("|")
    assert (int(events), int(held)) == (1_000_000 - DEFAULT_LIMITS.events, DEFAULT_LIMITS.events)
    assert int(lost) == int(events)
    assert first == f"too many events are open: the oldest was closed early audit.log:{DEFAULT_LIMITS.events + 1}"
    assert int(kilobytes) < 16_384
