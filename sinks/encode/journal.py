"""Alert -> an entry of systemd's journal, systemd.io/JOURNAL_NATIVE_PROTOCOL. Values may hold any bytes, so nothing is
escaped but the message, which people read.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from ruleng.alert import Alert
from ruleng.sinks.encode.syslog import message
from ruleng.sinks.encode.text import done
from ruleng.sinks.encode.values import Json, text

_NAME_MAX = 64  # longer names, and other characters than A-Z 0-9 _, are refused by journald
_BAD = re.compile(r"[^A-Z0-9]+")


def encode(alert: Alert, *, app_name: str) -> bytes:
    return b"".join(_pair(name, value) for name, value in pairs(alert, app_name))


def pairs(alert: Alert, app_name: str) -> Iterator[tuple[str, bytes]]:
    """The fields in order; a name may come more than once, as the journal allows."""
    yield "MESSAGE", _bytes(message(alert))
    yield "PRIORITY", b"%d" % alert.priority
    yield "SYSLOG_IDENTIFIER", _bytes(app_name)
    yield "RULENG_RULE", _bytes(alert.rule)
    yield "RULENG_UUID", _bytes(alert.uuid)
    yield "RULENG_SOURCE", _bytes(alert.source)
    yield "RULENG_HOSTNAME", _bytes(alert.hostname)
    yield "RULENG_TIME_NS", b"%d" % alert.time_ns
    for tag in sorted(alert.tags):
        yield "RULENG_TAG", _bytes(tag)
    for outcome in alert.actions:
        yield "RULENG_ACTION", _bytes(done(outcome))
    if alert.suppressed:
        yield "RULENG_SUPPRESSED", b"%d" % alert.suppressed
    for name, value in alert.output_fields.items():
        if value is not None:
            yield _name(name), _value(value)


def _name(field: str) -> str:
    """`proc.aname[2]` -> `RULENG_FIELD_PROC_ANAME_2`."""
    return f"RULENG_FIELD_{_BAD.sub('_', field.upper()).strip('_')}"[:_NAME_MAX]


def _value(value: Json) -> bytes:
    match value:
        case str():
            return _bytes(value)
        case bytes():
            return value
        case _:
            return _bytes(text(value))


def _pair(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)
    return b"%s=%s\n" % (name.encode(), value)


def _bytes(line: str) -> bytes:
    """The kernel's own bytes back where it had some that are no UTF-8."""
    try:
        return line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return line.encode("utf-8", "replace")
