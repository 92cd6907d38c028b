"""The pages that come from tables, and the ones that people write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import stale
from ruleng.cli.main import COMMANDS
from ruleng.fields.catalogue import standard

ROOT = Path(__file__).parents[1]
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "grammar/README.md"]


def test_no_generated_page_is_out_of_date() -> None:
    assert stale() == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_that_a_page_names_is_there() -> None:
    text = "\n".join(page.read_text() for page in WRITTEN)
    named = set(re.findall(r"(?:^|[`$ ])ruleng ([a-z]+)(?= |`|$)", text, re.MULTILINE))
    assert named & set(COMMANDS) == set(COMMANDS)


def test_fields_of_the_tutorial_exist() -> None:
    text = (ROOT / "docs/writing-rules.md").read_text()
    named = set(re.findall(r"\b(?:proc|fd|evt|user|container)\.[a-z_]+(?:\.[a-z_]+)*\b", text))
    known = standard().fields
    assert {name for name in named if name not in known and not name.startswith("evt.arg")} == {"fd.nam"}
