"""`ruleng explain`: why a rule did or did not match."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli import samples
from tests.cli.conftest import Ruleng


def test_every_event_is_explained_with_the_part_that_failed(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("explain", "-r", rules, "Shadow read", log)
    assert (result.status, result.err) == (0, "")
    verdicts = [line for line in result.out.splitlines() if line.startswith("event ")]
    assert [line.endswith("rule `Shadow read` matches") for line in verdicts] == [False, True, False, False, True]
    assert result.out.count("<-- this fails") == 3
    assert '[evt.type is "execve"]    <-- this fails' in result.out


def test_one_event_is_picked_by_its_number(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("explain", "-r", rules, "Shadow read", log, "--num", "2")
    assert [line for line in result.out.splitlines() if line.startswith("event ")] == ["event 2: rule `Shadow read` matches"]


def test_all_rules_that_match_are_shown(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("explain", "-r", rules, "--all", log)
    heads = [line for line in result.out.splitlines() if line.startswith("event ")]
    assert heads == [
        "event 2: rule `Shadow read` matches",
        "event 4: rule `Listener` matches",
        "event 5: rule `Shadow read` matches",
    ]


def test_only_so_many_are_shown(ruleng: Ruleng, log: Path, rules: Path) -> None:
    assert ruleng("explain", "-r", rules, "--all", "--limit", "2", log).out.count("event ") == 2


def test_json_has_a_line_for_each(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("explain", "-r", rules, "--all", "--json", log)
    assert [(line["num"], line["rule"], line["verdict"]) for line in result.lines] == [
        (2, "Shadow read", True),
        (4, "Listener", True),
        (5, "Shadow read", True),
    ]


def test_an_event_from_standard_input_is_explained(spawned: Ruleng, rules: Path) -> None:
    event = json.dumps({"evt.type": "openat", "fd.name": "/etc/passwd"})
    result = spawned("explain", "-r", rules, "Shadow read", "-", input=event)
    assert result.status == 0
    assert "fd.name = /etc/shadow" in result.out
    assert "<-- this fails" in result.out


def test_a_rule_that_is_not_there_is_named_with_what_was_meant(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("explain", "-r", rules, "Shadow raed", log)
    assert (result.status, result.out) == (2, "")
    assert result.err == "ruleng explain: there is no rule `Shadow raed`\n  did you mean `Shadow read`?\n"


def test_one_rule_or_all_are_asked_for(ruleng: Ruleng, log: Path, rules: Path) -> None:
    assert ruleng("explain", "-r", rules, log).err.startswith("ruleng explain: which rule?\n  give its name before the file")
    assert ruleng("explain", "-r", rules, "--all", "Shadow read", log).status == 2


def test_an_event_that_is_not_there_is_a_failure(ruleng: Ruleng, log: Path, rules: Path) -> None:
    result = ruleng("explain", "-r", rules, "Shadow read", log, "--num", "77")
    assert (result.status, result.out, result.err) == (1, "", "ruleng: there is no such event\n")


def test_no_match_of_any_rule_is_no_failure(ruleng: Ruleng, log: Path, rules: Path) -> None:
    log.write_text(samples.opened(7, "/etc/hostname"))
    result = ruleng("explain", "-r", rules, "--all", log)
    assert (result.status, result.out, result.err) == (0, "", "ruleng: no rule matches\n")


def test_what_cannot_be_read_is_told(ruleng: Ruleng, log: Path, rules: Path) -> None:
    log.write_text("no record at all\n" + log.read_text())
    result = ruleng("explain", "-r", rules, "--all", log)
    assert result.status == 1
    assert f"(first: {log}:1)" in result.err


def test_a_long_log_is_read_only_as_far_as_needed(ruleng: Ruleng, log: Path, rules: Path) -> None:
    log.write_text(log.read_text() + "".join(samples.opened(200 + n, "/etc/hostname") for n in range(2000)) + "no record at all\n")
    result = ruleng("explain", "-r", rules, "--all", "--limit", "1", log)
    assert (result.status, result.err) == (0, "")
