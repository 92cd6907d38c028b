"""Bytes of a ring -> records, and the ring itself."""

from struct import pack, pack_into

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.errors import HostError
from ruleng.normalise.perf.record import EXEC, FIELDS, Record
from ruleng.sources.perf.merge import Merger
from ruleng.sources.perf.reader import Decoder, Reader
from ruleng.sources.perf.ring import Ring
from ruleng.sources.perf.rings import Reconciled, online_cpus
from ruleng.sources.perf.tracefs import parse_format
from tests.sources.perf_support import decoders, entered, executed, layout, left, lost, record, recorded, sample, text_of
from tests.state.support import Losses

DECODERS = decoders()


def read(data: bytes) -> tuple[list[Record], int, Losses]:
    losses, out = Losses(), list[Record]()
    return out, Reader(DECODERS, losses).feed(data, 3, out), losses


def test_samples_become_records_with_their_cpu_and_time() -> None:
    found, count, losses = read(
        executed(b"/usr/bin/cat", pid=40, tid=41, time_ns=5)
        + entered(257, 1, 2, 3, 4, 5, 2**64 - 1, tid=9, time_ns=6)
        + left(257, -2, tid=9, time_ns=7)
    )
    assert found == [
        (5, "sched:sched_process_exec", 3, (40, 41, 5, "/usr/bin/cat")),
        (6, "raw_syscalls:sys_enter", 3, (7, 9, 6, 257, 1, 2, 3, 4, 5, 2**64 - 1, 2)),
        (7, "raw_syscalls:sys_exit", 3, (7, 9, 7, 257, -2)),
    ]
    assert (count, losses.counts) == (0, {})


def test_what_a_real_kernel_wrote_is_read_and_merged_into_the_order_in_which_it_happened() -> None:
    losses, out = Losses(), list[Record]()
    reader = Reader(DECODERS, losses)
    for cpu, data in recorded():
        assert reader.feed(data, cpu, out) == 0
    assert [(name.partition(":")[2], cpu, values[3:]) for _, name, cpu, values in Merger().merge(out, 2**63)] == [
        ("task_newtask", 1, (8765, 0x4100)),
        ("sched_process_exec", 0, ("/usr/bin/sh",)),
        ("sys_enter", 0, (62, 8765, 10, 0, 0x7FB6B2929AC0, 0x1999999999999999, 0, 2)),
        ("signal_generate", 0, (10, 0, 8765, 0)),
        ("sys_exit", 0, (62, 0)),
        ("signal_deliver", 0, (10, 0, 0x55E2C9DBFDC0)),
        ("sched_process_exec", 1, ("/usr/bin/true",)),
        ("sched_process_exit", 1, ()),
        ("signal_generate", 1, (17, 1, 8762, 1)),
    ]
    assert losses.counts == {}


def test_a_name_with_any_byte_in_it_keeps_each() -> None:
    (found,), _, _ = read(executed(b"/tmp/\xff\x01 x"))
    assert found[3][3].encode("utf-8", "surrogateescape") == b"/tmp/\xff\x01 x"


def test_a_text_ends_with_its_record_whatever_its_length_says() -> None:
    data = sample(EXEC, pack("<HHii", 20, 60_000, 7, 7) + b"/bin/a\0\0") + executed(b"/bin/b")
    found, _, _ = read(data)
    assert [values[3] for *_, values in found] == ["/bin/a", "/bin/b"]


def test_fields_in_another_order_than_they_are_wanted_in_come_out_right() -> None:
    text = text_of("signal:signal_generate").replace("int sig;\toffset:8;", "int sig;\toffset:44;")
    text = text.replace("int result;\toffset:44;", "int result;\toffset:8;")
    moved = Decoder(parse_format("signal:signal_generate", text), FIELDS["signal:signal_generate"])
    plain = DECODERS[layout("signal:signal_generate").id]
    comm = b"sh".ljust(16, b"\0")
    values = plain.unpack(sample("signal:signal_generate", pack("<iii16siii", 10, 0, -6, comm, 99, 1, 4)), 0)
    assert values[3:] == (10, -6, 99, 4)
    assert moved.unpack(sample("signal:signal_generate", pack("<iii16siii", 4, 0, -6, comm, 99, 1, 10)), 0) == values


def test_what_the_kernel_had_no_room_for_is_told() -> None:
    found, count, _ = read(left(0, 0) + lost(17) + left(0, 0) + lost(3))
    assert (len(found), count) == (2, 20)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (record(5, b"\0" * 40), "a record of type 5, which nobody asked for"),
        (record(9, b"\0" * 40), "a sample is of a tracepoint that nobody asked for"),
        (sample("raw_syscalls:sys_enter", b"\0" * 8), "a sample of raw_syscalls:sys_enter is too short"),
        (left(0, 0)[:-1], "a record's size is wrong: what follows it in the ring is given up"),
        (pack("<IHH", 9, 0, 0) + b"\0" * 40, "a record's size is wrong: what follows it in the ring is given up"),
    ],
)
def test_what_cannot_be_read_is_counted_with_what_was_wrong(data: bytes, says: str) -> None:
    found, _, losses = read(data)
    assert found == []
    assert losses.counts == {("perf.parse", says): 1}


PIECES = st.sampled_from([executed(b"/bin/sh"), entered(1, 2), left(1, 2), lost(1)])


@given(
    st.binary(max_size=300) | st.builds(lambda a, b, c: a + b + c, st.lists(PIECES).map(b"".join), st.binary(max_size=40), PIECES)
)
def test_whatever_a_ring_holds_each_byte_is_read_or_counted(data: bytes) -> None:
    found, count, losses = read(data)
    assert found or count or losses.counts or not data or data.startswith(lost(0)[:4])


# --- the ring -----------------------------------------------------------------------------------------------------------------


def ring_of(size: int, head: int = 0, tail: int = 0, offset: int = 4096) -> bytearray:
    memory = bytearray(4096 + size)
    pack_into("<QQQQ", memory, 1024, head, tail, offset, size)
    return memory


def write(memory: bytearray, size: int, data: bytes) -> None:
    """As the kernel does."""
    head = int.from_bytes(memory[1024:1032], "little")
    for index, byte in enumerate(data):
        memory[4096 + (head + index) % size] = byte
    pack_into("<Q", memory, 1024, head + len(data))


@given(st.lists(st.binary(min_size=1, max_size=64), max_size=20), st.integers(0, 1000))
def test_a_ring_gives_what_was_written_however_often_it_wraps(chunks: list[bytes], start: int) -> None:
    memory = ring_of(64, start, start)
    ring = Ring(memory)
    for chunk in chunks:
        write(memory, 64, chunk)
        assert ring.take() == (chunk, True)
        assert memory[1024:1032] == memory[1032:1040]
    assert ring.take() == (b"", True)
    ring.close()


def test_a_ring_that_is_read_in_portions_gives_whole_records_and_loses_none() -> None:
    size = 4096
    memory = ring_of(size, 4000, 4000)
    records = [left(0, number) for number in range(40)]
    write(memory, size, b"".join(records))
    ring, got, ends = Ring(memory), list[bytes](), list[bool]()
    while not ends or not ends[-1]:
        data, is_all = ring.take(300)
        assert len(data) % len(records[0]) == 0
        got.append(data)
        ends.append(is_all)
    assert b"".join(got) == b"".join(records)
    assert len(got) > 5
    ring.close()


def test_a_head_that_is_further_than_the_ring_is_long_gives_nothing_and_is_counted() -> None:
    ring = Ring(ring_of(64, head=500, tail=100))
    assert ring.take() == (b"", True)
    assert ring.overrun == 400
    ring.close()


@pytest.mark.parametrize(("size", "offset"), [(64, 8192), (0, 4096), (64, 8)])
def test_a_ring_that_does_not_lie_in_its_memory_is_refused(size: int, offset: int) -> None:
    with pytest.raises(HostError, match="does not lie in its"):
        Ring(ring_of(size, offset=offset))


# --- order and losses ---------------------------------------------------------------------------------------------------------


def at(*times: int) -> list[Record]:
    return [(time, "x", 0, ()) for time in times]


def times(records: list[Record]) -> list[int]:
    return [record[0] for record in records]


def test_rings_are_merged_by_time() -> None:
    assert times(Merger().merge(at(1, 4, 9) + at(2, 3, 10), 100)) == [1, 2, 3, 4, 9, 10]


def test_what_is_younger_than_the_reading_waits_for_the_next_one() -> None:
    merger = Merger()
    assert times(merger.merge(at(1, 5) + at(3), 4)) == [1, 3]
    assert merger.holds
    assert times(merger.merge(at(4, 6), 7)) == [4, 5, 6]
    assert not merger.holds
    assert merger.late == 0


def test_what_comes_after_a_younger_one_is_counted_and_given_out() -> None:
    merger = Merger()
    merger.merge(at(10), 20)
    assert times(merger.merge(at(5, 9, 11), 20)) == [5, 9, 11]
    assert merger.late == 2


def test_a_loss_that_is_told_twice_is_counted_once() -> None:
    lost_of = Reconciled()
    lost_of.found = 5
    assert lost_of.news() == 5
    lost_of.told = 5
    assert lost_of.news() == 0
    lost_of.told = 7
    assert lost_of.news() == 2


def test_lists_of_cpus_are_read_as_below_sys() -> None:
    assert online_cpus("0-2,5,7-8\n") == (0, 1, 2, 5, 7, 8)
    with pytest.raises(HostError, match="no list of CPUs"):
        online_cpus("0-x")
