"""Every mistake that a rule author can make, as named constructors of diagnostics: `unknown_field(span, name, near)`.

The modules of this package hold the texts, one place a text, and a table `CODES` with an explanation of each code, which
`ruleng check --explain R0203` prints. Codes are stable: one that is no longer used is not given to another mistake.

    R01xx  syntax            syntax.py
    R02xx  names             fields.py (R0201-R0219), names.py (R0220-R0299)
    R03xx  types and values  types.py
    R04xx  outputs, actions  outputs.py
    R05xx  Falco files       falco.py
    R06xx  files and sources sources.py
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType

LONGEST = 80
"""Characters of a name or value that a message repeats; the source line below it shows the rest."""


def ticked(text: str) -> str:
    """What was found, in back-ticks."""
    if not text:
        return "an empty text"
    return f"`{text}`" if len(text) <= LONGEST else f"`{text[:LONGEST]}…`"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A code for people: what it is called, and what is behind it and what to do, in plain sentences."""

    title: str
    text: str


@cache
def codes() -> Mapping[str, Explanation]:
    """All codes, sorted."""
    tables = [import_module(f"{__name__}.{module.name}").CODES for module in pkgutil.iter_modules(__path__)]
    return MappingProxyType({code: table[code] for code, table in sorted((code, table) for table in tables for code in table)})


def explain(code: str) -> Explanation | None:
    """What `--explain` prints of a code in any case (`r0203`); None when there is no such code."""
    return codes().get(code.upper())
