"""Format files of tracefs: what they say, and that odd ones give one clear error."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ruleng.errors import HostError
from ruleng.normalise.perf.record import FIELDS
from ruleng.sources.perf.reader import Decoder
from ruleng.sources.perf.tracefs import Tracefs, parse_format
from tests.sources.perf_support import text_of

EXEC = "sched:sched_process_exec"


def test_fields_have_the_place_size_and_sign_that_the_kernel_says() -> None:
    found = parse_format("raw_syscalls:sys_enter", text_of("raw_syscalls:sys_enter"))
    assert found.id == 443
    number, args = found.fields["id"], found.fields["args"]
    assert (number.shape, number.offset, number.size, number.is_signed) == ("number", 8, 8, True)
    assert (args.shape, args.offset, args.count, args.is_signed) == ("numbers", 16, 6, False)


def test_texts_are_in_place_or_elsewhere_in_the_record() -> None:
    generate = parse_format("signal:signal_generate", text_of("signal:signal_generate"))
    assert (generate.fields["comm"].shape, generate.fields["comm"].size) == ("text", 16)
    assert parse_format(EXEC, text_of(EXEC)).fields["filename"].shape == "data_loc"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: "", "it has no ID"),
        (lambda text: text.replace("ID: 365", "ID: many"), "it has no ID"),
        (lambda text: text[: text.index("print fmt")], "it is cut off: no `print fmt` at its end"),
        (lambda text: text.replace("offset:8;", "offset:eight;"), "line 9 is no field"),
        (lambda text: text.replace("offset:12;", "offset:99999;"), "line 10 lies outside of a record"),
        (lambda text: text.replace("common_type", "kind"), "common_type is not its first two bytes"),
        (lambda text: text.replace("offset:8;\tsize:4", "offset:8;\tsize:2"), "where `filename` lies is not told in 4 bytes"),
    ],
)
def test_an_odd_format_is_one_error_that_names_the_tracepoint_and_what_is_wrong(change, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(HostError, match="sched_process_exec") as caught:
        parse_format(EXEC, change(text_of(EXEC)))
    assert says in str(caught.value)
    assert caught.value.hint


def test_a_field_that_this_kernel_lacks_is_named() -> None:
    layout = parse_format(EXEC, text_of(EXEC).replace(" filename;", " path;"))
    with pytest.raises(HostError, match="has no field `filename`"):
        Decoder(layout, FIELDS[EXEC])


def test_fields_that_overlap_are_refused() -> None:
    layout = parse_format("raw_syscalls:sys_exit", text_of("raw_syscalls:sys_exit").replace("offset:16;", "offset:12;"))
    with pytest.raises(HostError, match="overlaps another field"):
        Decoder(layout, FIELDS["raw_syscalls:sys_exit"])


def test_a_mounted_tracefs_is_taken_where_it_is(tmp_path: Path) -> None:
    place = tmp_path / "events/sched/sched_process_exec"
    place.mkdir(parents=True)
    (place / "format").write_text(text_of(EXEC))
    with Tracefs((str(tmp_path),)) as tracefs:
        assert tracefs.place == str(tmp_path)
        assert tracefs.format(EXEC).id == 365
        with pytest.raises(HostError, match="no tracepoint sched:other: No such file"):
            tracefs.format("sched:other")


LINES = text_of(EXEC).splitlines(keepends=True)


@given(
    st.lists(st.sampled_from(LINES), max_size=20).map("".join)
    | st.builds(lambda at, new: text_of(EXEC)[:at] + new + text_of(EXEC)[at + len(new) :], st.integers(0, 900), st.text(max_size=9))
)
def test_whatever_a_format_says_it_is_read_or_refused_with_its_own_error(text: str) -> None:
    try:
        read = Decoder(parse_format(EXEC, text), FIELDS[EXEC]).least >= 30
    except HostError as error:
        read = str(error).startswith("tracefs: ")
    assert read
