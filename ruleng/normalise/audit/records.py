"""Records that are events of their own (USER_LOGIN, AVC, CONFIG_CHANGE, ...) -> event type, parameters, who did it. Pure.

Their parameters are all texts, under the record's own keys; see `ruleng.abi.audit`.
"""

from __future__ import annotations

from typing import Any

from ruleng.abi.audit import EVENTS, PARTS, RECORDS, event_type
from ruleng.normalise.audit.identity import signed_id, tty_number
from ruleng.normalise.audit.text import integer

_IDENTITY = frozenset(
    {"pid", "ppid", "uid", "gid", "euid", "egid", "suid", "sgid", "fsuid", "fsgid", "auid", "ses", "comm", "tty", "subj"}
)
TYPES: dict[bytes, str] = {record.encode(): event_type(record) for record in RECORDS.values() if record not in PARTS}
"""Record type -> event type, of records that are events."""


def arguments(record: bytes, keys: dict[str, str]) -> dict[str, str]:
    """The parameters of a record's event: its keys without those that say who did it, unless the event type names them."""
    expected = EVENTS.get(TYPES.get(record, ""), ())
    return {key: value for key, value in keys.items() if key not in _IDENTITY or key in expected}


def who(keys: dict[str, str]) -> dict[str, Any]:
    """What the record says of its process, as attributes of Process; without `pid` when it names none. Raises ValueError."""
    found: dict[str, Any] = {}
    if "pid" not in keys:
        return found
    found["pid"] = integer(keys["pid"])
    if found["pid"] <= 0:
        return {}
    for key, attribute in (
        ("ppid", "ppid"),
        ("uid", "uid"),
        ("gid", "gid"),
        ("euid", "euid"),
        ("egid", "egid"),
        ("auid", "loginuid"),
    ):
        if key in keys and keys[key].isdigit():
            found[attribute] = signed_id(keys[key])
    if "comm" in keys:
        found["name"] = keys["comm"][:15]
    if "exe" in keys and keys["exe"].startswith("/"):
        found["exepath"] = keys["exe"]
    if "tty" in keys:
        found["tty"] = tty_number(keys["tty"])
    return found


def names(keys: dict[str, str], enriched: dict[str, str]) -> tuple[dict[str, str], dict[str, int]]:
    """(names of users and groups that auditd added, their numbers), both by UID, AUID, GID."""
    ids = {key.upper(): int(keys[key]) for key in ("uid", "auid", "gid") if keys.get(key, "").isdigit()}
    return enriched, ids
