"""`ruleng fields` and `ruleng doctor`."""

from __future__ import annotations

import json
import re

from ruleng.fields.catalogue import standard
from tests.cli.conftest import Ruleng


def _name(line: str) -> str:
    """Of the field, without its argument."""
    return re.split(r"[ ,[]", line)[0]


def test_every_field_has_a_line(ruleng: Ruleng) -> None:
    result = ruleng("fields")
    assert (result.status, result.err) == (0, "")
    assert {_name(line) for line in result.out.splitlines()} == set(standard().fields)


def test_fields_are_chosen_by_how_they_begin(ruleng: Ruleng) -> None:
    lines = ruleng("fields", "proc.exe", "fd.name").out.splitlines()
    assert {_name(line) for line in lines} == {name for name in standard().fields if name.startswith(("proc.exe", "fd.name"))}


def test_fields_are_json_for_programs(ruleng: Ruleng) -> None:
    (field,) = json.loads(ruleng("fields", "--format", "json", "proc.cmdline").out)
    assert field["name"] == "proc.cmdline"


def test_fields_are_a_page_for_the_docs(ruleng: Ruleng) -> None:
    assert "`proc.cmdline`" in ruleng("fields", "--format", "markdown", "proc.cmdline").out


def test_a_field_that_is_not_there_is_named_with_what_was_meant(ruleng: Ruleng) -> None:
    result = ruleng("fields", "proc.cmdlin.")
    assert (result.status, result.out) == (2, "")
    assert result.err == "ruleng fields: no field begins with proc.cmdlin.\n  did you mean `proc.cmdline`?\n"


def test_the_doctor_says_of_each_thing_whether_it_works(ruleng: Ruleng) -> None:
    result = ruleng("doctor")
    assert result.status in (0, 3)
    assert result.err == ""
    lines = result.out.splitlines()
    assert lines[0] == "host"
    assert all(line[2:4] in ("ok", "no", "--") for line in lines if line.startswith("  "))


def test_the_doctors_findings_are_json_for_programs(ruleng: Ruleng) -> None:
    findings = ruleng("doctor", "--json").lines
    assert {"host", "enforcement", "logs"} <= {finding["area"] for finding in findings}
    assert all(set(finding) == {"area", "what", "works", "text"} for finding in findings)
