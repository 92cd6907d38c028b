"""Diagnostics for programs: one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.report.findings import Finding, Place, clean, findings


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A line for each mistake, sorted by place. Lines and columns count from 1, in characters; `end_column` is past the last."""
    return "\n".join(clean(json.dumps(_row(finding), ensure_ascii=False)) for finding in findings(diagnostics))


def _row(finding: Finding) -> dict[str, Any]:
    diagnostic = finding.diagnostic
    place = {"path": finding.path or None} if finding.place is None else _place(finding.place)
    return {
        **place,
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "falco": diagnostic.falco,
        "message": diagnostic.message,
        "label": diagnostic.label or None,
        "help": diagnostic.help,
        "notes": list(diagnostic.notes),
        "labels": [{**_place(Place.of(label.span)), "text": label.text} for label in diagnostic.labels],
        "rules": list(finding.rules),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
    }
