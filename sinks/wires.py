"""Ways to a log daemon: how to connect, and how a message goes over the connection. They block, and raise OSError."""

from __future__ import annotations

import array
import errno
import fcntl
import os
import select
import socket
from pathlib import Path
from typing import Protocol

from ruleng.ports import Ledger

DEV_LOG = Path("/dev/log")
JOURNAL = Path("/run/systemd/journal/socket")
_TIMEOUT_S = 5.0
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class Wire(Protocol):
    hint: str | None
    """What to do when it fails."""

    def __str__(self) -> str:
        """The other end."""
        ...

    def connect(self) -> socket.socket: ...

    def send(self, to: socket.socket, message: bytes) -> None: ...


class Local:
    """A daemon's socket on this host, /dev/log: datagrams, or a stream of messages that end in NUL, as syslog(3) does."""

    hint: str | None = "is the syslog daemon running?"

    def __init__(self, path: Path = DEV_LOG) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def connect(self) -> socket.socket:
        try:
            return _connect_unix(self._path, socket.SOCK_DGRAM)
        except OSError as error:
            if error.errno != errno.EPROTOTYPE:  # it is the other kind
                raise
            return _connect_unix(self._path, socket.SOCK_STREAM)

    def send(self, to: socket.socket, message: bytes) -> None:
        if to.type == socket.SOCK_STREAM:
            to.sendall(message + b"\0")
        else:
            to.send(message)


class Journal:
    """journald's own socket: datagrams, or a sealed memory file for an entry beyond one (JOURNAL_NATIVE_PROTOCOL)."""

    hint: str | None = "is systemd-journald running?"

    def __init__(self, path: Path = JOURNAL) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def connect(self) -> socket.socket:
        return _connect_unix(self._path, socket.SOCK_DGRAM)

    def send(self, to: socket.socket, message: bytes) -> None:
        try:
            to.send(message)
        except OSError as error:
            if error.errno not in (errno.EMSGSIZE, errno.ENOBUFS):
                raise
            memory = _sealed(message)
            try:
                to.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))])
            finally:
                os.close(memory)


class Tcp:
    """Octet counting, RFC 6587 section 3.4.1: no text can forge the end of a message."""

    hint: str | None = None

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def __str__(self) -> str:
        return f"tcp://{self._host}:{self._port}"

    def connect(self) -> socket.socket:
        return socket.create_connection((self._host, self._port), _TIMEOUT_S)

    def send(self, to: socket.socket, message: bytes) -> None:
        to.sendall(b"%d %s" % (len(message), message))


class Udp:
    """A message a datagram, RFC 5426. Connected, so that the kernel tells of datagrams that came back."""

    hint: str | None = None

    def __init__(self, host: str, port: int, where: str, ledger: Ledger) -> None:
        self._host, self._port = host, port
        self._where = where
        self._ledger = ledger

    def __str__(self) -> str:
        return f"udp://{self._host}:{self._port}"

    def connect(self) -> socket.socket:
        family, kind, protocol, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)[0]
        found = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
        found.settimeout(_TIMEOUT_S)
        found.connect(address)
        return found

    def send(self, to: socket.socket, message: bytes) -> None:
        try:
            to.send(message)
        except ConnectionRefusedError:  # of an earlier datagram; this one was not sent
            self._ledger.lost(self._where, "a datagram came back: nobody listens on the port", sample=str(self))
            raise


def hung_up(stream: socket.socket) -> bool:
    """Whether the other end has closed a connection on which it never says anything: what is sent then would be lost."""
    if stream.type != socket.SOCK_STREAM:
        return False
    readable = select.poll()
    readable.register(stream, select.POLLIN)
    if not readable.poll(0):
        return False
    try:
        return not stream.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _connect_unix(path: Path, kind: socket.SocketKind) -> socket.socket:
    found = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
    found.settimeout(_TIMEOUT_S)
    try:
        found.connect(str(path))
    except OSError:
        found.close()
        raise
    return found


def _sealed(data: bytes) -> int:
    """A memory file that nobody can change any more, memfd_create(2)."""
    memory = os.memfd_create("ruleng-alert", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    left = memoryview(data)
    while left:
        left = left[os.write(memory, left) :]
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
    return memory
