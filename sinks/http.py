"""`http:URL`: each alert is one POST, by default of Falco's JSON, as falcosidekick takes it.

When it fails: an endpoint that is away, slow, overloaded (429, 5xx) or refuses our credentials is tried again, with the
alert, by the channel or from the spool (`ruleng.sinks.delivery`). An alert that the endpoint itself refuses (400, 413, 422)
would be refused for ever: it is counted as lost, and the next one goes. Delivery is at least once: an alert whose answer was
lost is sent again; its uuid tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from ruleng.alert import Alert
from ruleng.errors import SinkError
from ruleng.sinks.backoff import Backoff
from ruleng.sinks.blocking import Thread
from ruleng.sinks.delivery import Delivery
from ruleng.sinks.encode.formats import Encode
from ruleng.sinks.poster import Address, LaterError, Poster, RefusedError
from ruleng.sinks.spool import Spool
from ruleng.sinks.tools import Tools


class HttpSink:
    """ports.Sink. `timeout_s` bounds a whole exchange, however slowly the bytes come."""

    def __init__(
        self,
        name: str,
        address: Address,
        encode: Encode,
        tools: Tools,
        *,
        timeout_s: float = 10.0,
        spool: Path | None = None,
        spool_bytes: int = 64 << 20,
        backoff: Backoff | None = None,
    ) -> None:
        self.name = name
        self._address = address
        self._encode = encode
        self._tools = tools
        self._timeout_s = timeout_s
        self._poster = Poster(address, timeout_s)
        self._net = Thread(name)
        self._not_before_ns = 0  # monotonic; the endpoint asked for it
        self._counts = dict.fromkeys(("alerts", "bytes", "refused"), 0)
        where = f"sink.{name}"
        disk = None if spool is None else Spool(spool, max_bytes=spool_bytes, where=where, ledger=tools.ledger)
        self._delivery = Delivery(name, self._send, tools.report, disk, backoff or Backoff())

    async def open(self) -> None:
        await self._delivery.open()

    async def write(self, alerts: Sequence[Alert]) -> None:
        await self._delivery.write([self._encode(alert) for alert in alerts])

    async def close(self) -> None:
        await self._delivery.close()
        self._poster.abort()
        await self._net.run(self._poster.close)
        self._net.stop()

    def reopen(self) -> None:
        """Nothing to open anew: a connection that fails is replaced by itself."""

    def counters(self) -> Mapping[str, int]:
        return self._counts | self._delivery.counters()

    async def _send(self, body: bytes) -> None:
        wait_s = (self._not_before_ns - self._tools.clock.monotonic_ns()) / 10**9
        if wait_s > 0:
            raise SinkError(self.name, f"{self._address}: it asked to be left alone for another {wait_s:.0f} s")
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._net.run(lambda: self._poster.post(body))
        except TimeoutError as error:
            self._poster.abort()
            raise SinkError(self.name, f"{self._address}: no answer in time") from error
        except LaterError as error:
            self._not_before_ns = self._tools.clock.monotonic_ns() + int(error.after_s * 10**9)
            raise SinkError(self.name, str(error), hint=error.hint) from error
        except RefusedError as error:
            self._counts["refused"] += 1
            self._tools.ledger.lost(f"sink.{self.name}", str(error), sample=error.sample)
        else:
            self._counts["alerts"] += 1
            self._counts["bytes"] += len(body)
