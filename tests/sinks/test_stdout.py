"""Standard output as a terminal, a pipe whose reader goes, and a file on a full disk."""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ruleng.errors import SinkClosedError, SinkError
from ruleng.sinks.encode import falco
from ruleng.sinks.stdout import StdoutSink, lines_of, text_encoder, wants_colour, wants_text
from tests.sinks.samples import alert, alerts

ENCODE = lines_of(falco.encode)


class Output:
    """Takes so many bytes and fails; `room` is how many it takes from now on."""

    def __init__(self, room: int, error: int = errno.ENOSPC) -> None:
        self.data = b""
        self.room = room
        self.error = error

    def write(self, _: int, data: bytes) -> int:
        if not self.room:
            raise OSError(self.error, os.strerror(self.error))
        taken = data[: self.room]
        self.data += taken
        self.room -= len(taken)
        return len(taken)


def test_json_lines_through_a_pipe() -> None:
    reader, writer = os.pipe()
    StdoutSink("json", ENCODE, writer).write(alerts(3))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert [json.loads(line)["time"][-4:] for line in pipe] == ["348Z", "349Z", "350Z"]


@settings(deadline=None)
@given(room=st.integers(0, 3000), more=st.integers(0, 3000))
def test_no_byte_is_lost_or_doubled_however_a_disk_fills(room: int, more: int) -> None:
    output = Output(room)
    sink = StdoutSink("json", ENCODE, write=output.write)
    batch = alerts(4)
    expected = b"".join(map(ENCODE, batch))
    while batch:
        try:
            sink.write(batch)
        except SinkError as error:
            del batch[: error.taken]
            output.room = more + 1
        else:
            break
    output.room = 10**6
    sink.close()
    assert output.data == expected


def test_a_full_disk_is_a_clear_error() -> None:
    with Path("/dev/full").open("wb") as full, pytest.raises(SinkError, match="json: standard output: No space left on device"):
        StdoutSink("json", ENCODE, full.fileno()).write(alerts(1))


def test_a_reader_that_is_gone_ends_the_sink() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(SinkClosedError, match="whoever read standard output is gone"):
        StdoutSink("text", ENCODE, writer).write(alerts(1))
    os.close(writer)


def test_a_closed_output_ends_the_sink() -> None:
    with pytest.raises(SinkClosedError, match="standard output is closed"):
        StdoutSink("text", ENCODE, 4095).open()


def test_head_gets_its_lines_and_the_writer_ends_without_a_word() -> None:
    program = """
from ruleng.errors import SinkClosedError
from ruleng.sinks.stdout import StdoutSink, text_encoder
from tests.sinks.samples import alerts
sink = StdoutSink("text", text_encoder(colour=False))
try:
    while True:
        sink.write(alerts(100))
except SinkClosedError:
    pass
"""
    shell = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {sys.executable} -c '{program}' | head -n 2"], capture_output=True, text=True, check=False
    )
    assert shell.returncode == 0
    assert shell.stderr == ""
    assert len(shell.stdout.splitlines()) == 2


def test_a_nonblocking_pipe_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    program = f"import os; print(len(os.fdopen({reader}, 'rb').read()))"
    child = subprocess.Popen([sys.executable, "-c", program], pass_fds=(reader,), stdout=subprocess.PIPE)
    os.close(reader)
    batch = alerts(1000)
    StdoutSink("json", ENCODE, writer).write(batch)
    os.close(writer)
    out, _ = child.communicate()
    assert int(out) == sum(len(ENCODE(one)) for one in batch)


@pytest.mark.parametrize(
    ("environ", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm"}, True)],
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], colour: bool) -> None:
    terminal, side = pty.openpty()
    assert wants_text(side)
    assert wants_colour(environ, side) is colour
    os.close(terminal)
    os.close(side)


def test_a_pipe_gets_neither_text_nor_colour() -> None:
    reader, writer = os.pipe()
    assert not wants_text(writer)
    assert not wants_colour({}, writer)
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("encode", [text_encoder(colour=False), text_encoder(colour=True)])
def test_text_of_any_alert_is_utf8_and_ends_its_line(encode: Callable[..., bytes]) -> None:
    data = encode(alert(0, output="\udcff\ud800 \x1b]0;title\x07"))
    assert data.decode("utf-8").endswith("\n")
    assert b"\x1b]" not in data
