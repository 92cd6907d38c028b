"""libauparse as the backend that puts events together: python3-audit, the audit project's own parser.

It stands behind the same reader: what is no line of text is refused before it gets there. It is 5 to 10 times slower than
ruleng's own and does not hand on what auditd added with log_format=ENRICHED; it is here to compare, and for who trusts
nothing else. Distributions install it for their own Python, outside of virtual environments; this looks there when asked.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from ruleng.errors import HostError
from ruleng.normalise.audit import AuditEvent, parse_syscall
from ruleng.ports import Ledger
from ruleng.sources.audit.reader import Reader
from ruleng.sources.audit.record import split

DISTRIBUTION_PACKAGES = "/usr/lib/python3/dist-packages"
_HINT = "apt-get install python3-audit, for the same version of Python that runs ruleng; or use the backend `ruleng`"


def load() -> Any:
    """The module `auparse`. Raises HostError when it is not there, or not for this Python."""
    try:
        return import_module("auparse")
    except ImportError:
        sys.path.append(DISTRIBUTION_PACKAGES)
    try:
        return import_module("auparse")
    except ImportError as error:
        raise HostError(f"python3-audit cannot be loaded: {error}", hint=_HINT) from error
    finally:
        sys.path.remove(DISTRIBUTION_PACKAGES)


class AuparseReader(Reader):
    """A `Backend`. Events have no line numbers: libauparse does not tell."""

    def __init__(self, ledger: Ledger, source: str = "audit") -> None:
        super().__init__(ledger, source)
        self._source = source
        self._ready: list[AuditEvent] = []
        self._auparse = load()
        self._parser = self._auparse.AuParser(self._auparse.AUSOURCE_FEED)
        # it takes nothing but a plain function
        self._parser.add_callback(lambda parser, kind, _: self._complete(parser, kind), None)

    def begin(self, source: str) -> None:
        super().begin(source)
        self._source = source

    def flush(self) -> list[AuditEvent]:
        super().flush()
        self._parser.flush_feed()
        return self._take()

    def tick(self) -> list[AuditEvent]:
        self._parser.feed_age_events()
        return self._take()

    def _take(self) -> list[AuditEvent]:
        ready, self._ready = self._ready, []
        return ready

    def _text(self, text: bytes) -> None:
        self._line += text.count(b"\n")
        self._parser.feed(text.decode())

    def _one(self, line: bytes) -> None:
        self._text(line + b"\n")

    def _complete(self, parser: Any, kind: int) -> None:
        if kind != self._auparse.AUPARSE_CB_EVENT_READY:
            return
        stamp = parser.get_timestamp()
        syscall, title, company = None, None, b""
        more = parser.first_record()
        while more:
            record = parser.get_type_name()
            _, _, body = split(parser.get_record_text().encode())
            if record == "SYSCALL":
                syscall = parse_syscall(body)
            elif record == "PROCTITLE":
                title = body
            else:
                company += b"type=%b %b\n" % (record.encode(), body)
            more = parser.next_record()
        time_ns = stamp.sec * 1_000_000_000 + stamp.milli * 1_000_000
        self._ready.append(AuditEvent(time_ns, stamp.serial, stamp.host, syscall, company, title, self._source, 0))
