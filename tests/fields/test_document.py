"""The catalogue's pages."""

from __future__ import annotations

import json
from pathlib import Path

from ruleng.fields import document
from ruleng.fields.catalogue import standard

PAGE = Path(__file__).parents[2] / "docs" / "fields.md"


def test_the_page_is_up_to_date() -> None:
    """Else: ruleng fields --format markdown > docs/fields.md"""
    assert PAGE.read_text(encoding="utf-8") == document.markdown(standard()) + "\n"


def test_every_field_is_on_the_page_once() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for field in standard():
        assert sum(line.startswith((f"| `{field.name}`", f"| `{field.name}[")) for line in lines) == 1


def test_json_has_every_field_with_its_type() -> None:
    rows = json.loads(document.as_json(standard()))
    assert {row["name"]: row["falco_type"] for row in rows} == {field.name: field.type.value for field in standard()}


def test_text_has_a_line_a_field() -> None:
    assert [line.split()[0].rstrip(",").removesuffix("[…]") for line in document.text(standard()).splitlines()] == list(
        standard().fields
    )
