"""`ruleng convert`: Falco YAML in, .rules out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Ruleng

FALCO = """\
- list: shells
  items: [bash, sh]
- macro: spawned
  condition: evt.type in (execve, execveat)
- rule: Shell
  desc: a shell starts
  condition: spawned and proc.name in (shells)
  output: shell %proc.cmdline
  priority: NOTICE
"""


@pytest.fixture
def falco(tmp_path: Path) -> Path:
    path = tmp_path / "falco.yaml"
    path.write_text(FALCO)
    return path


def test_what_is_printed_is_a_rule_file_that_loads(ruleng: Ruleng, falco: Path, tmp_path: Path) -> None:
    result = ruleng("convert", falco)
    assert (result.status, result.err) == (0, "")
    assert 'rule "Shell" {' in result.out
    converted = tmp_path / "converted.rules"
    converted.write_text(result.out)
    assert ruleng("check", converted).out == "1 rule, 1 enabled: 0 errors, 0 warnings\n"


def test_files_go_into_a_folder_each_under_its_name(ruleng: Ruleng, falco: Path, tmp_path: Path) -> None:
    local = tmp_path / "local.yaml"
    local.write_text("- list: shells\n  items: [zsh]\n  override:\n    items: append\n")
    folder = tmp_path / "deep" / "rules.d"
    result = ruleng("convert", "-o", folder, falco, local)
    assert (result.status, result.out) == (0, "")
    assert result.err == f"{falco} -> {folder}/falco.rules\n{local} -> {folder}/local.rules\n"
    assert ruleng("check", folder / "falco.rules", folder / "local.rules").status == 0


def test_a_file_with_errors_is_not_converted(ruleng: Ruleng, falco: Path, tmp_path: Path) -> None:
    falco.write_text(FALCO.replace("and proc", "and and proc"))
    folder = tmp_path / "rules.d"
    result = ruleng("convert", "-o", folder, falco)
    assert (result.status, result.out) == (1, "")
    assert f"{falco}:7:26: error[" in result.err
    assert not folder.exists()


def test_a_missing_file_is_an_error(ruleng: Ruleng, tmp_path: Path) -> None:
    result = ruleng("convert", tmp_path / "gone.yaml")
    assert (result.status, result.out) == (1, "")
    assert "gone.yaml" in result.err


def test_what_is_converted_already_is_refused(ruleng: Ruleng, rules: Path) -> None:
    result = ruleng("convert", rules)
    assert (result.status, result.err) == (2, f"ruleng convert: {rules} is a .rules file already\n")


def test_two_files_of_one_name_do_not_overwrite_each_other(ruleng: Ruleng, falco: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "falco.yaml"
    other.write_text("- list: shells\n  items: [fish]\n")
    result = ruleng("convert", "-o", tmp_path / "out", falco, other)
    assert (result.status, result.err) == (2, "ruleng convert: two files of the same name would become one\n")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_an_error(ruleng: Ruleng, falco: Path) -> None:
    result = ruleng("convert", "-o", falco, falco)
    assert (result.status, result.err) == (1, f"ruleng convert: {falco}: File exists\n")
