"""`syslog` and `journald`: alerts to a log daemon, here or elsewhere.

The local daemon (/dev/log) gets the form of syslog(3), which is what all of them read; the network gets RFC 5424 with the
fields as structured data; journald gets its native protocol, with RULENG_RULE=... and so on as fields to search by.

When it fails: a daemon or host that is away is SinkError; the channel keeps the alerts and tries again, with a new
connection. UDP and plain TCP confirm nothing: what a receiver drops, or had not read when its connection broke, nobody can
count. A datagram that came back (port unreachable) is counted as lost.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ruleng.alert import Alert
from ruleng.errors import SinkError
from ruleng.sinks.wires import Wire, hung_up

EncodeCut = Callable[[Alert], tuple[bytes, bool]]
"""A message, and whether it had to be cut."""


class SyslogSink:
    """A Blocking sink."""

    idle_s: float | None = None

    def __init__(self, name: str, wire: Wire, encode: EncodeCut) -> None:
        self.name = name
        self._wire = wire
        self._encode = encode
        self._socket: socket.socket | None = None
        self._reopen = False
        self._counts = dict.fromkeys(("alerts", "bytes", "errors", "cut"), 0)

    def open(self) -> None:
        self._attempt(self._connected)

    def write(self, alerts: Sequence[Alert]) -> None:
        for taken, alert in enumerate(alerts):
            message, cut = self._encode(alert)
            self._attempt(lambda: self._wire.send(self._connected(), message), taken)  # noqa: B023 - it is called at once
            self._counts["alerts"] += 1
            self._counts["bytes"] += len(message)
            self._counts["cut"] += cut

    def idle(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None

    def reopen(self) -> None:
        self._reopen = True

    def counters(self) -> Mapping[str, int]:
        return dict(self._counts)

    def _attempt(self, step: Callable[[], object], taken: int = 0) -> None:
        try:
            step()
        except OSError as error:
            self._counts["errors"] += 1
            self.close()
            why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or error
            raise SinkError(self.name, f"{self._wire}: {why}", hint=self._wire.hint, taken=taken) from error

    def _connected(self) -> socket.socket:
        if self._socket is not None and (self._reopen or hung_up(self._socket)):
            self.close()
        if self._socket is None:
            self._reopen = False
            self._socket = self._wire.connect()
        return self._socket
