"""Alert -> a document of the Elastic Common Schema 8.11, elastic.co/guide/en/ecs.

`names` maps catalogue fields to ECS fields (`proc.name` -> `process.name`). Output fields without an ECS name, and those
whose place is taken by an earlier one, become `labels`, dots replaced by underscores: the schema's own place for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from ruleng import __version__
from ruleng.alert import Alert
from ruleng.sinks.encode import falco
from ruleng.sinks.encode.attack import attack
from ruleng.sinks.encode.nested import find, known, put
from ruleng.sinks.encode.values import Json, dumps, iso, jsonable

VERSION = "8.11.0"

_OBJECTS = frozenset({"container.labels"})  # of keywords: a value has a place there only under a key
_DATES = ("start", "ctime", "mtime")


def encoder(names: Mapping[str, str]) -> Callable[[Alert], bytes]:
    def encode(alert: Alert) -> bytes:
        return dumps(document(alert, names))

    return encode


def document(alert: Alert, names: Mapping[str, str]) -> dict[str, Json]:
    found = _frame(alert)
    labels: dict[str, str] = {}
    for name, value in known(alert).items():
        if name == "evt.time":
            continue  # is @timestamp
        path = _path(find(names, name))
        if not (path and put(found, path, _typed(path, value))) and name in alert.output_fields:
            labels[name.replace(".", "_")] = value if isinstance(value, str) else _keyword(value)
    if labels:
        found["labels"] = labels
    return found


def _path(place: tuple[str, str | None] | None) -> str | None:
    if place is None or place[0] not in _OBJECTS:
        return place and place[0]
    path, key = place
    return f"{path}.{key.replace('.', '_')}" if key else None


def _frame(alert: Alert) -> dict[str, Json]:
    """What an ECS alert has whatever its rule."""
    denied = any(outcome.action == "deny" and outcome.outcome == "done" for outcome in alert.actions)
    found: dict[str, Json] = {
        "@timestamp": iso(alert.time_ns),
        "ecs": {"version": VERSION},
        "message": alert.output,
        "tags": sorted(alert.tags),
        "event": {
            "kind": "alert",
            "category": ["intrusion_detection"],
            "type": ["denied"] if denied else ["info"],
            "id": alert.uuid,
            "module": "ruleng",
            "dataset": "ruleng.alert",
            "provider": alert.source,
            "severity": int(alert.priority),
        },
        "log": {"level": alert.priority.label.lower(), "syslog": {"severity": {"code": int(alert.priority)}}},
        "rule": {"name": alert.rule},
        "host": {"hostname": alert.hostname, "name": alert.hostname},
        "observer": {"product": "ruleng", "type": "hids", "version": __version__},
        "ruleng": {"actions": falco.actions(alert), "suppressed": alert.suppressed},
    }
    if alert.event is not None:
        found["event"]["action"] = alert.event.type
    if threat := _threat(alert):
        found["threat"] = threat
    return found


def _threat(alert: Alert) -> dict[str, Json]:
    tags = attack(alert.tags)
    threat: dict[str, Json] = {}
    if tags.tactics:
        threat["tactic"] = {"id": [uid for uid, _ in tags.tactics], "name": [name for _, name in tags.tactics]}
    if tags.techniques:
        threat["technique"] = {"id": list(tags.techniques)}
        if tags.sub_techniques:
            threat["technique"]["subtechnique"] = {"id": list(tags.sub_techniques)}
    return {"framework": "MITRE ATT&CK", **threat} if threat else {}


def _typed(path: str, value: Json) -> Json:
    """In the schema ids are keywords, times are dates and the outcome has names; in Falco all these are numbers or flags."""
    last = path.rpartition(".")[2]
    match value:
        case bool() if path == "event.outcome":  # from `evt.failed`
            return "failure" if value else "success"
        case int() if last == "id":
            return str(value)
        case int() if last in _DATES:
            return iso(value)
        case _:
            return value


def _keyword(value: Json) -> str:
    plain = jsonable(value)
    return plain if isinstance(plain, str) else json.dumps(plain)
