"""Alert -> syslog messages: RFC 5424 with structured data for the network, the old local form for /dev/log."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ruleng.alert import Alert
from ruleng.sinks.encode.text import done
from ruleng.sinks.encode.values import iso, printable, text

FACILITIES = {"kern": 0, "user": 1, "daemon": 3, "auth": 4, "syslog": 5, "authpriv": 10, "audit": 13, "alert": 14} | {
    f"local{n}": 16 + n for n in range(8)
}
"""RFC 5424 section 6.2.1."""

ENTERPRISE = "32473"  # an SD-ID needs a private enterprise number; this one is set aside for those without, RFC 5612
_NAME = re.compile(r'[^!-~]|[="\]]')  # what SD-NAME, HOSTNAME and the like may not hold, RFC 5424 section 6
_VALUE = re.compile(r'["\\\]]')


def message(alert: Alert) -> str:
    """One line: the rule, its output, and what was done."""
    parts = [f"{printable(alert.rule)}: {printable(alert.output)}"]
    parts += [f"[{done(outcome)}]" for outcome in alert.actions]
    if alert.suppressed:
        parts.append(f"[{alert.suppressed} more held back]")
    return " ".join(parts)


def local(alert: Alert, *, facility: int, app_name: str, pid: int, max_size: int) -> tuple[bytes, bool]:
    """`<84>ruleng[4711]: ...` as syslog(3) sends it, but without a time: the local daemon sets its own. Likewise cut, see
    `rfc5424`.
    """
    head = f"<{facility * 8 + alert.priority}>{app_name}[{pid}]: {alert.priority.label} ".encode()
    return _fit(head, _utf8(message(alert)), max_size)


def rfc5424(alert: Alert, *, facility: int, app_name: str, pid: int, max_size: int) -> tuple[bytes, bool]:
    """(message, whether it had to be cut to `max_size` bytes). The fields go first, then the end of the text.

    There is no byte order mark: it is optional (the text counts as MSG-ANY), and receivers show it.
    """
    head = " ".join(
        (
            f"<{facility * 8 + alert.priority}>1",
            iso(alert.time_ns, 6),
            _NAME.sub("_", alert.hostname)[:255] or "-",
            _NAME.sub("_", app_name)[:48] or "-",
            str(pid),
            "alert",
        )
    )
    facts = [("rule", alert.rule), ("priority", alert.priority.label), ("uuid", alert.uuid), ("source", alert.source)]
    facts += [("tag", tag) for tag in sorted(alert.tags)]
    facts += [("action", done(outcome)) for outcome in alert.actions]
    if alert.suppressed:
        facts.append(("suppressed", str(alert.suppressed)))
    about = f"{head} {_element('ruleng', facts)}"
    fields = _element("fields", ((name, text(value)) for name, value in alert.output_fields.items() if value is not None))
    body = _utf8(message(alert))
    full = _utf8(f"{about}{fields} ") + body
    if len(full) <= max_size:
        return full, False
    return _fit(_utf8(f"{about} "), body, max_size)[0], True


def _element(name: str, params: Iterable[tuple[str, str]]) -> str:
    told = "".join(f' {_param_name(key)}="{_VALUE.sub(_backslash, printable(value))}"' for key, value in params)
    return f"[{name}@{ENTERPRISE}{told}]"


def _param_name(field: str) -> str:
    """`proc.aname[2]` -> `proc.aname.2`; at most 32 characters, RFC 5424 section 6.3.3."""
    return _NAME.sub("_", field.replace("[", ".").replace("]", ""))[:32] or "_"


def _backslash(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _fit(head: bytes, body: bytes, max_size: int) -> tuple[bytes, bool]:
    """Cuts the body between characters."""
    room = max(0, max_size - len(head))
    if len(body) <= room:
        return head + body, False
    return (head + body[:room].decode("utf-8", "ignore").encode())[:max_size], True


def _utf8(line: str) -> bytes:
    return line.encode("utf-8", "replace")
