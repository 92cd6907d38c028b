"""Messages over real sockets: local datagrams and streams, UDP, TCP, journald's, and what happens when nobody is there."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ruleng.errors import SinkError
from ruleng.sinks.encode import journal, syslog
from ruleng.sinks.syslog import SyslogSink
from ruleng.sinks.wires import Journal, Local, Tcp, Udp, Wire
from tests.sinks.fakes import Bench
from tests.sinks.samples import HOSTILE, alert, alerts, hostile

OPTIONS = {"facility": 10, "app_name": "ruleng", "pid": 7}
LOCAL = partial(syslog.local, max_size=8192, **OPTIONS)  # type: ignore[arg-type]
REMOTE = partial(syslog.rfc5424, max_size=8192, **OPTIONS)  # type: ignore[arg-type]


def entry(one: object) -> tuple[bytes, bool]:
    return journal.encode(one, app_name="ruleng"), False  # type: ignore[arg-type]


Make = Callable[..., SyslogSink]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[SyslogSink] = []

    def make(wire: Wire, encode: object) -> SyslogSink:
        made.append(SyslogSink("syslog", wire, encode))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sink in made:
        sink.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[[socket.SocketKind], socket.socket]]:
    """Listens at tmp_path/log."""
    made: list[socket.socket] = []

    def listen(kind: socket.SocketKind) -> socket.socket:
        (tmp_path / "log").unlink(missing_ok=True)
        found = socket.socket(socket.AF_UNIX, kind)
        found.bind(str(tmp_path / "log"))
        if kind == socket.SOCK_STREAM:
            found.listen()
        found.settimeout(20)
        made.append(found)
        return found

    yield listen
    for one in made:
        one.close()


def test_local_datagrams(make: Make, daemon: Callable[..., socket.socket], tmp_path: Path) -> None:
    log = daemon(socket.SOCK_DGRAM)
    make(Local(tmp_path / "log"), LOCAL).write(alerts(2))
    for number in range(2):
        assert log.recv(9999) == (
            b"<84>ruleng[7]: Warning open_from_cat: An open was seen (number=%d command=cat /dev/null)" % number
        )


def test_a_local_stream(make: Make, daemon: Callable[..., socket.socket], tmp_path: Path) -> None:
    log = daemon(socket.SOCK_STREAM)
    sink = make(Local(tmp_path / "log"), LOCAL)
    sink.write(alerts(2))
    sink.close()
    connection, _ = log.accept()
    with connection, connection.makefile("rb") as stream:
        assert stream.read().count(b"\0") == 2


def test_a_daemon_that_is_away_is_a_clear_error_and_found_when_it_is_back(
    make: Make, daemon: Callable[..., socket.socket], tmp_path: Path
) -> None:
    sink = make(Local(tmp_path / "log"), LOCAL)
    with pytest.raises(SinkError, match=r"syslog: .*/log: No such file or directory") as raised:
        sink.open()
    assert raised.value.hint == "is the syslog daemon running?"
    log = daemon(socket.SOCK_DGRAM)
    sink.write(alerts(1))
    log.close()
    with pytest.raises(SinkError, match="Connection refused") as raised:
        sink.write(alerts(2, 1))
    assert raised.value.taken == 0
    log = daemon(socket.SOCK_DGRAM)
    sink.write(alerts(1, 1))
    assert b"number=1" in log.recv(9999)
    assert sink.counters()["errors"] == 2


def test_udp(make: Make, bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(20)
        make(Udp("127.0.0.1", log.getsockname()[1], "sink.syslog", bench.ledger), REMOTE).write([hostile()])
        message = log.recv(65535)
    assert message.startswith(b"<84>1 2016-08-04T16:17:57.881785Z host ruleng 7 alert [ruleng@32473 ")
    assert b"\n" not in message


def test_a_datagram_that_came_back_is_counted_as_lost(make: Make, bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        port = log.getsockname()[1]
    sink = make(Udp("127.0.0.1", port, "sink.syslog", bench.ledger), REMOTE)
    with pytest.raises(SinkError, match=rf"syslog: udp://127.0.0.1:{port}: Connection refused"):  # noqa: PT012 - at the second
        sink.write(alerts(1))
        sink.write(alerts(1, 1))
    assert bench.ledger.losses == {("sink.syslog", "a datagram came back: nobody listens on the port"): 1}


def test_a_datagram_that_is_too_long_was_cut_before(make: Make, bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(20)
        sink = make(Udp("127.0.0.1", log.getsockname()[1], "sink.syslog", bench.ledger), REMOTE)
        sink.write([alert(0, output="x" * 100_000)])
        assert len(log.recv(65535)) == 8192
    assert sink.counters()["cut"] == 1


def counted(stream: bytes) -> list[bytes]:
    """The messages of a stream with octet counting."""
    found = []
    while stream:
        size, _, rest = stream.partition(b" ")
        found.append(rest[: int(size)])
        stream = rest[int(size) :]
    return found


def test_tcp_counts_octets(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as log:
        sink = make(Tcp("127.0.0.1", log.getsockname()[1]), REMOTE)
        sink.write([alert(0, output=HOSTILE + " 17 <13>1 forged"), alert(1)])
        sink.close()
        connection, _ = log.accept()
        with connection, connection.makefile("rb") as stream:
            messages = counted(stream.read())
    assert len(messages) == 2
    assert all(message.startswith(b"<84>1 ") for message in messages)


def test_a_tcp_receiver_that_hung_up_is_found_before_a_message_is_lost(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as log:
        sink = make(Tcp("127.0.0.1", log.getsockname()[1]), REMOTE)
        sink.write(alerts(1))
        first, _ = log.accept()
        first.close()
        sink.write(alerts(1, 1))
        sink.close()
        second, _ = log.accept()
        with second, second.makefile("rb") as stream:
            assert [b"number=1" in message for message in counted(stream.read())] == [True]


def test_a_tcp_receiver_that_is_away_is_a_clear_error(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as log:
        port = log.getsockname()[1]
    with pytest.raises(SinkError, match=rf"tcp://127.0.0.1:{port}: Connection refused"):
        make(Tcp("127.0.0.1", port), REMOTE).write(alerts(1))


def test_reopening_makes_a_new_connection(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as log:
        sink = make(Tcp("127.0.0.1", log.getsockname()[1]), REMOTE)
        sink.write(alerts(1))
        sink.reopen()
        sink.write(alerts(1))
        sink.write(alerts(1))
        connections = [log.accept()[0] for _ in range(2)]
        log.setblocking(False)
        with pytest.raises(BlockingIOError):
            log.accept()
        for connection in connections:
            connection.close()


def test_an_entry_of_the_journal(make: Make, daemon: Callable[..., socket.socket], tmp_path: Path) -> None:
    log = daemon(socket.SOCK_DGRAM)
    make(Journal(tmp_path / "log"), entry).write(alerts(1))
    assert b"RULENG_RULE=open_from_cat\n" in log.recv(65535)


def test_an_entry_beyond_a_datagram_goes_as_a_sealed_memory_file(
    make: Make, daemon: Callable[..., socket.socket], tmp_path: Path
) -> None:
    log = daemon(socket.SOCK_DGRAM)
    long = alert(0, output="x" * 1_000_000)
    make(Journal(tmp_path / "log"), entry).write([long])
    message, fds, *_ = socket.recv_fds(log, 10, 1)
    assert message == b""
    assert fcntl.fcntl(fds[0], fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
    assert os.pread(fds[0], 10**7, 0) == journal.encode(long, app_name="ruleng")
    os.close(fds[0])


def test_a_journal_that_is_away_is_a_clear_error(make: Make, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="No such file or directory") as raised:
        make(Journal(tmp_path / "none"), entry).open()
    assert raised.value.hint == "is systemd-journald running?"
