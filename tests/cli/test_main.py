"""The command as a whole: help, mistakes, exit statuses, and pipes that end early."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ruleng as package
from ruleng.cli.main import COMMANDS
from tests.cli import samples
from tests.cli.conftest import COMMAND, ROOT, Ruleng, environment


def test_help_lists_every_command_with_what_it_does(ruleng: Ruleng) -> None:
    result = ruleng("--help")
    assert result.status == 0
    assert all(f"  {name:7}  {summary}" in result.out for name, summary in COMMANDS.items())
    assert result.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(ruleng: Ruleng, command: str) -> None:
    result = ruleng(command, "--help")
    assert result.status == 0
    assert result.out.startswith(f"usage: ruleng {command} ")
    assert f"  ruleng {command} " in result.out.partition("examples:")[2].replace("sudo ", "")
    assert result.err == ""


def test_without_a_command_the_help_is_a_complaint(ruleng: Ruleng) -> None:
    result = ruleng()
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("usage: ruleng COMMAND")


MISTAKES = [
    (["rnu"], "ruleng: unknown command `rnu`, did you mean `run`?\nTry 'ruleng --help'.\n"),
    (["teleport"], "ruleng: unknown command `teleport`\nTry 'ruleng --help'.\n"),
    (["--loud"], "ruleng: unrecognized arguments: --loud\nTry 'ruleng --help'.\n"),
    (["check", "--loud"], "ruleng check: unrecognized arguments: --loud\nTry 'ruleng check --help'.\n"),
    (["replay"], "ruleng replay: the following arguments are required: FILE\nTry 'ruleng replay --help'.\n"),
    (["run", "--duration", "soon"], "argument --duration: 'soon' is no duration such as 500ms, 10s, 5m"),
    (
        ["run", "--source", "audti"],
        "ruleng run: `audti` is no source, did you mean `audit`?\n  there are auto, audit, perf, stdin\n",
    ),
    (["run", "--source", "audit", "--source", "stdin"], "ruleng run: one source at a time, not audit, stdin\n"),
    (["run", "--sink", "jsnl:x"], "ruleng run: `jsnl:x` is no sink, did you mean `jsonl`?\n"),
    (["check", "--priority", "loud"], "argument --priority: 'loud' is no priority: there are emergency, alert, critical"),
    (["explain", "--limit", "0", "--all", "x"], "argument --limit: '0' is no whole number from 1"),
    (["alerts", "x.db", "--since", "soon"], "argument --since: 'soon' is no time: write 1h, 30m, 2d, or 2026-05-01T12:00"),
    (["alerts", "x.db", "--pid", "9" * 30], f"argument --pid: '{'9' * 30}' is no whole number"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(arguments) for arguments, _ in MISTAKES])
def test_a_mistake_of_usage_is_one_clear_complaint(ruleng: Ruleng, arguments: list[str], message: str) -> None:
    result = ruleng(*arguments)
    assert (result.status, result.out) == (2, "")
    assert message in result.err


def test_the_version_is_the_packages(ruleng: Ruleng) -> None:
    assert ruleng("--version").out == f"ruleng {package.__version__}\n"


def test_help_imports_nothing_that_takes_time() -> None:
    script = "import sys; from ruleng.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    modules = set(done.stderr.split())
    assert "ruleng.cli.main" in modules
    assert modules.isdisjoint({"asyncio", "msgspec", "lark", "yaml", "orjson", "re2", "sqlite3", "difflib", "ruleng.config"})


# --- standard streams ---------------------------------------------------------------------------------------------------


def shell(line: str, **more: str) -> subprocess.CompletedProcess[str]:
    """What `ruleng` is in the line, this ruleng is."""
    script = f'ruleng() {{ "{sys.executable}" -m ruleng "$@"; }}; set -o pipefail; {line}'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=environment(**more), timeout=60, check=False)


PIPED = ["--help", "fields", "check --needs", "check --python", "events {log}", "replay -r {rules} {log}", "convert {yaml}"]


@pytest.mark.parametrize("line", PIPED)
def test_a_reader_that_has_seen_enough_ends_it_quietly(line: str, log: Path, rules: Path, tmp_path: Path) -> None:
    yaml = tmp_path / "falco.yaml"
    yaml.write_text("- macro: never\n  condition: evt.num = 0\n" * 500)
    many = log.read_text() * 300
    log.write_text(many)
    done = shell(f"ruleng {line.format(log=log, rules=rules, yaml=yaml)} | head -1")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_reader_of_standard_error_that_goes_does_not_end_the_run(log: Path, rules: Path, tmp_path: Path) -> None:
    alerts = tmp_path / "alerts.jsonl"
    log.write_text(log.read_text() + "no record\n")
    done = shell(f"{{ ruleng replay -r {rules} -s jsonl:{alerts} {log} 2>&1 >&3 | true; }} 3>&1")
    assert "Traceback" not in done.stdout + done.stderr
    assert len(alerts.read_text().splitlines()) == 3


@pytest.mark.parametrize("line", ["--version", "fields", "check", "events {log}"])
def test_output_that_has_no_room_is_one_line_and_a_failure(line: str, log: Path) -> None:
    done = shell(f"ruleng {line.format(log=log)} >/dev/full")
    assert done.returncode == 1
    assert done.stderr == "ruleng: standard output: No space left on device\n"


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_reason_to_fail(streams: str, log: Path, rules: Path, tmp_path: Path) -> None:
    alerts = tmp_path / "alerts.jsonl"
    done = shell(f"ruleng replay -q -r {rules} -s jsonl:{alerts} {log} {streams}")
    assert (done.returncode, done.stdout) == (0, "")
    assert len(alerts.read_text().splitlines()) == 3
    assert "Traceback" not in done.stderr


def test_a_name_that_is_no_text_is_shown_and_no_crash(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.rules"
    Path(os.fsdecode(path)).write_text("rule nonsense")
    done = subprocess.run([*COMMAND, "check", path], capture_output=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"error[" in done.stdout


# --- signals ------------------------------------------------------------------------------------------------------------


STOPPING = [
    *itertools.product(["replay", "events"], [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]),
    *itertools.product(["run"], [signal.SIGINT, signal.SIGTERM]),
]


@pytest.mark.parametrize(("command", "number"), STOPPING)
def test_a_signal_ends_what_waits_for_input_with_what_came_until_then(
    command: str, number: signal.Signals, log: Path, rules: Path
) -> None:
    arguments, lines = {
        "replay": (["-r", str(rules), "-"], 3),
        "events": (["--fields", "fd.name", "-"], 5),
        "run": (["--source", "stdin", "-r", str(rules)], 3),
    }[command]
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, command, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environment()) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(log.read_bytes())
        process.stdin.flush()
        came = [process.stdout.readline() for _ in range(lines)]  # and the input has not ended
        process.send_signal(number)
        rest, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert (b"/etc/shadow" in came[-1], rest) == (True, b"")
    assert b"Traceback" not in told
    if command != "events":
        assert b"3 alerts" in told


def test_as_a_plugin_of_the_audit_daemon_it_runs_until_its_input_ends(spawned: Ruleng, rules: Path) -> None:
    result = spawned("run", "--source", "stdin", "-r", rules, input=samples.LOG)
    assert (result.status, result.said) == (0, samples.SAID)
    assert result.err.startswith("ruleng: 2 rules, source stdin; Ctrl-C ends\n")
