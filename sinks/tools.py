"""What every sink is given: where it counts, whom it tells, what time it is, and where secrets and names come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ruleng.fields.types import Catalogue
from ruleng.ports import Clock, Ledger

Report = Callable[[str], None]
"""Takes one line for the person who runs ruleng; called when something changes, never per alert."""


def _standard() -> Catalogue:
    from ruleng.fields.catalogue import standard

    return standard()


@dataclass(frozen=True, slots=True)
class Tools:
    ledger: Ledger
    clock: Clock
    report: Report
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    catalogue: Callable[[], Catalogue] = _standard  # asked only by formats that need the names of fields
