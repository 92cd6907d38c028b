"""Diagnostics as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ruleng import __version__
from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.mistakes import codes
from ruleng.lang.report.findings import Finding, Place, clean, findings

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(diagnostics: Iterable[Diagnostic]) -> str:
    """A log of one run, with the table of codes as its rules."""
    table = codes()
    index = {code: number for number, code in enumerate(table)}
    driver = {
        "name": "ruleng",
        "version": __version__,
        "rules": [
            {
                "id": code,
                "shortDescription": {"text": explanation.title},
                "fullDescription": {"text": explanation.text},
                "help": {"text": explanation.text},
            }
            for code, explanation in table.items()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index) for finding in findings(diagnostics)],
    }
    return clean(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2))


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    diagnostic = finding.diagnostic
    lines = [diagnostic.message, diagnostic.label, *diagnostic.notes, diagnostic.help or ""]
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity,
        "message": {"text": "\n".join(line for line in lines if line)},
        "locations": [_location(finding.place, finding.path)] if finding.path else [],
        "properties": {"rules": list(finding.rules), "falco": diagnostic.falco},
    }
    if diagnostic.code in index:
        result["ruleIndex"] = index[diagnostic.code]
    if diagnostic.labels:
        places = ((Place.of(label.span), label.text) for label in diagnostic.labels)
        result["relatedLocations"] = [
            {"id": number, **_location(place, place.path), "message": {"text": text}}
            for number, (place, text) in enumerate(places, 1)
        ]
    return result


def _location(place: Place | None, path: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(path)}}
    if place is not None:
        physical["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        }
    return {"physicalLocation": physical}


def uri(path: str) -> str:
    """A path as a URI reference, RFC 3986: absolute ones with `file://`, relative ones as they are."""
    quoted = quote(path.encode("utf-8", "surrogateescape"))
    return f"file://{quoted}" if path.startswith("/") else quoted
