"""Falco's own rule files, unmodified: they load without a word, and mean what Falco's engine makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ruleng.engine.index import event_types
from ruleng.fields.catalogue import standard
from ruleng.lang.load import Loaded, LoadOptions, load_rules
from tests.conformance.described import lists_differ, macros_differ, rules_differ

SHARED = Path(__file__).parents[3] / "shared"
FILES = {"stable": "falco_rules.yaml", "incubating": "falco-incubating_rules.yaml"}


def load(*names: str) -> Loaded:
    paths = [SHARED / "falco-rules" / FILES[name] for name in names]
    if not all(path.exists() for path in paths):
        pytest.skip(f"needs {SHARED}/falco-rules")
    universe = standard().event_types
    return load_rules(paths, standard(), options=LoadOptions(event_types=lambda checked: event_types(checked, universe)))


def described(name: str) -> dict[str, Any]:
    path = SHARED / "conformance" / "official_rules_compiled.json"
    if not path.exists():
        pytest.skip(f"needs {path}")
    file: dict[str, Any] = json.loads(path.read_bytes())["files"][name]
    return file


def test_both_files_load_together_without_a_diagnostic() -> None:
    loaded = load("stable", "incubating")
    assert loaded.diagnostics == ()
    assert len(loaded.rules) == 56


@pytest.mark.parametrize("name", FILES)
def test_rules_macros_and_lists_are_what_falco_describes(name: str) -> None:
    loaded, theirs = load(name), described(name)
    assert list(rules_differ(loaded, theirs["rules"])) == []
    assert list(macros_differ(loaded, theirs["macros"])) == []
    assert list(lists_differ(loaded, theirs["lists"])) == []
