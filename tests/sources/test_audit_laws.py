"""Laws of the way from bytes to events: what must hold of any log, however it comes."""

from __future__ import annotations

import re
from itertools import groupby, pairwise

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ruleng.abi.audit import RECORDS
from ruleng.fields.record import to_fields
from ruleng.normalise.audit import AuditEvent
from ruleng.sources.audit.reader import Reader
from tests.bench.auditlog import lines
from tests.sources.audit import Places, all_lines, normalised, of_one_host, read
from tests.sources.test_audit_hostile import TABLE, TIME, opened, record

SOUND = [line.encode() for line in lines(120)]
KERNEL = [line for line in SOUND if not line.startswith(b"type=USER")]
"""Without messages of programs: each event begins with SYSCALL and ends with PROCTITLE."""
DAMAGED = [between if isinstance(between, bytes) else between.encode() for between, _, _, _ in TABLE.values()]
DAMAGED = [piece for piece in DAMAGED if len(piece) < 10_000]

_STAMP = re.compile(rb"audit\(([^)]*)\)")
_TYPES = {name.encode(): number for number, name in RECORDS.items()}


def stamp(line: bytes) -> bytes:
    found = _STAMP.search(line)
    assert found is not None
    return found[1]


def events() -> list[list[bytes]]:
    """The lines of KERNEL, event by event."""
    return [list(of) for _, of in groupby(KERNEL, stamp)]


def cut(data: bytes, borders: list[int]) -> list[bytes]:
    places = sorted(border % (len(data) + 1) for border in borders)
    return [data[start:end] for start, end in pairwise([0, *places, len(data)])]


def in_order(found: list[AuditEvent]) -> list[AuditEvent]:
    return sorted(map(of_one_host, found), key=lambda event: (event.time_ns, event.serial, event.node or ""))


pieces = st.lists(st.sampled_from([*all_lines(), *SOUND, *DAMAGED, b"\n", b"".join(SOUND[:30]), b"type=SYSCALL"]), max_size=40)


@settings(max_examples=300, deadline=None)
@given(pieces.map(b"".join), st.lists(st.integers(0, 1 << 20), max_size=20))
@example(b"".join(SOUND), list(range(0, 40_000, 7)))
@example(b"".join(all_lines()), list(range(0, 80_000, 11)))
def test_a_stream_cut_anywhere_gives_the_same_events_and_losses(data: bytes, borders: list[int]) -> None:
    whole, parts = Places(), Places()
    assert read(cut(data, borders), parts) == read(data, whole)
    assert parts.all == whole.all


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_interleaved_events_are_the_events(data: st.DataObject) -> None:
    queues = [list(event) for event in data.draw(st.permutations(events()[:12]))]
    expected = read(b"".join(b"".join(event) for event in events()[:12]), Places())
    mixed = b""
    while queues:
        queue = data.draw(st.sampled_from(queues))
        mixed += queue.pop(0)
        queues = [queue for queue in queues if queue]
    losses = Places()
    assert in_order(read(mixed, losses)) == in_order(expected)
    assert losses.all == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(("web1", "web2", None)), min_size=2, max_size=6))
def test_events_of_several_hosts_never_mix(nodes: list[str | None]) -> None:
    parts = {node: opened(5, node=f"node={node} " if node else "").encode().splitlines(keepends=True) for node in nodes}
    mixed = b"".join(line for of in zip(*parts.values(), strict=True) for line in of)
    losses = Places()
    found = read(mixed, losses)
    assert {event.node for event in found} == set(nodes)
    alone = Places()
    assert in_order(found) == in_order([event for lines in parts.values() for event in read(b"".join(lines), alone)])
    assert (losses.all, alone.all) == ([], [])


changes = st.tuples(
    st.integers(0, 1 << 20), st.integers(0, 12), st.binary(max_size=6) | st.sampled_from((b"9" * 40, b"\x1d", b'"', b"=", b" "))
)


@settings(max_examples=400, deadline=None)
@given(pieces.map(b"".join), st.lists(changes, max_size=8))
def test_no_bytes_make_parsing_raise(data: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    """Whatever stands in a log: it is read to the last field, or counted with the place where it stands."""
    for place, size, other in edits:
        at = place % (len(data) + 1)
        data = data[:at] + other + data[at + size :]
    losses = Places()
    for event in normalised(read(data, losses), losses):
        orjson.dumps(to_fields(event))
    assert all(reason and (place or "").startswith("log:") for _, reason, place in losses.all)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_counted(data: bytes) -> None:
    losses = Places()
    found = read(data, losses)
    assert found or losses.all or not data.strip()


def netlink(line: bytes) -> tuple[int, bytes]:
    """(type, payload) of the message that auditd made the line of."""
    kind, _, payload = line.rstrip(b"\n").removeprefix(b"type=").partition(b" msg=")
    return _TYPES[kind], payload


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*events(), *([line] for line in SOUND if line.startswith(b"type=USER"))]), max_size=20))
def test_messages_of_the_kernel_are_the_events_of_its_log(chosen: list[list[bytes]]) -> None:
    of_lines, of_messages = Places(), Places()
    reader = Reader(of_messages)
    text = [line for event in chosen for line in event]
    found = [event for line in text for event in reader.feed_netlink(*netlink(line))] + reader.flush()
    assert list(map(of_one_host, found)) == list(map(of_one_host, read(b"".join(text), of_lines)))
    assert [reason for _, reason, _ in of_messages.all] == [reason for _, reason, _ in of_lines.all]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(events()), st.booleans())
def test_an_end_that_is_written_changes_nothing(event: list[bytes], is_apart: bool) -> None:
    end = record(0, "EOE", "").encode().replace(TIME.encode() + b":0", stamp(event[0]))
    losses = Places()
    text = b"".join(event)
    found = read([text, end] if is_apart else text + end, losses)
    assert (found, losses.all) == (read(text, losses), [])
