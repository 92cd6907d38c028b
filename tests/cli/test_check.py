"""`ruleng check`: what an analyst is told of rule files, for people and for programs."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from ruleng.lang.mistakes import codes
from tests.cli.conftest import Ruleng
from tests.cli.terminal import on_a_terminal

MISTAKEN = """\
rule "Bad" {
  desc:      "a field that is not there"
  condition: evt.type = execve and proc.nam = cat
  output:    "%proc.name"
  priority:  notice
}
"""


@pytest.fixture
def mistaken(tmp_path: Path) -> Path:
    path = tmp_path / "mistaken.rules"
    path.write_text(MISTAKEN)
    return path


def test_rules_without_mistakes_are_counted(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("check", rules)
    assert (result.status, result.out, result.err) == (0, "3 rules, 2 enabled: 0 errors, 0 warnings\n", "")


def test_the_rules_that_ship_are_checked_when_none_are_named(ruleng: Ruleng) -> None:
    result = ruleng("check")
    assert result.status == 0
    assert result.out.endswith("enabled: 0 errors, 0 warnings\n")


def test_a_mistake_is_shown_in_its_line_with_what_was_meant(ruleng: Ruleng, mistaken: Path) -> None:
    result = ruleng("check", mistaken)
    assert result.status == 1
    assert result.out.splitlines() == [
        f"{mistaken}:3:36: error[R0203]: unknown field `proc.nam`",
        "  3 |   condition: evt.type = execve and proc.nam = cat",
        "    |                                    ^^^^^^^^ did you mean `proc.name`?",
        "",
        "0 rules, 0 enabled: 1 error, 0 warnings",
    ]


def test_files_are_given_with_and_without_an_option(ruleng: Ruleng, rules: Path, mistaken: Path) -> None:
    assert "3 rules" in ruleng("check", "-r", rules, mistaken).out


def test_json_has_a_line_for_each_mistake(ruleng: Ruleng, mistaken: Path) -> None:
    result = ruleng("check", "--format", "json", mistaken)
    assert result.status == 1
    assert [(found["code"], found["line"], found["column"]) for found in result.lines] == [("R0203", 3, 36)]


def test_json_of_rules_without_mistakes_is_empty(ruleng: Ruleng, rules: Path) -> None:
    assert ruleng("check", "--format", "json", rules).out == ""


@pytest.mark.parametrize("bad", [True, False], ids=["mistaken", "sound"])
def test_sarif_is_one_document(ruleng: Ruleng, rules: Path, mistaken: Path, bad: bool) -> None:
    result = ruleng("check", "--format", "sarif", mistaken if bad else rules)
    assert result.status == int(bad)
    document = json.loads(result.out)
    assert document["version"] == "2.1.0"
    assert [found["ruleId"] for found in document["runs"][0]["results"]] == ["R0203"] * bad


@pytest.mark.parametrize("bad", [True, False], ids=["mistaken", "sound"])
def test_falcos_shape_says_of_each_file_whether_it_loads(ruleng: Ruleng, rules: Path, mistaken: Path, bad: bool) -> None:
    path = mistaken if bad else rules
    (of_file,) = json.loads(ruleng("check", "--format", "falco", path).out)["falco_load_results"]
    assert (of_file["name"], of_file["successful"]) == (str(path), not bad)


def test_a_source_that_cannot_feed_a_rule_is_a_warning_and_no_failure(ruleng: Ruleng, tmp_path: Path) -> None:
    path = tmp_path / "sockets.rules"
    path.write_text(MISTAKEN.replace("proc.nam = cat", "fd.cport = 22").replace("execve", "connect"))
    result = ruleng("check", "--source", "audit", path)
    assert result.status == 0
    assert "warning[" in result.out
    assert "fd.cport" in result.out
    assert "warning[" not in ruleng("check", "--source", "bpf", path).out


def test_a_source_that_nobody_knows_is_a_mistake(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("check", "--source", "telepathy", rules)
    assert (result.status, result.out) == (2, "")
    assert "`telepathy` is no source that a field knows\n  there are audit, bpf," in result.err


def test_needs_are_listed_with_the_dearest_rule_first(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("check", "--needs", rules)
    assert result.status == 0
    lines = result.out.splitlines()
    assert "    events: open openat" in lines
    assert "    fields: evt.type fd.name proc.name proc.pid" in lines
    costs = [float(line.rpartition("cost ")[2].rstrip(")")) for line in lines if "(cost" in line]
    assert len(costs) == 3
    assert costs == sorted(costs, reverse=True)


def test_python_is_printed_as_python_and_nothing_else(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("check", "--python", rules)
    assert result.status == 0
    assert "/etc/shadow" in result.out
    ast.parse(result.out)


@pytest.mark.parametrize("what", ["--needs", "--python"])
def test_mistakes_do_not_mix_with_what_was_asked_for(ruleng: Ruleng, mistaken: Path, what: str) -> None:
    result = ruleng("check", what, mistaken)
    assert (result.status, result.out) == (1, "")
    assert "unknown field `proc.nam`" in result.err


def test_a_code_is_explained_in_any_case(ruleng: Ruleng) -> None:
    result = ruleng("check", "--explain", "r0203")
    assert result.status == 0
    assert result.out.startswith("R0203: unknown field\n\n")


def test_every_code_has_something_to_say(ruleng: Ruleng) -> None:
    for code in codes():
        result = ruleng("check", "--explain", code)
        assert result.status == 0
        assert len(result.out.split()) > 5


@pytest.mark.parametrize(("code", "hint"), [("R0230x", "did you mean R0230"), ("nonsense", "see docs/diagnostics.md")])
def test_an_unknown_code_has_a_hint(ruleng: Ruleng, code: str, hint: str) -> None:
    result = ruleng("check", "--explain", code)
    assert (result.status, result.out) == (2, "")
    assert f"there is no code {code}\n  {hint}" in result.err


# --- selection ----------------------------------------------------------------------------------------------------------


SELECTIONS = [
    (["--disable", "*"], 0),
    (["--disable", "*", "--enable", "Shadow read"], 1),
    (["--enable", "Editor"], 3),
    (["--disable", "tag:network"], 1),
    (["--enable", "E*", "--disable", "tag:attack.t1003.008"], 2),
]


@pytest.mark.parametrize(("arguments", "enabled"), SELECTIONS, ids=[" ".join(arguments) for arguments, _ in SELECTIONS])
def test_rules_are_chosen_by_name_and_tag(ruleng: Ruleng, rules: Path, arguments: list[str], enabled: int) -> None:
    assert ruleng("check", *arguments, rules).out == f"3 rules, {enabled} enabled: 0 errors, 0 warnings\n"


def test_rules_below_a_priority_are_dropped(ruleng: Ruleng, rules: Path) -> None:
    assert ruleng("check", "--priority", "warning", rules).out == "1 rule, 1 enabled: 0 errors, 0 warnings\n"


def test_a_choice_that_concerns_no_rule_is_a_warning(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("check", "--enable", "Shado read", rules)
    assert result.status == 0
    assert "no rule is named `Shado read`, so enabling it changes nothing" in result.out


# --- files that are none ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.rules", None, "No such file or directory"),
        ("binary.rules", b"\x7fELF\xff\xfe\x00", "UTF-8"),
        ("binary.yaml", b"\x7fELF\xff\xfe\x00", "UTF-8"),
        ("notes.txt", b"hello", "neither"),
    ],
)
def test_what_is_no_rule_file_is_an_error_that_names_it(
    ruleng: Ruleng, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    result = ruleng("check", path)
    assert result.status == 1
    assert str(path) in result.out
    assert message in result.out


@pytest.mark.parametrize("name", ["empty.rules", "empty.yaml"])
def test_an_empty_file_is_no_error(ruleng: Ruleng, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    result = ruleng("check", path)
    assert result.status == 0
    assert "0 rules, 0 enabled: 0 errors" in result.out


def test_a_folder_that_holds_no_rules_is_said(ruleng: Ruleng, tmp_path: Path) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    assert str(folder) in ruleng("check", folder).out


# --- colours ------------------------------------------------------------------------------------------------------------


ESCAPE = "\x1b["


def test_colours_are_for_terminals(mistaken: Path) -> None:
    assert ESCAPE in on_a_terminal("check", mistaken)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_a_terminal_without_colours_gets_none(mistaken: Path, environment: dict[str, str]) -> None:
    assert ESCAPE not in on_a_terminal("check", mistaken, **environment)


def test_a_pipe_gets_no_colours(spawned: Ruleng, mistaken: Path) -> None:
    result = spawned("check", mistaken)
    assert ESCAPE not in result.out + result.err
