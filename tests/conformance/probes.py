"""Corner cases of rule files: whether Falco's engine loads them, its codes, and the conditions that it compiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruleng.lang.format import format_condition
from tests.conformance.cases import Result
from tests.conformance.described import load, printed, verdict, warned


def run(data: dict[str, Any], folder: Path) -> Iterator[Result]:
    for case in data["cases"]:
        yield Result(case["id"], next(_problems(case), None))


def _problems(case: dict[str, Any]) -> Iterator[str]:
    loaded = load([(case["id"], case["content"])])
    errors, warnings = ([code for code, _ in case[kind]] for kind in ("errors", "warnings"))
    yield from verdict(loaded, ok=case["ok"], errors=errors, warnings=warnings)
    if case["ok"]:
        texts = {rule.decl.name.text: format_condition(rule.expr) for rule in loaded.resolved.rules}
        ours = [[texts[rule.name], rule.enabled, printed(rule.output)] for rule in loaded.rules]
        if ours != case["compiled"]:
            yield f"compiles to {ours}, in Falco {case['compiled']}{warned(loaded)}"
