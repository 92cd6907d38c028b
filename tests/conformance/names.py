"""Every event name that Falco knows is an event type here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruleng.fields.catalogue import standard
from tests.conformance.cases import Result


def run(data: Any, folder: Path) -> Iterator[Result]:
    known = standard().event_types
    for part, names in data.items():
        if isinstance(names, list):
            for name in names:
                yield Result(f"{part} {name}", None if name in known else "no such event type")
