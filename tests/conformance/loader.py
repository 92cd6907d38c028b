"""Rule files that Falco's own tests load: whether they load, what is said of them, and what Falco describes of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruleng.lang.load import Loaded
from tests.conformance.cases import Result
from tests.conformance.described import lists_differ, load, macros_differ, rules_differ, verdict, warned


def run(data: dict[str, Any], folder: Path) -> Iterator[Result]:
    """A case is a list of files; `describe` is None where Falco failed, or where its test described nothing."""
    for case in (case for group in data.values() if isinstance(group, list) for case in group):
        loaded = load((file["name"], file["content"]) for file in case["files"])
        problem = next(_problems(case, loaded), None)
        yield Result(case["test"], None if problem is None else problem + warned(loaded))


def _problems(case: dict[str, Any], loaded: Loaded) -> Iterator[str]:
    result = case["result"]
    errors, warnings = ([found["code"] for found in result[kind]] for kind in ("errors", "warnings"))
    yield from verdict(loaded, ok=result["successful"], errors=errors, warnings=warnings)
    if result["successful"]:
        enabled = sum(rule.enabled for rule in loaded.rules)
        if enabled != case["enabled_count"]:
            yield f"{enabled} rules enabled, in Falco {case['enabled_count']}"
    if case["describe"] is not None:
        yield from rules_differ(loaded, case["describe"]["rules"])
        yield from macros_differ(loaded, case["describe"]["macros"])
        yield from lists_differ(loaded, case["describe"]["lists"])
