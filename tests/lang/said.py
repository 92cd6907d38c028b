"""Diagnostics as short lines, and tables of files with what is said of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ruleng.lang.diagnostics import Diagnostic


def said(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """`R0504 3:5 message`, a warning with `?` behind its code; line and column in the file, sorted by place."""
    lines = []
    for diagnostic in diagnostics:
        place = diagnostic.span.located() if diagnostic.span is not None else None
        at = place.source.position(place.start) if place is not None else (0, 0)
        mark = "" if diagnostic.is_error else "?"
        lines.append((at, f"{diagnostic.code}{mark} {at[0]}:{at[1]} {diagnostic.message}"))
    return [line for _, line in sorted(lines)]


def cases(name: str) -> list[Any]:
    """Parameters (text, lines) of a file beside this one, each named by its title.

    A case begins with `=== title`; the text goes on to a line `--->`, the lines from there; `---> nothing` is none.
    """
    found = []
    for case in Path(__file__).with_name(name).read_text(encoding="utf-8").split("\n=== ")[1:]:
        title, _, rest = case.partition("\n")
        text, arrow, lines = rest.partition("--->")
        assert arrow, title
        found.append(pytest.param(text, [line for line in lines.removeprefix(" nothing").splitlines() if line], id=title))
    return found
