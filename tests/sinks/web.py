"""A web server that does what a test tells it, also what no decent server does."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

Act = Callable[["Exchange"], bool]
"""Answers one request; whether the connection stays open."""


@dataclass
class Exchange:
    connection: socket.socket
    head: str
    body: bytes
    server: WebServer


@dataclass
class WebServer:
    """Answers with `acts` in turn, with the last one from then on. `requests` holds what came, `released` lets `hang` go."""

    acts: list[Act]
    tls: ssl.SSLContext | None = None
    requests: list[Exchange] = field(default_factory=list)
    connections: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    _arrived: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)
    _open: set[socket.socket] = field(default_factory=set)

    def __enter__(self) -> WebServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}/"

    def numbers(self) -> list[int]:
        """Which alerts came, in order."""
        return [int(json.loads(exchange.body)["uuid"][-12:]) for exchange in self.requests]

    def wait_for(self, count: int) -> None:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.requests) >= count, timeout=20), len(self.requests)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            self._open.add(connection)
            with connection, connection.makefile("rb") as stream:
                going_on = True
                while going_on:
                    head = ""
                    while (line := stream.readline().decode()) not in ("\r\n", ""):
                        head += line
                    if not head:
                        return
                    length = int(head.lower().split("content-length:")[1].split()[0])
                    exchange = Exchange(connection, head, stream.read(length), self)
                    act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
                    with self._arrived:
                        self.requests.append(exchange)
                        self._arrived.notify_all()
                    going_on = act(exchange)
        except OSError:
            return
        finally:
            self._open.discard(connection)


def answer(status: str = "200 OK", body: bytes = b"ok", headers: str = "") -> Act:
    def act(exchange: Exchange) -> bool:
        exchange.connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)
        return True

    return act


def raw(data: bytes) -> Act:
    """Says this and hangs up."""

    def act(exchange: Exchange) -> bool:
        exchange.connection.sendall(data)
        exchange.connection.shutdown(socket.SHUT_RDWR)
        return False

    return act


def reset(data: bytes = b"") -> Act:
    """Says this and resets the connection (RST)."""

    def act(exchange: Exchange) -> bool:
        exchange.connection.sendall(data)
        exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.connection.close()
        return False

    return act


def hang(exchange: Exchange) -> bool:
    """Says nothing until the test is over."""
    exchange.server.released.wait()
    return False


def drip(exchange: Exchange) -> bool:
    """Answers, a byte now and then, and never comes to an end."""
    exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not exchange.server.released.wait(0.01):
        exchange.connection.sendall(b"x")
    return False


def then_close(act: Act) -> Act:
    """Closes the idle connection after its answer, as servers do after a while."""

    def both(exchange: Exchange) -> bool:
        act(exchange)
        exchange.connection.shutdown(socket.SHUT_RDWR)
        return False

    return both
