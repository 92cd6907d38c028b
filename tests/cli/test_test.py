"""`ruleng test`: tests beside rules, as an analyst runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Ruleng

PASSING = """\
- rule: Shadow read
  fires:
    cat: {evt.type: openat, fd.name: /etc/shadow, proc.name: cat}
  silent:
    another file: {evt.type: openat, fd.name: /etc/passwd, proc.name: cat}
"""
FAILING = """\
- rule: Shadow read
  fires:
    the backup: {evt.type: openat, fd.name: /etc/shadow-, proc.name: cat}
  silent:
    one of two:
      - {evt.type: openat, fd.name: /etc/passwd, proc.name: cat}
      - {evt.type: openat, fd.name: /etc/shadow, proc.name: cat}
- rule: Shadow raed
  fires:
    cat: {evt.type: openat, fd.name: /etc/shadow}
"""


def beside(rules: Path, text: str) -> Path:
    path = rules.with_name("sample.test.yaml")
    path.write_text(text)
    return path


def test_the_rules_that_ship_pass_their_tests(ruleng: Ruleng) -> None:
    result = ruleng("test", "--strict")
    assert (result.status, result.err) == (0, "")
    assert result.out.endswith(" passed, 0 failed\n")


def test_cases_that_pass_are_counted(ruleng: Ruleng, rules: Path) -> None:
    beside(rules, PASSING)
    result = ruleng("test", rules)
    assert (result.status, result.out, result.err) == (0, "2 cases of 3 rules in 1 files: 2 passed, 0 failed\n", "")


def test_a_folder_has_all_its_tests_run(ruleng: Ruleng, rules: Path) -> None:
    beside(rules, PASSING)
    assert ruleng("test", rules.parent).out.startswith("2 cases of 3 rules in 1 files")


def test_a_file_of_tests_stands_for_the_rules_beside_it(ruleng: Ruleng, rules: Path) -> None:
    path = beside(rules, PASSING)
    assert ruleng("test", path).out == "2 cases of 3 rules in 1 files: 2 passed, 0 failed\n"
    rules.unlink()
    result = ruleng("test", path)
    assert (result.status, result.err) == (
        2,
        f"ruleng test: {path} holds tests, and there are no rules beside it\n  its rules are sample.rules or sample.yaml\n",
    )


def test_cases_are_named_on_request(ruleng: Ruleng, rules: Path) -> None:
    beside(rules, PASSING)
    result = ruleng("test", "-v", rules)
    assert result.out.splitlines()[:2] == ["ok    Shadow read: cat: fires", "ok    Shadow read: another file: silent"]
    assert result.err == "ruleng: without a case that fires or one that stays silent: Listener, Editor\n"


def test_a_case_that_fails_is_explained_with_the_part_that_decided(ruleng: Ruleng, rules: Path) -> None:
    path = beside(rules, FAILING)
    result = ruleng("test", rules)
    assert result.status == 1
    lines = result.out.splitlines()
    assert lines[0] == f"FAIL  {path}:3: Shadow read: the backup: must fire, and does not"
    (decisive,) = [line for line in lines if line.endswith("<-- this fails")]
    assert "fd.name = /etc/shadow" in decisive
    assert '"/etc/shadow-"' in decisive
    assert f"FAIL  {path}:6: Shadow read: one of two: must stay silent, and fires" in lines
    assert f"FAIL  {path}:10: Shadow raed: cat: there is no rule `Shadow raed`" in lines
    assert lines[-1] == "3 cases of 3 rules in 1 files: 0 passed, 3 failed"


def test_a_rule_without_both_kinds_of_cases_fails_when_asked_to_be_strict(ruleng: Ruleng, rules: Path) -> None:
    beside(rules, PASSING)
    result = ruleng("test", "--strict", rules)
    assert result.status == 1
    assert "Listener, Editor" in result.err


def test_rules_with_errors_are_not_tested(ruleng: Ruleng, rules: Path) -> None:
    beside(rules, PASSING)
    rules.write_text(rules.read_text().replace("fd.name =", "fd.nam ="))
    result = ruleng("test", rules)
    assert (result.status, result.out) == (1, "")
    assert "unknown field `fd.nam`" in result.err
    assert result.err.endswith("ruleng test: 1 error in the rules\n")


def test_rules_without_tests_are_an_error_that_says_where_tests_go(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("test", rules)
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f"ruleng test: no tests beside {rules}\n  a test of NAME.rules is NAME.test.yaml, see docs/writing-rules.md\n"
    )


BROKEN = [
    ("nothing: of the kind", ":1: wants a list of rules with their cases"),
    ("- fires: {}", ":1: lacks `rule`: the name of the rule that it tests"),
    ("- rule: Shadow read\n  ignites: {}", ":2: unknown key `ignites`: there are rule, fires and silent"),
    ("- rule: Shadow read\n  fires: [cat]", ":2: `fires` wants a mapping of what a case shows to its event"),
    ("- rule: Shadow read\n  fires:\n    cat: yes", ":3: wants an event: fields and their values"),
    ("- rule: Shadow read\n  fires:\n    cat: []", ":3: wants an event, or several"),
    ("- rule: Shadow read\n  fires:\n    cat: {fd.nam: x}", ":3: "),
    ("- rule: Shadow read\n  fires:\n    cat: {evt.type: openat, evt.rawres: three}", ":3: "),
    ("- rule: Shadow read\n  fires:\n    a: {evt.type: open}\n    a: {evt.type: open}", ":4: `a` is there twice"),
    ("- rule: Shadow read\n  rule: Listener", ":2: `rule` is there twice"),
    ("- rule: Shadow read\n  fires: {[a]: {}}", ":2: wants text before the colon"),
    ("- rule: Shadow read\n  fires: {a: {evt.type: 2020-13-45}}", ":2: month must be in 1..12"),
    ("- rule: Shadow read\n  fires: {a: {evt.type: !!python/object:os.system x}}", ":2: could not determine a constructor"),
    ("- rule: [unclosed", ":2: "),
    ("- rule: \x07", "control characters are not allowed"),
    ("[" * 200_000, "is nested more than 100 levels deep"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN, ids=[text[:60].replace("\n", " ") for text, _ in BROKEN])
def test_a_file_of_tests_that_is_wrong_is_an_error_with_its_line(ruleng: Ruleng, rules: Path, text: str, message: str) -> None:
    path = beside(rules, text)
    result = ruleng("test", rules)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"ruleng test: {path}")
    assert message in result.err
    assert len(result.err.splitlines()) == 1


def test_a_file_of_tests_that_is_no_text_is_an_error(ruleng: Ruleng, rules: Path) -> None:
    path = beside(rules, "")
    path.write_bytes(b"- rule: \xff")
    assert ruleng("test", rules).err == f"ruleng test: {path}: not UTF-8 at byte 8\n"
