"""evttype_index_cases.json: the event types for which a condition can be true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruleng.engine.index import event_types
from ruleng.fields.catalogue import standard
from tests.conformance.cases import Result
from tests.conformance.verdicts import checked

_SEVERAL = {"accept": {"accept", "accept4"}, "container": set[str]()}
"""Event names that Falco's cases give as system calls: one name of two calls, and an event that is none."""


def run(data: Mapping[str, Any], folder: Path) -> Iterator[Result]:
    universe = standard().event_types
    for case in data["cases"]:
        found, problem = _types(case["cond"], universe)
        if found is None:
            yield Result(case["cond"], None if case["error"] else problem)
        elif case["error"]:
            yield Result(case["cond"], "accepted")
        else:
            yield Result(case["cond"], _difference(found, case["set"], universe))
    for one, other in data["equal_pairs"]:
        same = _types(one, universe)[0] == _types(other, universe)[0]
        yield Result(f"{one} and {other}", None if same else "not the same types")


def _types(text: str, universe: frozenset[str]) -> tuple[frozenset[str] | None, str]:
    condition, mistakes = checked(text, standard())
    return (None, f"refused: {mistakes}") if condition is None else (event_types(condition, universe), "")


def _difference(found: frozenset[str], wanted: Any, universe: frozenset[str]) -> str | None:
    match wanted:
        case "ALL":
            expected = universe
        case "NONE":
            expected = frozenset()
        case {"only": names}:
            expected = frozenset(names)
        case {"all_except": names}:
            expected = universe - frozenset(names)
        case _:
            return f"a set of a form that is not known: {wanted}"
    differing = _as_calls(found, universe) ^ _as_calls(expected, universe)
    return f"differs in {sorted(differing)[:8]}" if differing else None


def _as_calls(types: frozenset[str], universe: frozenset[str]) -> frozenset[str]:
    """Calls by the names of their events; those that differ in the width of their arguments only are one."""
    names = (type if type in universe else re.sub("(32|64)$", "", type) for type in types)
    return frozenset().union(*(_SEVERAL.get(name, {name}) for name in names))
