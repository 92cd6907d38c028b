"""Diagnostics as `falco -V FILE` prints them with json_output, so that tools for Falco's rule files can read ours.

Only what Falco would say is in it: a mistake that has no code of Falco's is left out, unless it is an error. Lines, columns
and offsets count from 0 there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ruleng.lang.diagnostics import Diagnostic
from ruleng.lang.report.findings import Place, clean

SNIPPET = 160
"""Characters of a snippet, falco_load_result.h."""

_OTHER_ERROR = "LOAD_ERR_VALIDATE"

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "LOAD_ERR_FILE_READ": "File read error",
        "LOAD_ERR_YAML_PARSE": "YAML parse error",
        "LOAD_ERR_YAML_VALIDATE": "Error validating internal structure of YAML file",
        "LOAD_ERR_COMPILE_CONDITION": "Error compiling condition",
        "LOAD_ERR_COMPILE_OUTPUT": "Error compiling output",
        "LOAD_ERR_VALIDATE": "Error validating rule/macro/list/exception objects",
        "LOAD_ERR_EXTENSION": "Error in extension item",
        "LOAD_UNKNOWN_SOURCE": "Unknown event source",
        "LOAD_UNSAFE_NA_CHECK": "Unsafe <NA> comparison in condition",
        "LOAD_NO_EVTTYPE": "Condition has no event-type restriction",
        "LOAD_UNKNOWN_FILTER": "Unknown field or event-type in condition or output",
        "LOAD_UNUSED_MACRO": "Unused macro",
        "LOAD_UNUSED_LIST": "Unused list",
        "LOAD_UNKNOWN_ITEM": "Unknown rules file item",
        "LOAD_DEPRECATED_ITEM": "Used deprecated item",
        "LOAD_WARNING_EXTENSION": "Warning in extension item",
        "LOAD_APPEND_NO_VALUES": "Overriding/appending with no values",
        "LOAD_EXCEPTION_NAME_NOT_UNIQUE": "Multiple exceptions defined with the same name",
        "LOAD_INVALID_MACRO_NAME": "Invalid macro name",
        "LOAD_INVALID_LIST_NAME": "Invalid list name",
        "LOAD_COMPILE_CONDITION": "Warning in rule condition",
        "LOAD_UNKNOWN_KEY": "Unknown key in item definition",
    }
)
"""Falco's words for its codes, falco_load_result.cpp."""


def render_falco(diagnostics: Iterable[Diagnostic], paths: Sequence[str] = ()) -> str:
    """One JSON object: `falco_load_results`, an entry for each of `paths` and for each other file with diagnostics."""
    by_path: dict[str, list[Diagnostic]] = {path: [] for path in paths}
    for diagnostic in diagnostics:
        by_path.setdefault(_path(diagnostic), []).append(diagnostic)
    results = [_file(path, found) for path, found in by_path.items()]
    return clean(json.dumps({"falco_load_results": results}, ensure_ascii=False))


def _path(diagnostic: Diagnostic) -> str:
    return diagnostic.path or "" if diagnostic.span is None else diagnostic.span.located().source.name


def _file(path: str, diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    errors = [_entry(path, diagnostic) for diagnostic in diagnostics if diagnostic.is_error]
    warnings = [_entry(path, diagnostic) for diagnostic in diagnostics if not diagnostic.is_error and diagnostic.falco]
    return {"name": path, "successful": not errors, "errors": errors, "warnings": warnings}


def _entry(path: str, diagnostic: Diagnostic) -> dict[str, Any]:
    code = diagnostic.falco or _OTHER_ERROR
    place = None if diagnostic.span is None else Place.of(diagnostic.span)
    locations = [_location("rules content", "", path, None)]
    if diagnostic.rule is not None or place is not None:
        locations.append(
            _location("rule" if diagnostic.rule is not None else "rules content item", diagnostic.rule or "", path, place)
        )
    return {
        "context": {"locations": locations, "snippet": _snippet(place)},
        "code": code,
        "codedesc": DESCRIPTIONS.get(code, code),
        "message": diagnostic.message,
    }


def _location(item_type: str, item_name: str, path: str, place: Place | None) -> dict[str, Any]:
    line, column, offset = (0, 0, 0) if place is None else (place.line - 1, place.column - 1, place.span.start)
    position = {"name": path, "line": line, "column": column, "offset": offset}
    return {"item_type": item_type, "item_name": item_name, "position": position}


def _snippet(place: Place | None) -> str:
    """The line with a caret below the place; of a long line what is near."""
    if place is None:
        return "<No context available>\n"
    text, start = place.span.source.text, place.span.start
    first = max(start - (place.column - 1), start - SNIPPET // 2)
    end = text.find("\n", start, start + SNIPPET // 2)
    line = text[first : end if end >= 0 else start + SNIPPET // 2]
    return f"{line}\n{' ' * (start - first)}^\n"
