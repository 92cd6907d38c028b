"""Alert -> a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework 1.5, schema.ocsf.io.

`names` maps catalogue fields to attributes: those of an evidence (`proc.name` -> `actor.process.name`, `fd.name` ->
`file.path`) and of the finding itself (`device.hostname`). An output field without a name of these, and one whose place is
taken by an earlier one, goes into `unmapped` under its own name: the schema's place for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ruleng import __version__
from ruleng.alert import Alert, Priority
from ruleng.sinks.encode import falco
from ruleng.sinks.encode.attack import attack
from ruleng.sinks.encode.nested import find, known, put
from ruleng.sinks.encode.values import Json, dumps

VERSION = "1.5.0"

_TOP = frozenset({"device", "metadata", "status_code", "status_detail"})  # attributes of the class that fields may fill
_EVIDENCE = frozenset({"actor", "api", "connection_info", "container", "dst_endpoint", "file", "process", "src_endpoint", "user"})
_ROWS = (("actor", "process", "ancestry"), ("actor", "user", "groups"))  # lists of objects


class _Severity(NamedTuple):
    id: int
    caption: str


_FATAL, _CRITICAL = _Severity(6, "Fatal"), _Severity(5, "Critical")
_SEVERITY = {
    Priority.EMERGENCY: _FATAL,
    Priority.ALERT: _CRITICAL,
    Priority.CRITICAL: _CRITICAL,
    Priority.ERROR: _Severity(4, "High"),
    Priority.WARNING: _Severity(3, "Medium"),
    Priority.NOTICE: _Severity(2, "Low"),
    Priority.INFORMATIONAL: _Severity(1, "Informational"),
    Priority.DEBUG: _Severity(1, "Informational"),
}


class _Disposition(NamedTuple):
    action_id: int
    action: str
    id: int
    caption: str


_ALERTED = _Disposition(3, "Observed", 19, "Alert")
_DISPOSITIONS = (  # the first that was done says it; profile security_control
    ("deny", _Disposition(2, "Denied", 2, "Blocked")),
    ("freeze", _Disposition(0, "Unknown", 4, "Isolated")),
    ("kill", _Disposition(0, "Unknown", 7, "Custom Action")),
    ("stop", _Disposition(0, "Unknown", 7, "Custom Action")),
)


def encoder(names: Mapping[str, str]) -> Callable[[Alert], bytes]:
    def encode(alert: Alert) -> bytes:
        return dumps(document(alert, names))

    return encode


def document(alert: Alert, names: Mapping[str, str]) -> dict[str, Json]:
    found = _frame(alert)
    evidence: dict[str, Json] = {}
    unmapped: dict[str, Json] = {}
    for name, value in known(alert).items():
        if name == "evt.time":
            continue  # is time
        place = find(names, name)
        if not (place and _put(found, evidence, place[0], value)) and name in alert.output_fields:
            unmapped[name] = value
    if evidence:
        found["evidences"] = [_complete(evidence)]
    found["unmapped"] = {"source": alert.source, "actions": falco.actions(alert), **unmapped}
    return found


def _frame(alert: Alert) -> dict[str, Json]:
    """What a finding has whatever its rule."""
    time_ms = alert.time_ns // 1_000_000
    severity = _SEVERITY[alert.priority]
    done = {outcome.action for outcome in alert.actions if outcome.outcome == "done"}
    disposition = next((what for action, what in _DISPOSITIONS if action in done), _ALERTED)
    finding: dict[str, Json] = {
        "uid": alert.uuid,
        "title": alert.rule,
        "desc": alert.output,
        "created_time": time_ms,
        "analytic": {"name": alert.rule, "type_id": 1, "type": "Rule"},
        "product": {"name": "ruleng", "version": __version__},
    }
    if attacks := _attacks(alert):
        finding["attacks"] = attacks
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200401,
        "type_name": "Detection Finding: Create",
        "time": time_ms,
        "severity_id": severity.id,
        "severity": severity.caption,
        "status_id": 1,
        "status": "New",
        "is_alert": True,
        "action_id": disposition.action_id,
        "action": disposition.action,
        "disposition_id": disposition.id,
        "disposition": disposition.caption,
        "message": alert.output,
        "count": alert.suppressed + 1,
        "metadata": {
            "version": VERSION,
            "uid": alert.uuid,
            "product": {"name": "ruleng", "version": __version__},
            "profiles": ["security_control", "container"],
            "labels": sorted(alert.tags),
        },
        "finding_info": finding,
        "device": {"hostname": alert.hostname, "type_id": 0, "type": "Unknown"},
    }


def _attacks(alert: Alert) -> list[Json]:
    """One for each technique; the tags do not say which tactic belongs to which, so it is told only when there is one."""
    tags = attack(alert.tags)
    tactics = [{"uid": uid, "name": name} for uid, name in tags.tactics]
    shared = {"tactic": tactics[0]} if len(tactics) == 1 else {}
    found: list[Json] = []
    for technique in tags.techniques:
        subs = [sub for sub in tags.sub_techniques if sub.startswith(f"{technique}.")]
        found += [{**shared, "technique": {"uid": technique}, "sub_technique": {"uid": sub}} for sub in subs]
        if not subs:
            found.append({**shared, "technique": {"uid": technique}})
    if not (shared and found):
        found += [{"tactic": tactic} for tactic in tactics]
    return found


def _put(found: dict[str, Json], evidence: dict[str, Json], path: str, value: Json) -> bool:
    first = path.partition(".")[0]
    if first in _TOP:
        return put(found, path, _typed(path, value))
    return first in _EVIDENCE and put(evidence, path, _typed(path, value))


def _typed(path: str, value: Json) -> Json:
    """Identifiers of the schema are text but for those of processes; its times are milliseconds."""
    last = path.rpartition(".")[2]
    if isinstance(value, int) and (last == "uid" or path == "status_code"):
        return str(value)
    if isinstance(value, int) and last.endswith("_time"):
        return value // 1_000_000
    return value


def _complete(evidence: dict[str, Json]) -> dict[str, Json]:
    """Lists where the schema wants lists, and of each file the name and the type that it requires."""
    for *parents, last in _ROWS:
        node = evidence
        for name in parents:
            node = node.get(name, {})
        if last in node:
            node[last] = _rows(node[last])
    process = evidence.get("actor", {}).get("process", {})
    for holder in (evidence, process, process.get("parent_process", {})):
        if isinstance(file := holder.get("file"), dict):
            path = file.get("path")
            if isinstance(path, str):
                file.setdefault("name", path.rpartition("/")[2] or path)
            file.setdefault("type_id", 0)
    return evidence


def _rows(columns: dict[str, Json]) -> list[dict[str, Json]]:
    """{name: [a, b], pid: [1, 2]} -> [{name: a, pid: 1}, {name: b, pid: 2}]; one value counts as a list of one."""
    lists = {name: list(value) if isinstance(value, list | tuple) else [value] for name, value in columns.items()}
    height = max(map(len, lists.values()))
    return [{name: column[row] for name, column in lists.items() if row < len(column)} for row in range(height)]
