"""filter_string_cases.json: conditions printed in canonical form, values escaped and unescaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruleng.lang.escapes import escape, unescape
from ruleng.lang.format import format_condition
from ruleng.lang.parse import parse_condition
from ruleng.lang.source import Source
from tests.conformance.cases import Result


def run(data: Mapping[str, Any], folder: Path) -> Iterator[Result]:
    for case in data["canonical_form"]:
        yield Result(f"{case['test']}: {case['input']}", _canonical_problem(case))
    for case in data["escaping"]:
        key = f"{case['test']}: {case.get('escape', case.get('unescape'))}"
        yield Result(key, _escape_problem(case) if "escape" in case else _unescape_problem(case))


def _canonical_problem(case: Mapping[str, Any]) -> str | None:
    expr, _ = parse_condition(Source("case", case["input"]))
    if not case["ok"]:
        return None if expr is None else "accepted"
    if expr is None:
        return "refused"
    written = format_condition(expr)
    if written != case["canonical"]:
        return f"printed as {written!r}, wanted {case['canonical']!r}"
    if case["kind"] == "roundtrip":
        again, _ = parse_condition(Source("case", written))
        if again is None or format_condition(again) != written:
            return f"{written!r} does not read back"
    return None


def _escape_problem(case: Mapping[str, Any]) -> str | None:
    escaped = escape(case["escape"])
    return None if escaped == case["escaped"] else f"escaped as {escaped!r}, wanted {case['escaped']!r}"


def _unescape_problem(case: Mapping[str, Any]) -> str | None:
    got = unescape(case["unescape"])
    if bool(got.problems) == case["ok"]:
        return "refused" if case["ok"] else f"accepted, but Falco says: {case['error']}"
    if case["ok"] and list(got.text.encode("utf-8", "surrogateescape")) != case["bytes"]:
        return f"unescaped to {got.text!r}, wanted bytes {case['bytes']}"
    return None
