"""replay_cases.json: rule files over captured events, and the alerts that Falco raised.

The captures give events as fields by name, in captures/NAME.events.json.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ruleng.alert import Priority
from ruleng.engine.compile import compile_rules
from ruleng.engine.decide import Decider, Matching
from ruleng.engine.output import compile_output
from ruleng.event import Event
from ruleng.fields.catalogue import standard
from ruleng.fields.read import iso8601
from ruleng.fields.types import Catalogue, FieldType
from ruleng.fields.values import from_json
from ruleng.lang.checked import Rule
from ruleng.lang.load import LoadOptions, load_sources
from ruleng.lang.select import Choice
from ruleng.lang.source import Source
from tests.conformance.cases import Result
from tests.engine.flat import flat_catalogue, flat_event, made_up

_HOST = "host"


def run(data: Mapping[str, Any], folder: Path) -> Iterator[Result]:
    for case in data["cases"]:
        yield Result(case["test"], _problem(case, folder))


def _problem(case: Mapping[str, Any], folder: Path) -> str | None:
    engine = case["engine"]
    path = _capture_path(folder, case["capture"])
    if path is None:
        return f"there is no capture {case['capture']} in {folder / 'captures'}"
    events, catalogue = _capture(path)
    sources = [Source(file["name"], file["content"]) for file in case["files"]]
    loaded = load_sources(sources, catalogue, options=_options(case))
    errors = [diagnostic.message for diagnostic in loaded.diagnostics if diagnostic.is_error]
    if not engine["loaded"]:
        return None if errors else "loaded"
    if errors:
        return f"not loaded: {'; '.join(errors)}"
    alerts = list(_alerts(loaded.rules, catalogue, events, _setting(case, "rule_matching", "first")))
    return _difference(alerts, engine["alerts"] or [])


def _difference(got: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> str | None:
    if len(got) != len(wanted):
        return f"{len(got)} alerts, wanted {len(wanted)}"
    for ours, theirs in zip(got, wanted, strict=True):
        for key, value in theirs.items():
            if _missing_is_null(ours.get(key)) != _missing_is_null(value):
                return f"{key} of event {theirs['evt_num']} is {ours.get(key)!r}, wanted {value!r}"
    return None


def _missing_is_null(value: Any) -> Any:
    """Falco keeps "<NA>" for the name of a process that it does not know; the captures leave such values out."""
    return {name: None if part == "<NA>" else part for name, part in value.items()} if isinstance(value, dict) else value


def _alerts(rules: Sequence[Rule], catalogue: Catalogue, events: Iterable[Event], matching: Matching) -> Iterator[dict[str, Any]]:
    """As Falco's JSON output has them."""
    ruleset = compile_rules(rules, catalogue)
    decider = Decider(ruleset, matching=matching)
    for event in events:
        for fired in decider.decide(event, ruleset.match(event)).fired:
            text, fields = compile_output(fired.rule.output)(event)
            time = iso8601(event.time_ns)[:29]
            yield {
                "evt_num": event.num,
                "hostname": _HOST,
                "message": text,
                "output": f"{time[11:]}: {fired.rule.priority.label} {text}",
                "output_fields": fields,
                "priority": fired.rule.priority.label,
                "rule": fired.rule.name,
                "source": fired.rule.source,
                "tags": sorted(fired.rule.tags),
                "time": f"{time}Z",
            }


# --- options ------------------------------------------------------------------------------------------------------------------


def _options(case: Mapping[str, Any]) -> LoadOptions:
    options = case["options"]
    choices = [Choice(enable=False, what=name) for name in options.get("DisabledRules", ())]
    if "EnabledTags" in options:
        choices.append(Choice(enable=False, what="*"))
    choices += [Choice(enable=True, what=f"tag:{tag}") for tag in options.get("EnabledTags", ())]
    choices += [Choice(enable=False, what=f"tag:{tag}") for tag in options.get("DisabledTags", ())]
    for key, value in _settings(case):
        if match := re.fullmatch(r"rules\[\]\.(enable|disable)\.(rule|tag)", key):
            choices.append(Choice(enable=match[1] == "enable", what=value if match[2] == "rule" else f"tag:{value}"))
    minimum = options.get("MinRulePriority", [_setting(case, "priority", "debug")])[0]
    priority = Priority.parse(minimum)
    if priority is None:
        raise ValueError(f"{minimum} is no priority")
    return LoadOptions(priority=priority, choices=tuple(choices))


def _settings(case: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for arguments in case["args"]:
        match arguments:
            case ["-o", str(text)]:
                key, _, value = text.partition("=")
                yield key, value
            case _:
                pass


def _setting(case: Mapping[str, Any], key: str, default: str) -> Any:
    return dict(_settings(case)).get(key, default)


# --- captures -----------------------------------------------------------------------------------------------------------------


def _capture_path(folder: Path, name: str) -> Path | None:
    """Cases write CatWrite for cat_write.scap.events.json."""
    paths = (folder / "captures").glob("*.events.json")
    return next((path for path in paths if _plain(path.name) == _plain(name)), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.removesuffix(".events.json").removesuffix(".scap").lower())


@cache
def _capture(path: Path) -> tuple[tuple[Event, ...], Catalogue]:
    """The events of a capture, and a catalogue with all that it holds."""
    records = json.loads(path.read_bytes())["events"]
    known = standard()
    more = {field for record in records for field in record["f"] if known.find(field.partition("[")[0]) is None}
    extras = [made_up(field, FieldType.STRING) for field in sorted(more)]
    catalogue = flat_catalogue(known, extras, {record["f"]["evt.type"] for record in records})
    return tuple(_event(record) for record in records), catalogue


def _event(record: Mapping[str, Any]) -> Event:
    fields: Mapping[str, Any] = record["f"]
    values = {name: _value(name, value) for name, value in fields.items()}
    for name in [name for name in fields if f"{name}[1]" in fields]:  # ancestors, in one text and one by one
        values[name] = tuple(values[f"{name}[{level}]"] for level in range(1, 64) if f"{name}[{level}]" in values)
    return flat_event(fields["evt.type"], values, num=record["num"], time_ns=fields["evt.rawtime"], source=fields["evt.source"])


def _value(name: str, given: Any) -> Any:
    found = standard().find(name.partition("[")[0])
    try:
        if isinstance(given, list):
            return tuple(given)
        return from_json(given, found[0].type) if found else given
    except ValueError:  # Falco has another type there
        return given
