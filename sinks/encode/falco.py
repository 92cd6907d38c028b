"""Alert -> Falco's JSON, which falcosidekick and what is built for Falco take as it is, and Falco's text line.

Keys as Falco's json_output has them (userspace/engine/formats.cpp), `message` included; ours besides: `uuid`, `actions` and,
when the throttle held alerts back, `suppressed`. Times are UTC. `output_fields` has every field of the output, null where it
is missing, and always `evt.time` as nanoseconds (falcosidekick refuses alerts without fields).
"""

from __future__ import annotations

import orjson

from ruleng.alert import Alert, Outcome, Priority
from ruleng.sinks.encode.values import Json, dumps, iso, printable


def encode(alert: Alert) -> bytes:
    return dumps(document(alert))


def document(alert: Alert) -> dict[str, Json]:
    fields: dict[str, Json] = {"evt.time": alert.time_ns, **alert.output_fields}
    fields["evt.time"] = alert.time_ns  # Falco's is a number here, also when the output names the field
    time, priority = iso(alert.time_ns), alert.priority.label
    found: dict[str, Json] = {
        "time": time,
        "rule": alert.rule,
        "priority": priority,
        "source": alert.source,
        "hostname": alert.hostname,
        "output": f"{time[11:-1]}: {priority} {alert.output}",
        "message": alert.output,
        "output_fields": fields,
        "tags": sorted(alert.tags),
        "uuid": alert.uuid,
        "actions": actions(alert),
    }
    if alert.suppressed:
        found["suppressed"] = alert.suppressed
    return found


def actions(alert: Alert) -> list[Json]:
    return [{"action": o.action, "outcome": o.outcome, "target": o.target, "error": o.error} for o in alert.actions]


def decode(data: bytes) -> Alert:
    """The alert of what `encode` wrote, without its event. Raises ValueError for anything else."""
    try:
        found = orjson.loads(data)
        return Alert(
            uuid=found["uuid"],
            time_ns=int(found["output_fields"]["evt.time"]),
            rule=found["rule"],
            priority=Priority[found["priority"].upper()],
            source=found["source"],
            hostname=found["hostname"],
            output=found["message"],
            output_fields={name: value for name, value in found["output_fields"].items() if name != "evt.time"},
            tags=tuple(found["tags"]),
            actions=tuple(Outcome(**outcome) for outcome in found["actions"]),
            suppressed=found.get("suppressed", 0),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an alert of ruleng's: {error!r}") from error


def line(alert: Alert) -> str:
    """`HH:MM:SS.nnnnnnnnn: Priority message`, harmless for a log."""
    return f"{iso(alert.time_ns)[11:-1]}: {alert.priority.label} {printable(alert.output)}"
